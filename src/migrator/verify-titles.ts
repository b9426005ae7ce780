import { titleTrigrams } from "../database/trigram.ts"
import { recordPath } from "../file/layout.ts"
import type { Place } from "../record/kind.ts"
import type { Difference } from "../root/verify-result.ts"
import type { TimeSlice } from "../time-slice.ts"
import { patiently } from "./patiently.ts"
import type { Reconciler } from "./reconcile.ts"
import { sumOf, termSums } from "./term-sums.ts"

const SESSIONS_AT_ONCE = 1_000

/**
 * Finds where the full-text table of titles differs from the titles in the sessions' rows. FTS5 itself checks whether there is any
 * difference; only then the sessions concerned are looked for.
 * @throws IndexFailure; the slice's signal's reason
 */
export async function titleDifferences(within: Reconciler, slice: TimeSlice): Promise<Difference[]> {
  const { index, directory } = within
  await slice.turn()
  if (await patiently(() => index.write(({ fullText }) => fullText.titlesAgree()))) return []
  const differences: Difference[] = []
  const sums = await termSums(index, "titles", slice)
  for (let after = 0; ; ) {
    const page = await patiently(() => index.read(({ fullText }) => fullText.titles(after, SESSIONS_AT_ONCE)))
    for (const { row, id, project, folded } of page) {
      await slice.pass()
      const sum = sums.get(row) ?? 0
      sums.delete(row)
      if (sum === sumOf(titleTrigrams(folded))) continue
      const place: Place = { kind: "session", folder: project }
      differences.push({ path: recordPath(directory, place, id), kind: "wrong" })
    }
    const last = page.at(-1)
    if (!last || page.length < SESSIONS_AT_ONCE) break
    after = last.row
  }
  // Entries that belong to no session, or a fault that only FTS5's own check sees.
  if (sums.size > 0 || differences.length === 0)
    differences.push({ path: index.health().path ?? "", kind: "integrity" })
  return differences
}
