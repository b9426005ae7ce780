import { and, asc, eq, gt } from "drizzle-orm"
import { sessions } from "../postgres/schema.ts"
import type { Roots } from "../repository/roots.ts"
import type { Problem } from "../root/problem-log.ts"
import type { Root } from "../root/root.ts"
import type { Begun } from "./begin.ts"
import type { Pushed, PushOptions } from "./options.ts"

const ROWS = 500

/**
 * Yields the sessions that this machine has published and that are not here any more. One counts as gone only where the place it was published
 * from is read now and holds others, and where everything could be looked at: a disk that is not there has removed nothing.
 */
export async function* goneSessions(
  { fleet, machine, isNew }: Begun,
  roots: Roots,
  isMeant: ((root: Root) => boolean) | undefined,
  { signal, force = false }: PushOptions,
  left: Problem[],
): AsyncGenerator<Pushed> {
  if (isNew) return
  const places = new Map<string, boolean>()
  for (const root of roots.reachable())
    if (isMeant?.(root) ?? true) places.set(`${root.source} ${root.place}`, await mayRemove(root, force))
  for (let after = ""; ; ) {
    signal?.throwIfAborted()
    const rows = await fleet.read((db) =>
      db
        .select({
          id: sessions.id,
          source: sessions.source,
          place: sessions.place,
          project: sessions.project,
          title: sessions.title,
        })
        .from(sessions)
        .where(and(eq(sessions.machine, machine), gt(sessions.id, after)))
        .orderBy(asc(sessions.id))
        .limit(ROWS),
    )
    for (const { id, source, place, project, title } of rows) {
      const may = places.get(`${source} ${place}`)
      if (may === undefined || (await isHere(roots, id, left))) continue
      if (!may) {
        const message = "There is no session at all where this one was; nothing is removed without --force"
        left.push({ path: `${place}#session/${project}/${id}`, code: "CONFLICT", message })
        continue
      }
      const masked = {}
      const found = { sessionID: id, projectID: project, source, place, title: title ?? "" }
      yield { ...found, action: "removed", records: 0, masked }
    }
    const last = rows.at(-1)
    if (rows.length < ROWS || !last) return
    after = last.id
  }
}

/** An empty folder may be one that a disk is to be mounted on. */
async function mayRemove({ records, upkeep }: Root, force: boolean): Promise<boolean> {
  if (force) return true
  if (upkeep.missing()) return false
  for (const folder of await records.folders("session"))
    if ((await records.ids("session", folder)).length > 0) return true
  return false
}

/** Whether a session is here, readable or not, or may be where nobody can look. */
async function isHere(roots: Roots, id: string, left: Problem[]): Promise<boolean> {
  for (const { records } of roots.all) {
    let unseen: Problem | undefined
    const folders = await records.foldersOf("session", id, (problem) => {
      unseen = problem
    })
    if (folders.length > 0) return true
    if (unseen) {
      left.push({ path: unseen.path, code: unseen.code, message: unseen.message })
      return true
    }
  }
  return false
}
