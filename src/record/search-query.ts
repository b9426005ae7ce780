import { fold } from "./fold.ts"

/** A parsed query; every term is folded and not empty. */
export interface ParsedQuery {
  /** All of these must occur. */
  readonly wanted: readonly string[]
  /** None of these may occur. */
  readonly excluded: readonly string[]
}

/** A phrase in quotes, or a run without spaces; either may begin with a minus. An unpaired quote is an ordinary character. */
const TERM = /(-?)(?:"([^"]+)"(?=\s|$)|(\S+))/gu

/**
 * Parses what a person typed: words that must all occur, `"a phrase"`, and `-word` to exclude. Everything else is ordinary text:
 * `%`, `_`, `*`, `AND` and `NEAR(` have no special meaning.
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

/** Whether folded texts, taken together, match the query. */
export function matchesTexts({ wanted, excluded }: ParsedQuery, folded: readonly string[]): boolean {
  return (
    wanted.every((term) => folded.some((text) => text.includes(term))) &&
    !excluded.some((term) => folded.some((text) => text.includes(term)))
  )
}
