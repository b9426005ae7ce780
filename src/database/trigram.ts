/** The shortest term that SQLite's trigram tokenizer can look up, in code points. */
export const TRIGRAM = 3
/** Trigrams looked up for one query; the texts themselves decide, so more of them gain nothing. */
const MAX_TRIGRAMS = 48

/**
 * An FTS5 expression that every text with all these terms matches: their trigrams, each as a quoted string in which nothing
 * is special. `undefined` where all terms are too short to be looked up.
 */
export function trigramExpression(terms: readonly string[]): string | undefined {
  const trigrams = new Set<string>()
  for (const term of terms.toSorted((a, b) => b.length - a.length)) {
    const letters = [...term]
    for (let at = 0; at + TRIGRAM <= letters.length && trigrams.size < MAX_TRIGRAMS; at++)
      trigrams.add(letters.slice(at, at + TRIGRAM).join(""))
  }
  if (trigrams.size === 0) return undefined
  return [...trigrams].map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(" AND ")
}
