import { basename, join } from "node:path"
import { isStoreError, StoreError } from "../errors.ts"
import { isExhausted, untilAdmitted } from "../exhaustion.ts"
import { listRecords } from "../file/layout.ts"
import { RECORD_SUFFIX } from "../record/key.ts"
import { COLLECTION_KINDS, type CollectionKind, SESSION_SIDE_KINDS } from "../record/kind.ts"
import { originalOf, SYNC_COPY } from "../record/sync-copy.ts"
import { folderNames, type RecordFiles, recordIds } from "../root/json/file-catalog.ts"
import { missingMessages } from "../root/json/orphans.ts"
import { type Problem, ProblemLog } from "../root/problem-log.ts"
import type { TimeSlice } from "../time-slice.ts"
import type { Manifest } from "./entry.ts"

/** A session or message that has no file, but records that belonged to it. */
export type OrphanOwner = Pick<Manifest, "id" | "kind">

/**
 * Yields the owners of all orphans: sessions, then messages, by id. Whoever is left as a synchroniser's copy alone may be brought back
 * from that, so what belongs to it is no orphan yet.
 * @param forced also where there is no session at all, or no message, but records that belong to one
 * @throws StoreError `UNREADABLE` where not all sessions and messages can be listed, or there are none though there is what belongs
 * to them: they may lie on a disk that is not there, and nobody can say what has lost its parent
 */
export async function* orphanOwners(
  files: RecordFiles,
  slice: TimeSlice,
  forced = false,
): AsyncGenerator<OrphanOwner> {
  const unlisted: Problem[] = []
  const copied = new Set<string>()
  const note = (problem: Problem): void => {
    if (problem.code !== SYNC_COPY.code) unlisted.push(problem)
    else copied.add(originalOf(basename(problem.path, RECORD_SUFFIX)) ?? "")
  }
  const strict: RecordFiles = { ...files, problems: new ProblemLog(note) }
  const sessions = new Set<string>()
  for (const folder of await untilAdmitted(() => folderNames(strict, "session")))
    for (const id of await untilAdmitted(() => recordIds(strict, { kind: "session", folder })))
      sessions.add(id)
  const left = new Set<string>()
  let messages = 0
  for (const session of await untilAdmitted(() => folderNames(strict, "message"))) {
    await slice.pass()
    // Those of a session that is there are listed for the parts' sake.
    messages += (await untilAdmitted(() => recordIds(strict, { kind: "message", folder: session }))).length
    if (!sessions.has(session)) left.add(session)
  }
  for (const kind of SESSION_SIDE_KINDS)
    for (const id of await untilAdmitted(() => sideIds(files, kind))) {
      await slice.pass()
      if (!sessions.has(id)) left.add(id)
    }
  refuse(unlisted)
  if (!forced && sessions.size === 0 && left.size > 0) refuse([isBare(files, "session")])
  if (!forced && messages === 0 && folderNames(strict, "part").length > 0) refuse([isBare(files, "message")])
  for (const id of [...left].sort()) if (!copied.has(id)) yield { kind: "remains", id }
  for await (const id of missingMessages(strict, slice)) {
    refuse(unlisted)
    if (!copied.has(id)) yield { kind: "parts", id }
  }
}

/**
 * Checks that what belongs to sessions can be reached: where messages lie on a disk that is not there, sessions look as if they had
 * none, and nobody knows their last use. @throws StoreError `UNREADABLE`
 */
export function checkReachable(files: RecordFiles): void {
  const unlisted: Problem[] = []
  const strict: RecordFiles = { ...files, problems: new ProblemLog((problem) => unlisted.push(problem)) }
  const folders = (kind: CollectionKind): string[] => folderNames(strict, kind)
  folders("session")
  const bare = !folders("message").some((folder) => recordIds(files, { kind: "message", folder }).length > 0)
  const parts = folders("part")
  // A link among the folders of a kind hides its own records alone.
  const within = COLLECTION_KINDS.map((kind) => `${files.directory}/${kind}/`)
  const [problem = bare && parts.length > 0 ? isBare(files, "message") : undefined] = unlisted.filter(
    ({ path }) => !within.some((folder) => path.startsWith(folder)),
  )
  if (problem)
    throw new StoreError("UNREADABLE", `Which sessions are in use cannot be told without ${problem.path}`, {
      path: problem.path,
      hint: problem.message,
    })
}

function isBare({ directory }: RecordFiles, kind: "session" | "message"): Problem {
  const message = `It holds no ${kind}, but there is what belongs to one: is its disk there? \`orphans: "force"\` (--orphans --force) removes that all the same.`
  return { path: join(directory, kind), code: "UNREADABLE", message }
}

function refuse([problem]: readonly Problem[]): void {
  if (problem)
    throw new StoreError(
      "UNREADABLE",
      `What has lost its parent cannot be told, since this cannot be listed: ${problem.path}`,
      { path: problem.path, hint: problem.message },
    )
}

function sideIds(files: RecordFiles, kind: string): string[] {
  try {
    return listRecords(files.fs, join(files.directory, kind)).ids
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    files.problems.report({ path: error.path ?? kind, code: error.code, message: error.message })
    return []
  }
}
