import { StoreError } from "../../errors.ts"
import { untilAdmitted } from "../../exhaustion.ts"
import type { Key } from "../../record/key.ts"
import { keyPath } from "../../record/key.ts"
import { SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import { type Problem, ProblemLog } from "../problem-log.ts"
import type { Orphan } from "../upkeep.ts"
import { folderNames, plainIds, type RecordFiles, recordIds } from "./file-catalog.ts"

/** How many ids are looked for at a time, so that memory does not grow with the store. */
const IDS_AT_ONCE = 100_000

/** Lists the owners of records, and notices if some of them cannot be listed. */
export class Owners {
  /** The files to list owners with. What cannot be listed is remembered instead of reported. */
  readonly files: RecordFiles
  #unlisted: Problem | undefined

  constructor(files: RecordFiles) {
    const problems = new ProblemLog((problem) => {
      // Other problems, such as a link in a record's place, hide no owner.
      if (problem.code === "UNREADABLE") this.#unlisted ??= { ...problem, path: files.locate(problem.path) }
      else files.problems.report(problem)
    })
    this.files = { ...files, problems }
  }

  /** Checks that all owners could be listed. @throws StoreError `UNREADABLE` if not, since then orphans cannot be told */
  mustBeComplete(): void {
    if (!this.#unlisted) return
    const { path, message } = this.#unlisted
    throw new StoreError(
      "UNREADABLE",
      `What has lost its parent cannot be told, since this cannot be listed: ${path}`,
      { path, hint: message },
    )
  }
}

/**
 * Yields all orphans: messages, parts, then side files, each by folder and id. Only names are read, no records.
 * @throws StoreError `UNREADABLE` if not all sessions and messages can be listed, since what belongs to them is no orphan; `EXHAUSTED`
 */
export async function* findOrphans(files: RecordFiles, signal?: AbortSignal): AsyncGenerator<Orphan> {
  const slice = new TimeSlice(signal)
  const orphan = (kind: Orphan["kind"], key: Key): Orphan => ({
    kind,
    key,
    path: keyPath(files.directory, key),
  })
  const owners = new Owners(files)
  const sessions = new Set<string>()
  for (const folder of await untilAdmitted(() => folderNames(owners.files, "session")))
    for (const id of await untilAdmitted(() => recordIds(owners.files, { kind: "session", folder })))
      sessions.add(id)
  owners.mustBeComplete()
  for (const session of await untilAdmitted(() => folderNames(files, "message"))) {
    await slice.pass()
    if (sessions.has(session)) continue
    for (const id of await untilAdmitted(() => recordIds(files, { kind: "message", folder: session })))
      yield orphan("message", ["message", session, id])
  }
  for await (const message of missingMessages(owners.files, slice)) {
    owners.mustBeComplete()
    for (const id of await untilAdmitted(() => recordIds(files, { kind: "part", folder: message })))
      yield orphan("part", ["part", message, id])
  }
  for (const kind of SESSION_SIDE_KINDS)
    for (const id of await untilAdmitted(() => plainIds(files, kind))) {
      await slice.pass()
      if (!sessions.has(id)) yield orphan(kind, [kind, id])
    }
}

/** Yields the folders of parts whose message has no file in any session. */
export async function* missingMessages(files: RecordFiles, slice: TimeSlice): AsyncGenerator<string> {
  const folders = await untilAdmitted(() => folderNames(files, "part"))
  for (let start = 0; start < folders.length; start += IDS_AT_ONCE) {
    const missing = new Set(folders.slice(start, start + IDS_AT_ONCE))
    for (const session of await untilAdmitted(() => folderNames(files, "message"))) {
      await slice.pass()
      for (const id of await untilAdmitted(() => recordIds(files, { kind: "message", folder: session })))
        missing.delete(id)
    }
    yield* missing
  }
}
