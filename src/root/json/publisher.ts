import { IndexFailure } from "../../database/failure.ts"
import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { isStoreError } from "../../errors.ts"
import type { Change } from "../../file/write-queue.ts"
import type { Logger } from "../../logger.ts"
import { putOwnWrite } from "../../migrator/observation.ts"
import { type Reconciler, reconcile, Unsettled } from "../../migrator/reconcile.ts"
import { type Place, placeOfKey } from "../../record/kind.ts"

/**
 * Makes a function that notes our own changes in the index. If it cannot, the write has succeeded all the same: `onMissed` makes the next
 * reader look, and the file's stamp shows it the change.
 */
export function publisher(index: SqliteIndex, logger: Logger, onMissed: () => void) {
  return async (changes: readonly Change[]): Promise<void> => {
    const rows = changes.flatMap(({ key, content }) => {
      const record = placeOfKey(key)
      if (!record) return []
      // The content of a copy is not known here; the next reader will read it.
      if (content && !("text" in content)) {
        onMissed()
        return []
      }
      return [{ ...record, content: content ?? undefined }]
    })
    if (rows.length === 0) return
    try {
      await index.write((statements) => {
        for (const { place, id, content } of rows) putOwnWrite(statements, place, id, content)
      })
    } catch (error) {
      onMissed()
      // The index has logged its own failure already.
      if (!(error instanceof IndexFailure)) logger.warn("A change could not be noted in the index", error)
    }
  }
}

/** How many folders are reconciled at a time. */
const FOLDERS_AT_ONCE = 256

/** As `publisher`, for whole folders that were moved: it reconciles them. */
export function folderPublisher(within: Reconciler, logger: Logger, onMissed: () => void) {
  return async (places: readonly Place[]): Promise<void> => {
    try {
      for (let start = 0; start < places.length; start += FOLDERS_AT_ONCE) {
        const group = places.slice(start, start + FOLDERS_AT_ONCE)
        // Cleared first: on some file systems a move leaves a folder's stamp as it was.
        await within.index.write(({ directories }) => {
          for (const [kind, same] of Map.groupBy(group, (place) => place.kind))
            for (const { id } of directories.findAll(
              kind,
              same.map(({ folder }) => folder),
            ))
              directories.dropStamp(id)
        })
        await within.index.batch(() => reconcile(within, group))
      }
    } catch (error) {
      onMissed()
      if (!(error instanceof IndexFailure || error instanceof Unsettled || isStoreError(error)))
        logger.warn("A change could not be noted in the index", error)
    }
  }
}
