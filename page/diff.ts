import { parsePatch, type StructuredPatch, structuredPatch } from "diff"

/** One line of a shown difference. */
export interface DiffLine {
  readonly kind: "same" | "added" | "removed" | "hunk"
  readonly text: string
  /** Its number in the file before and after. */
  readonly before?: number
  readonly after?: number
}

export interface DiffView {
  readonly lines: readonly DiffLine[]
  readonly added: number
  readonly removed: number
}

/** Larger files are not compared: it would hold the page. */
const LARGEST = 1_000_000
const LONGEST_MS = 250

/** Reads a unified diff; `undefined` where it is none. */
export function readPatch(text: string): DiffView | undefined {
  try {
    const patches = parsePatch(text)
    return patches.some(({ hunks }) => hunks.length > 0) ? viewOf(patches) : undefined
  } catch {
    return undefined
  }
}

/** What changed from one text to another; `undefined` where finding that takes too long. */
export function compare(before: string, after: string): DiffView | undefined {
  if (before.length + after.length > LARGEST) return undefined
  const patch = structuredPatch("", "", before, after, undefined, undefined, {
    context: 3,
    timeout: LONGEST_MS,
  })
  return patch && viewOf([patch])
}

function viewOf(patches: readonly StructuredPatch[]): DiffView {
  const lines: DiffLine[] = []
  let [added, removed] = [0, 0]
  for (const { hunks } of patches)
    for (const hunk of hunks) {
      let [before, after] = [hunk.oldStart, hunk.newStart]
      lines.push({ kind: "hunk", text: `Line ${after}` })
      for (const line of hunk.lines) {
        const text = line.slice(1)
        if (line.startsWith("+")) {
          lines.push({ kind: "added", text, after: after++ })
          added++
        } else if (line.startsWith("-")) {
          lines.push({ kind: "removed", text, before: before++ })
          removed++
        } else if (line.startsWith(" ")) lines.push({ kind: "same", text, before: before++, after: after++ })
      }
    }
  return { lines, added, removed }
}
