import { readFieldsPatiently } from "../../file/fields-reader.ts"
import { recordPath } from "../../file/layout.ts"
import { lstatQuietly } from "../../file/reader.ts"
import { sessionFields } from "../../record/extract.ts"
import { keyPath } from "../../record/key.ts"
import { PLAIN_KINDS, type Place } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import { type CountedRecord, StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import { folderNames, plainIds, type RecordFiles, recordIds } from "./file-catalog.ts"
import { missingMessages } from "./orphans.ts"
import { findSharedMessages } from "./shared-messages.ts"

/** Counts record files and their bytes by looking at every file; of sessions the times are read. Memory grows with the sessions only. */
export async function collectStats(files: RecordFiles, signal?: AbortSignal): Promise<StoreStats> {
  const slice = new TimeSlice(signal)
  const sum = new StatsSum()
  const addFolder = async (kind: "message" | "part", folder: string, session: string | undefined) => {
    const place: Place = { kind, folder }
    const ids = recordIds(files, place)
    for (const id of ids) {
      await slice.pass()
      sum.add(kind, session, counted(files, recordPath(files.directory, place, id)))
    }
    return ids
  }
  for (const project of folderNames(files, "session")) await addSessions(files, project, sum, slice)
  const shared = await findSharedMessages(files, slice)
  const done = new Set<string>()
  for (const session of folderNames(files, "message"))
    for (const id of await addFolder("message", session, session)) {
      if (done.has(id)) continue
      // The parts of several sessions are there once, and are counted with the first.
      if (shared.has(id)) done.add(id)
      await addFolder("part", id, session)
    }
  for await (const message of missingMessages(files, slice)) await addFolder("part", message, undefined)
  for (const kind of [...PLAIN_KINDS, "session_share"])
    for (const id of plainIds(files, kind)) {
      await slice.pass()
      sum.addPlain(kind, id, counted(files, keyPath(files.directory, [kind, id])))
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
  for (const id of recordIds(files, place)) {
    await slice.pass()
    const path = recordPath(files.directory, place, id)
    const result = await readFieldsPatiently(files.fs, path, files.maxRecordBytes, slice)
    const updated = "body" in result ? sessionFields(result.body).updated : undefined
    sum.addSession(id, project, updated, counted(files, path))
  }
}

function counted({ fs }: RecordFiles, path: string): CountedRecord | undefined {
  const bytes = lstatQuietly(fs, path)?.size
  return bytes === undefined ? undefined : { path, bytes }
}
