import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { TimeSlice } from "../../time-slice.ts"

/**
 * Merges segments of the full-text index: those that insertions left, if there are enough, or all into one. Works in small transactions,
 * so that others get in between.
 * @param pages how many pages one transaction merges
 * @throws IndexFailure; the slice's signal's reason
 */
export async function mergeTexts(
  index: SqliteIndex,
  slice: TimeSlice,
  what: "what is due" | "all",
  pages: number,
): Promise<void> {
  for (let begins = what === "all", more = true; more; begins = false) {
    await slice.turn()
    more = await patiently(() =>
      index.write(({ texts }) => (begins ? texts.beginMergingAll(pages) : texts.mergeInserted(pages))),
    )
  }
}
