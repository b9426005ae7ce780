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
 * Where the full-text table of titles differs from the titles in the sessions' rows. FTS5 tells whether it does at all, on one
 * state of the index; which sessions are concerned is only looked for where it does.
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
  // What it finds without there being such a session, and what only FTS5 can see.
  if (sums.size > 0 || differences.length === 0)
    differences.push({ path: index.health().path ?? "", kind: "integrity" })
  return differences
}
