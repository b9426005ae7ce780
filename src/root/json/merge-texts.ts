import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { TimeSlice } from "../../time-slice.ts"

/**
 * Merges what insertions left in the full-text index where there is enough of it, or all of it into one piece, in small
 * transactions that others may run between.
 * @param pages merged in one transaction
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
