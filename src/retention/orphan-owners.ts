import { join } from "node:path"
import { isStoreError, StoreError } from "../errors.ts"
import { listRecords } from "../file/layout.ts"
import { SESSION_SIDE_KINDS } from "../record/kind.ts"
import { folderNames, type RecordFiles, recordIds } from "../root/json/file-catalog.ts"
import { missingMessages } from "../root/json/orphans.ts"
import { type Problem, ProblemLog } from "../root/problem-log.ts"
import type { TimeSlice } from "../time-slice.ts"
import type { Manifest } from "./entry.ts"

/** A session or message that has no file, but records that belonged to it. */
export type OrphanOwner = Pick<Manifest, "id" | "kind">

/**
 * Yields the owners of all orphans: sessions, then messages, by id.
 * @throws StoreError `UNREADABLE` where not all sessions and messages can be listed, since then nobody can say what has lost
 * its parent
 */
export async function* orphanOwners(files: RecordFiles, slice: TimeSlice): AsyncGenerator<OrphanOwner> {
  const unlisted: Problem[] = []
  const strict: RecordFiles = { ...files, problems: new ProblemLog((problem) => unlisted.push(problem)) }
  checkFirstLevel(files)
  const sessions = new Set<string>()
  for (const folder of folderNames(strict, "session"))
    for (const id of recordIds(strict, { kind: "session", folder })) sessions.add(id)
  const left = new Set<string>()
  for (const session of folderNames(strict, "message")) {
    await slice.pass()
    if (!sessions.has(session)) left.add(session)
    // Messages are listed for the parts' sake.
    else recordIds(strict, { kind: "message", folder: session })
  }
  for (const kind of SESSION_SIDE_KINDS)
    for (const id of sideIds(files, kind)) {
      await slice.pass()
      if (!sessions.has(id)) left.add(id)
    }
  refuse(unlisted)
  for (const id of [...left].sort()) yield { kind: "remains", id }
  for await (const id of missingMessages(strict, slice)) {
    refuse(unlisted)
    yield { kind: "parts", id }
  }
}

function refuse([problem]: readonly Problem[]): void {
  if (problem)
    throw new StoreError(
      "UNREADABLE",
      `What has lost its parent cannot be told, since this cannot be listed: ${problem.path}`,
      { path: problem.path, hint: problem.message },
    )
}

/** A link to a disk that is not there looks like a folder without any session. */
function checkFirstLevel({ fs, directory }: RecordFiles): void {
  for (const kind of ["session", "message"]) {
    const path = join(directory, kind)
    if (fs.lstat(path) && fs.stat(path)?.kind !== "directory")
      refuse([{ path, code: "UNREADABLE", message: "It is no folder, or leads to none." }])
  }
}

function sideIds(files: RecordFiles, kind: string): string[] {
  try {
    return listRecords(files.fs, join(files.directory, kind)).ids
  } catch (error) {
    if (!isStoreError(error)) throw error
    files.problems.report({ path: error.path ?? kind, code: error.code, message: error.message })
    return []
  }
}
