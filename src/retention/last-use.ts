import { StoreError } from "../errors.ts"
import { readFieldsPatiently } from "../file/fields-reader.ts"
import { askSystem, placePath, recordPath } from "../file/layout.ts"
import { isJsonObject, messageTimes, sessionFields } from "../record/extract.ts"
import type { Place } from "../record/kind.ts"
import { readBody } from "../root/json/bodies.ts"
import type { RecordFiles } from "../root/json/file-catalog.ts"
import type { TimeSlice } from "../time-slice.ts"
import { type Measured, measure, messageNames, sessionFiles } from "./belongings.ts"

/** What of a session was looked at before it was judged. */
export interface Seen extends Measured {
  /** When it was last gone on with, ms. */
  readonly used: number
}

/**
 * Files written within this time after the session's own say no more than that does, in ms: a copy of a store is made in it,
 * and then all its files are young.
 */
const COPYING_MS = 3_600_000

/**
 * Looks at a whole session: what it takes, and when it was last gone on with. That is the newest of `time.updated`, the times of its
 * messages, and the modification times of its files, where these are later than its own file's by more than an hour. Where no
 * record tells a time, the youngest file does.
 *
 * The files' times count only beside that of the session's own, since a copy or a restored backup may have made all of them young;
 * neither change times nor those of folders count, which the best copies lose.
 * @throws StoreError `UNREADABLE` where not all of it can be looked at, so that nobody can say whether it is in use; `EXHAUSTED`
 */
export async function lookAt(files: RecordFiles, id: string, slice: TimeSlice): Promise<Seen> {
  const measured = await measure(files, { kind: "session", id }, slice)
  let recorded = 0
  let own = 0
  for (const [, folder = ""] of sessionFiles(files, id)) {
    const place: Place = { kind: "session", folder }
    const path = recordPath(files.directory, place, id)
    const body = await readBody(files, place, id)
    if (body) recorded = Math.max(recorded, sessionFields(body).updated)
    const stat = askSystem(path, () => files.fs.lstat(path))
    if (stat) own = Math.max(own, Number(stat.mtimeNs / 1_000_000n))
  }
  recorded = Math.max(recorded, await newestMessage(files, id, slice))
  const { youngest } = measured
  const used = recorded <= 0 || youngest > own + COPYING_MS ? Math.max(recorded, youngest) : recorded
  return { ...measured, used }
}

/** The latest time that a message of the session tells; 0 where none does. @throws StoreError `UNREADABLE`, `EXHAUSTED` */
export async function newestMessage(files: RecordFiles, session: string, slice: TimeSlice): Promise<number> {
  const place: Place = { kind: "message", folder: session }
  let newest = 0
  for (const id of messageNames(files.fs, placePath(files.directory, place))) {
    await slice.pass()
    const path = recordPath(files.directory, place, id)
    const waiting = files.unwritten.newest(path)?.value
    const result = isJsonObject(waiting)
      ? { body: waiting }
      : await readFieldsPatiently(files.fs, path, files.maxRecordBytes, slice)
    if ("body" in result) newest = Math.max(newest, ...messageTimes(result.body))
    // What is torn or too large tells no time; what is refused for now may tell of the last minute.
    else if (result.fault.code === "UNREADABLE" || result.fault.code === "EXHAUSTED")
      throw new StoreError(result.fault.code, result.fault.message, { path, cause: result.fault.cause })
  }
  return newest
}
