import { isStoreError } from "../errors.ts"
import { placePath, recordPath, statPlace, statRecord } from "../file/layout.ts"
import { isKnown, sameStamp } from "../file/stamp.ts"
import type { Place } from "../record/kind.ts"
import { patiently } from "./patiently.ts"
import type { Reconciler } from "./reconcile.ts"

const ROWS_AT_ONCE = 1_000

/**
 * Whether stamps prove all rows of a folder, so that no listing would read any of its files again; also if there is neither the folder
 * nor a row for it. Changes nothing.
 * @throws IndexFailure
 */
export async function isVouchedFor(within: Reconciler, place: Place): Promise<boolean> {
  const { fs, directory, index } = within
  try {
    const row = await patiently(() => index.read(({ directories }) => directories.find(place)))
    const stat = statPlace(fs, placePath(directory, place))
    if (!row || !stat) return !row && !stat
    if (!isKnown(row.stamp) || !sameStamp(row.stamp, row.size, stat)) return false
    for (let after = ""; ; ) {
      const page = await patiently(() =>
        index.read((statements) => statements[place.kind].stamps(row.id, after, ROWS_AT_ONCE)),
      )
      for (const { id, stamp, size } of page) {
        const seen = statRecord(fs, recordPath(directory, place, id))
        if (!seen || !isKnown(stamp) || !sameStamp(stamp, size, seen)) return false
      }
      const last = page.at(-1)
      if (!last || page.length < ROWS_AT_ONCE) return true
      after = last.id
    }
  } catch (error) {
    // What cannot be looked at proves nothing.
    if (isStoreError(error)) return false
    throw error
  }
}
