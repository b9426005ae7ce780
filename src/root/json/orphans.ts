import type { Key } from "../../record/key.ts"
import { keyPath } from "../../record/key.ts"
import { SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Orphan } from "../upkeep.ts"
import { folderNames, plainIds, type RecordFiles, recordIds } from "./file-catalog.ts"

/** Ids looked for at a time, so that memory does not grow with the store. */
const IDS_AT_ONCE = 100_000

/** Yields all orphans: messages, parts, then side files, each by folder and id. Only names are read, no record. */
export async function* findOrphans(files: RecordFiles, signal?: AbortSignal): AsyncGenerator<Orphan> {
  const slice = new TimeSlice(signal)
  const orphan = (kind: Orphan["kind"], key: Key): Orphan => ({
    kind,
    key,
    path: keyPath(files.directory, key),
  })
  const sessions = new Set<string>()
  for (const folder of folderNames(files, "session"))
    for (const id of recordIds(files, { kind: "session", folder })) sessions.add(id)
  for (const session of folderNames(files, "message")) {
    await slice.pass()
    if (sessions.has(session)) continue
    for (const id of recordIds(files, { kind: "message", folder: session }))
      yield orphan("message", ["message", session, id])
  }
  for await (const message of missingMessages(files, slice))
    for (const id of recordIds(files, { kind: "part", folder: message }))
      yield orphan("part", ["part", message, id])
  for (const kind of SESSION_SIDE_KINDS)
    for (const id of plainIds(files, kind)) {
      await slice.pass()
      if (!sessions.has(id)) yield orphan(kind, [kind, id])
    }
}

/** Folders of parts whose message has no file in any session. */
export async function* missingMessages(files: RecordFiles, slice: TimeSlice): AsyncGenerator<string> {
  const folders = folderNames(files, "part")
  for (let start = 0; start < folders.length; start += IDS_AT_ONCE) {
    const missing = new Set(folders.slice(start, start + IDS_AT_ONCE))
    for (const session of folderNames(files, "message")) {
      await slice.pass()
      for (const id of recordIds(files, { kind: "message", folder: session })) missing.delete(id)
    }
    yield* missing
  }
}
