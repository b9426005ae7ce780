import type { FullTextTable } from "../database/full-text-statements.ts"
import type { SqliteIndex } from "../database/sqlite-index.ts"
import type { TimeSlice } from "../time-slice.ts"
import { patiently } from "./patiently.ts"

/** About how many pairs of a term and a row are read in one slice, which takes some 10 ms. A single term may have more. */
const PAIRS_AT_ONCE = 50_000

/** A 32-bit sum over a set of terms, in any order. Two different sets have the same sum once in 4 billion. */
export function sumOf(terms: Iterable<string>): number {
  let sum = 0
  for (const term of terms) sum = (sum + Bun.hash.xxHash32(term)) | 0
  return sum
}

/**
 * The `sumOf` the terms of each row of a full-text table; rows without terms are absent. The table is read once, term by term, in slices.
 * Other processes may change it between two slices; `TextStatements.version` tells whether they did.
 * @throws IndexFailure; the slice's signal's reason
 */
export async function termSums(
  index: SqliteIndex,
  table: FullTextTable,
  slice: TimeSlice,
): Promise<Map<number, number>> {
  const sums = new Map<number, number>()
  let limit = 1
  for (let after = ""; ; ) {
    await slice.turn()
    const terms = await patiently(() => index.read(({ fullText }) => fullText.terms(table, after, limit)))
    let pairs = 0
    for (const { term, rows } of terms) {
      const hash = Bun.hash.xxHash32(term)
      for (const row of rows) sums.set(row, ((sums.get(row) ?? 0) + hash) | 0)
      pairs += rows.length
    }
    const last = terms.at(-1)
    if (!last || terms.length < limit) return sums
    after = last.term
    limit = Math.max(1, Math.min(limit * 2, Math.floor((PAIRS_AT_ONCE * terms.length) / pairs)))
  }
}
