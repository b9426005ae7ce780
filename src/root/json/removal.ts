import { join } from "node:path"
import { isStoreError, StoreError, systemCode } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { listRecords, placePath, recordPath } from "../../file/layout.ts"
import { isSpelled, otherRecord } from "../../file/spelling.ts"
import { type Key, keyPath } from "../../record/key.ts"
import type { Place } from "../../record/kind.ts"
import { SYNC_COPY } from "../../record/sync-copy.ts"
import type { Problem } from "../problem-log.ts"
import type { RecordFiles } from "./file-catalog.ts"
import { listedIds } from "./file-catalog.ts"
import type { RecordWriter } from "./record-writer.ts"

/** How many removals are handed to the write queue at once. */
const AT_ONCE = 64
/** Faults with which a file is still removed: a file that is too large to be read is not broken. */
const REMOVABLE = new Set(["NOT_FOUND", "TOO_LARGE"])

/** Removes records that can be read and returns how many. The others stay where they are and are added to `left`. */
export async function removeReadable(
  files: RecordFiles,
  writer: RecordWriter,
  keys: readonly Key[],
  left: Problem[],
  signal?: AbortSignal,
): Promise<number> {
  // If the file system finds a file under the name of a key, but lists it under another, it is another record.
  const own = keys.filter((key) => !otherRecord(files.fs, files.directory, key))
  let removed = 0
  for (let start = 0; start < own.length; start += AT_ONCE) {
    signal?.throwIfAborted()
    const group = own.slice(start, start + AT_ONCE).map((key) =>
      writer.remove(key, (current) => {
        if (!("fault" in current) || REMOVABLE.has(current.fault.code)) return false
        left.push({
          path: keyPath(files.directory, key),
          code: current.fault.code,
          message: current.fault.message,
        })
        return true
      }),
    )
    removed += (await Promise.all(group)).filter(Boolean).length
  }
  return removed
}

/**
 * The ids of a folder's records, for a removal; none if the folder has another name than this, since it is then another owner's. If it
 * cannot be listed, none, and the problem is added to `left`.
 */
export async function listedOrLeft(files: RecordFiles, place: Place, left: Problem[]): Promise<string[]> {
  try {
    return await untilAdmitted(() =>
      isSpelled(files.fs, join(files.directory, place.kind), place.folder) ? listedIds(files, place) : [],
    )
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    const { path = placePath(files.directory, place), code, message } = error
    left.push({ path, code, message })
    return []
  }
}

/** Removes a folder if it is empty now. If it cannot be removed, that is added to `left`, and so are synchronisers' copies in it. */
export function removeEmptied(files: RecordFiles, place: Place, left: Problem[]): void {
  const path = placePath(files.directory, place)
  if (!isSpelled(files.fs, join(files.directory, place.kind), place.folder)) return
  try {
    files.fs.removeEmptyDirectory(path)
    for (const name of listRecords(files.fs, path).copies)
      left.push({ path: recordPath(files.directory, place, name), ...SYNC_COPY })
  } catch (error) {
    const code = systemCode(error instanceof StoreError ? error.cause : error)
    if (code === undefined) throw error
    left.push({ path, code: "UNREADABLE", message: `The folder cannot be removed (${code})` })
  }
}
