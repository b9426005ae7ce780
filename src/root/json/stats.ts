import { isStoreError } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { readFieldsPatiently } from "../../file/fields-reader.ts"
import { recordPath, statRecord } from "../../file/layout.ts"
import { sessionFields } from "../../record/extract.ts"
import { keyPath } from "../../record/key.ts"
import { PLAIN_KINDS, type Place } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import { type CountedRecord, StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import { folderNames, plainIds, type RecordFiles, recordIds, report } from "./file-catalog.ts"
import { missingMessages } from "./orphans.ts"
import { countSharedMessages } from "./shared-messages.ts"

/**
 * Counts record files and their bytes with a stat of every file; session files are also read, for their times. What cannot be looked at
 * is reported. Memory grows only with the sessions. @throws StoreError `EXHAUSTED`; the signal's reason
 */
export async function collectStats(files: RecordFiles, signal?: AbortSignal): Promise<StoreStats> {
  const slice = new TimeSlice(signal)
  const sum = new StatsSum()
  const addFolder = async (kind: "message" | "part", folder: string, session: string | undefined) => {
    const place: Place = { kind, folder }
    const ids = await untilAdmitted(() => recordIds(files, place))
    for (const id of ids) {
      await slice.pass()
      sum.add(kind, session, await counted(files, recordPath(files.directory, place, id)))
    }
    return ids
  }
  for (const project of await untilAdmitted(() => folderNames(files, "session")))
    await addSessions(files, project, sum, slice)
  const shared = await countSharedMessages(files, slice)
  const done = new Set<string>()
  for (const session of await untilAdmitted(() => folderNames(files, "message")))
    for (const id of await addFolder("message", session, session)) {
      if (done.has(id)) continue
      // Parts that several sessions share exist once, and are counted with the first session.
      if (shared.has(id)) done.add(id)
      await addFolder("part", id, session)
    }
  for await (const message of missingMessages(files, slice)) await addFolder("part", message, undefined)
  for (const kind of [...PLAIN_KINDS, "session_share"])
    for (const id of await untilAdmitted(() => plainIds(files, kind))) {
      await slice.pass()
      sum.addPlain(kind, id, await counted(files, keyPath(files.directory, [kind, id])))
    }
  return sum.result()
}

async function addSessions(
  files: RecordFiles,
  project: string,
  sum: StatsSum,
  slice: TimeSlice,
): Promise<void> {
  const place: Place = { kind: "session", folder: project }
  for (const id of await untilAdmitted(() => recordIds(files, place))) {
    await slice.pass()
    const path = recordPath(files.directory, place, id)
    const result = await readFieldsPatiently(files.fs, path, files.maxRecordBytes, slice)
    if ("fault" in result && result.fault.code === "EXHAUSTED") report(files, path, result.fault)
    const updated = "body" in result ? sessionFields(result.body).updated : undefined
    sum.addSession(id, project, updated, await counted(files, path))
  }
}

/** A file with its size; `undefined` if it is gone or cannot be looked at, which is reported. */
async function counted({ fs, problems }: RecordFiles, path: string): Promise<CountedRecord | undefined> {
  try {
    const bytes = (await untilAdmitted(() => statRecord(fs, path)))?.size
    return bytes === undefined ? undefined : { path, bytes }
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    problems.report({ path: error.path ?? path, code: error.code, message: error.message })
    return undefined
  }
}
