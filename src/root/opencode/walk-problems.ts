import { isStoreError } from "../../errors.ts"
import type { OpencodeDatabase } from "./database.ts"
import { folderNames, type Kind, sessionIds } from "./folders.ts"
import { isLater, listMessages } from "./message-list.ts"
import { oddRows } from "./odd-rows.ts"
import { messageBodies, partBodies, partIds } from "./record-rows.ts"
import { sessionBodies } from "./session-rows.ts"
import { projects } from "./side-rows.ts"
import type { Problem } from "./trouble.ts"
import type { View } from "./view.ts"

const RUN_LENGTH = 256

/**
 * Reads all of a database, one record at a time, and yields what cannot be read: records, and where a page is damaged, what lies on it.
 * A problem of the database itself is the only one that is yielded of it.
 * @param counts how many records there are, readable or not, is added to it
 * @throws the signal's reason; StoreError `CLOSED`
 */
export async function* walkProblems(
  database: OpencodeDatabase,
  maxBytes: number,
  signal?: AbortSignal,
  counts: Record<Kind, number> = { session: 0, message: 0, part: 0 },
): AsyncGenerator<Problem> {
  const found: Problem[] = []
  const reading = { maxBytes, tell: (problem: Problem) => found.push(problem) }
  /** What is read on one snapshot; where it cannot be, that is the problem, and nothing is known of it. */
  const ask = async <T>(path: string, work: (view: View) => T): Promise<T | undefined> => {
    const before = found.length
    try {
      return await database.ask((view) => {
        found.length = before
        return work(view)
      }, signal)
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      found.push({ path, code: error.code, message: error.message })
      return undefined
    }
  }
  const path = (place: string): string => `${database.path}#${place}`

  const odd = await ask(database.path, oddRows)
  yield* found.splice(0)
  if (!odd) return
  yield* odd
  await ask(path("project"), (view) => projects(view, reading.tell))
  for await (const project of names(ask, path("session"), "session")) {
    const ids = await ask(path(`session/${project}`), (view) => sessionIds(view, project))
    counts.session += ids?.length ?? 0
    for (const id of ids ?? [])
      await ask(path(`session/${id}`), (view) => sessionBodies(view, [id], maxBytes, reading.tell))
    yield* found.splice(0)
  }
  for await (const session of names(ask, path("message"), "message")) {
    const folder = path(`message/${session}`)
    for (let after: ReturnType<typeof listMessages>[number] | undefined; ; ) {
      const from = after
      const run = (await ask(folder, (view) => listMessages(view, session, "asc", from, RUN_LENGTH))) ?? []
      counts.message += run.length
      for (const { id } of run) {
        const parts = await ask(`${folder}/${id}`, (view) => {
          messageBodies(view, session, [id], reading)
          if (!isLater(view, session)) partBodies(view, [id], reading)
          return partIds(view, id).length
        })
        counts.part += parts ?? 0
        yield* found.splice(0)
      }
      after = run.at(-1)
      if (!after || run.length < RUN_LENGTH) break
    }
    yield* found.splice(0)
  }
  yield* found.splice(0)
}

async function* names(
  ask: <T>(path: string, work: (view: View) => T) => Promise<T | undefined>,
  path: string,
  kind: Kind,
): AsyncGenerator<string> {
  for (let after = ""; ; ) {
    const from = after
    const run = (await ask(path, (view) => folderNames(view, kind, from, RUN_LENGTH))) ?? []
    yield* run
    const last = run.at(-1)
    if (last === undefined || run.length < RUN_LENGTH) return
    after = last
  }
}
