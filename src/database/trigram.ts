import { shortTokens, TRIGRAM, trigramTokens } from "../record/trigrams.ts"

/** How many trigrams one query looks up at most. The texts themselves decide, so more would gain nothing. */
const MAX_TRIGRAMS = 48

/**
 * An FTS5 expression, for SQLite's own trigram tokenizer, that every title with all these terms matches. `undefined` if all terms are
 * too short to be looked up.
 */
export function titleExpression(terms: readonly string[]): string | undefined {
  return expressionOf(terms, titleTrigrams)
}

/** The terms that SQLite's own trigram tokenizer makes from a title, each once: three code points each, without NULs. */
export function titleTrigrams(folded: string): ReadonlySet<string> {
  const letters = [...folded.replaceAll("\0", "")]
  return new Set(letters.slice(TRIGRAM - 1).map((_, at) => letters.slice(at, at + TRIGRAM).join("")))
}

/** As `titleExpression`, for texts, whose full-text index holds the tokens of `TrigramSet`. */
export function textExpression(terms: readonly string[]): string | undefined {
  return expressionOf(terms, trigramTokens)
}

/**
 * As `textExpression`, for terms of one or two letters, which have no trigram of their own: it asks for every trigram that begins with
 * them. That is slower, since there are many.
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

/** Joins trigrams as quoted strings, in which nothing is special. Those of longer terms come first. */
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
