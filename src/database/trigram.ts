import { shortTokens, TRIGRAM, trigramTokens } from "../record/trigrams.ts"

/** Trigrams looked up for one query; the texts themselves decide, so more of them gain nothing. */
const MAX_TRIGRAMS = 48

/**
 * An FTS5 expression that every title with all these terms matches, for SQLite's own trigram tokenizer. `undefined` where all
 * terms are too short to be looked up.
 */
export function titleExpression(terms: readonly string[]): string | undefined {
  return expressionOf(terms, titleTrigrams)
}

/** The terms by which SQLite's own trigram tokenizer has a title found, each once: it takes three code points for one, and no NULs. */
export function titleTrigrams(folded: string): ReadonlySet<string> {
  const letters = [...folded.replaceAll("\0", "")]
  return new Set(letters.slice(TRIGRAM - 1).map((_, at) => letters.slice(at, at + TRIGRAM).join("")))
}

/** The same for texts, of which the full-text index holds the tokens of `TrigramSet`. */
export function textExpression(terms: readonly string[]): string | undefined {
  return expressionOf(terms, trigramTokens)
}

/**
 * The same for terms of one or two letters, which have no trigram of their own: of every trigram that begins with them. Slower to ask, since
 * there are many.
 */
export function shortTextExpression(terms: readonly string[]): string | undefined {
  const short = terms.filter(({ length }) => length < TRIGRAM)
  if (short.length === 0) return undefined
  return short
    .map((term) => {
      const { tokens, prefixes } = shortTokens(term)
      return `(${[...tokens.map(quoted), ...prefixes.map((prefix) => `${quoted(prefix)} *`)].join(" OR ")})`
    })
    .join(" AND ")
}

function quoted(token: string): string {
  return `"${token.replaceAll('"', '""')}"`
}

/** Each as a quoted string, in which nothing is special; those of longer terms first. */
function expressionOf(
  terms: readonly string[],
  trigramsOf: (term: string) => Iterable<string>,
): string | undefined {
  const trigrams = new Set<string>()
  for (const term of terms.toSorted((a, b) => b.length - a.length))
    for (const trigram of trigramsOf(term)) if (trigrams.size < MAX_TRIGRAMS) trigrams.add(trigram)
  if (trigrams.size === 0) return undefined
  return [...trigrams].map(quoted).join(" AND ")
}
