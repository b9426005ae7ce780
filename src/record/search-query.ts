import { fold } from "./fold.ts"

/** A query as it was understood; every term is folded and not empty. */
export interface ParsedQuery {
  /** All of these must occur. */
  readonly wanted: readonly string[]
  /** None of these may occur. */
  readonly excluded: readonly string[]
}

/** A phrase in quotes, or a run without spaces; either may begin with a minus. An unpaired quote is a character. */
const TERM = /(-?)(?:"([^"]+)"(?=\s|$)|(\S+))/gu

/**
 * Reads what a person typed: words that must all occur, `"a phrase"`, `-word` to exclude. Everything else is ordinary text:
 * `%`, `_`, `*`, `AND` and `NEAR(` have no meaning of their own.
 */
export function parseQuery(text: string): ParsedQuery {
  const wanted = new Set<string>()
  const excluded = new Set<string>()
  for (const [whole, minus, phrase, word] of text.matchAll(TERM)) {
    const term = fold(phrase ?? word ?? "").replaceAll("\0", "")
    // A minus alone is a word.
    if (minus && term !== "") excluded.add(term)
    else wanted.add(fold(minus ? whole : (phrase ?? word ?? "")).replaceAll("\0", ""))
  }
  wanted.delete("")
  return { wanted: [...wanted], excluded: [...excluded] }
}

/** Tells whether texts that are already folded, taken together, are what the query asks for. */
export function matchesTexts({ wanted, excluded }: ParsedQuery, folded: readonly string[]): boolean {
  return (
    wanted.every((term) => folded.some((text) => text.includes(term))) &&
    !excluded.some((term) => folded.some((text) => text.includes(term)))
  )
}
