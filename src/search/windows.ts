import { MAX_DOCUMENT_IDS } from "../database/text-statements.ts"

/** A document of the full-text index is at most so long, in UTF-16 units. */
const WINDOW = 1_000_000
/** Neighbouring windows share so much, more than what is looked up of any one term, in UTF-16 units. */
const OVERLAP = 256

/** Joins a message's folded texts, each once, and cuts what is long into overlapping windows; none for no text. */
export function cutWindows(folded: readonly string[]): string[] {
  const text = [...new Set(folded)].join("\n\n")
  if (text === "") return []
  const size = Math.max(WINDOW, Math.ceil(text.length / MAX_DOCUMENT_IDS))
  const windows: string[] = []
  // A window may begin amid a surrogate pair: its half is replaced, and the window before holds the whole.
  for (let start = 0; start < text.length; start += size)
    windows.push(text.slice(start, start + size + OVERLAP).toWellFormed())
  return windows
}
