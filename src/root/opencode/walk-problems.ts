import { isStoreError } from "../../errors.ts"
import type { OpencodeDatabase } from "./database.ts"
import { folderNames, type Kind, sessionIds } from "./folders.ts"
import { isLater, listMessages } from "./message-list.ts"
import { messageRun } from "./message-run.ts"
import { oddRows } from "./odd-rows.ts"
import { messageBodies, partBodies, partIds } from "./record-rows.ts"
import { sessionBodies } from "./session-rows.ts"
import { projects } from "./side-rows.ts"
import type { Problem } from "./trouble.ts"
import type { View } from "./view.ts"

const RUN_LENGTH = 256
/** How many records one snapshot reads and, below, how many bytes of messages; that takes some ms of the event loop. */
const AT_ONCE = 32
const BYTES_AT_ONCE = 512 * 1024

/** How many records of a session there are. */
export interface SessionCounts {
  readonly message: number
  readonly part: number
}

/** Knows the sessions whose messages and parts need not be read, because all were read without a problem before. */
export interface ReadBefore {
  find(session: string): SessionCounts | undefined
  /** Called for each session that was read without a problem. */
  note(session: string, counts: SessionCounts): Promise<void>
}

export interface WalkProblemsOptions {
  readonly signal?: AbortSignal | undefined
  /** The numbers of records, readable or not, are added to these. */
  readonly counts?: Record<Kind, number> | undefined
  readonly before?: ReadBefore | undefined
}

/**
 * Reads a whole database and yields what cannot be read: records and, if a page is damaged, what lies on it. If the database itself cannot
 * be read, that is the only problem.
 * @throws the signal's reason; StoreError `CLOSED`; what `before` throws
 */
export async function* walkProblems(
  database: OpencodeDatabase,
  maxBytes: number,
  { signal, counts = { session: 0, message: 0, part: 0 }, before }: WalkProblemsOptions = {},
): AsyncGenerator<Problem> {
  const found: Problem[] = []
  const reading = { maxBytes, tell: (problem: Problem) => found.push(problem) }
  /** Reads on one snapshot; `undefined` if that fails, which is a problem if `path` is given. */
  const ask = async <T>(path: string | undefined, work: (view: View) => T): Promise<T | undefined> => {
    const before = found.length
    try {
      return await database.ask((view) => {
        found.length = before
        return work(view)
      }, signal)
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      found.length = before
      if (path !== undefined) found.push({ path, code: error.code, message: error.message })
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
    const ids = (await ask(path(`session/${project}`), (view) => sessionIds(view, project))) ?? []
    counts.session += ids.length
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE)
      // If something lies on a damaged page, they are read one by one.
      if (await ask(undefined, (view) => sessionBodies(view, some, maxBytes, reading.tell))) continue
      for (const id of some)
        await ask(path(`session/${id}`), (view) => sessionBodies(view, [id], maxBytes, reading.tell))
    }
    yield* found.splice(0)
  }
  for await (const session of names(ask, path("message"), "message")) {
    const known = before?.find(session)
    const own = known ? { ...known } : { message: 0, part: 0 }
    let problems = 0
    if (!known)
      for await (const _ of readSession(session, own)) {
        problems += found.length
        yield* found.splice(0)
      }
    counts.message += own.message
    counts.part += own.part
    if (!known && problems === 0) await before?.note(session, own)
  }
  yield* found.splice(0)

  /** Reads a session's messages with their parts, some at a time, and counts them. It yields whenever problems may have been found. */
  async function* readSession(session: string, own: { message: number; part: number }) {
    const folder = path(`message/${session}`)
    for (let after: ReturnType<typeof listMessages>[number] | undefined; ; ) {
      const from = after
      const run = (await ask(folder, (view) => listMessages(view, session, "asc", from, RUN_LENGTH))) ?? []
      own.message += run.length
      for (let at = 0; at < run.length; ) {
        const some = run.slice(at, at + AT_ONCE).map(({ id }) => ({ session, id }))
        const read = await ask(undefined, (view) => messageRun(view, some, BYTES_AT_ONCE, reading))
        for (const { partCount } of read ?? []) own.part += partCount
        at += read?.length ?? 0
        // A large message, or several of which one lies on a damaged page, are read one by one.
        const alone = !read ? some : read.length === 0 ? some.slice(0, 1) : []
        for (const { id } of alone)
          own.part += (await ask(`${folder}/${id}`, (view) => readAlone(view, id))) ?? 0
        at += alone.length
        yield
      }
      after = run.at(-1)
      if (!after || run.length < RUN_LENGTH) break
    }
    // For a problem of the listing itself.
    yield

    function readAlone(view: View, id: string): number {
      messageBodies(view, session, [id], reading)
      if (!isLater(view, session)) partBodies(view, [id], reading)
      return partIds(view, id).length
    }
  }
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
