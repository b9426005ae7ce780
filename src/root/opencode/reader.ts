// Over 400 lines, because all questions to a database share one snapshot and one way to unite both versions of its tables.
import { StoreError } from "../../errors.ts"
import type { JsonObject } from "../../record/extract.ts"
import { jsonLine } from "../../record/json-text.ts"
import type { Key } from "../../record/key.ts"
import { type Position, sortTexts } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import {
  headsOf,
  messageOwners,
  messageStamps,
  type StampedMessage,
  type StampedSession,
  sessionHeads,
} from "./changes.ts"
import { type Moment, OpencodeDatabase } from "./database.ts"
import { folderNames, type Kind, sessionIds } from "./folders.ts"
import { countMessages, type Direction, listMessages } from "./message-list.ts"
import { type MessageName, messageRun, type WholeMessage } from "./message-run.ts"
import {
  messageBodies,
  messageOfPart,
  partBodies,
  partIds,
  partSizes,
  sessionOfMessage,
} from "./record-rows.ts"
import { recordText } from "./record-text.ts"
import { countSessions, listSessions, type SessionEntry } from "./session-list.ts"
import { allPlaces, sessionBodies, sessionPlaces } from "./session-rows.ts"
import { projects, sessionsWithTodos, todos } from "./side-rows.ts"
import { ownerNames, type RecordSize, recordSizes } from "./sizes.ts"
import { stampOf } from "./stamps.ts"
import { withSeveralSteps } from "./steps.ts"
import type { Problem, TellProblem } from "./trouble.ts"
import type { View } from "./view.ts"
import { type WalkProblemsOptions, walkProblems } from "./walk-problems.ts"

const RUN_LENGTH = 256
/** A shorter run, for sessions whose messages and parts have to be counted. */
const HEADS_RUN_LENGTH = 64
/** How many session bodies are read at once and, below, how much text of them is held, in UTF-16 units. */
const BODIES_RUN_LENGTH = 32
const MAX_HELD = 4 * 1024 * 1024
const NEWEST_FIRST = { archived: "include", order: "updated", direction: "desc" } as const
/** How many ids are held at once when all of a kind are read. */
const ID_RUN_LENGTH = 1_000

export interface ReaderOptions {
  /** The largest record that is read, in bytes; by default 16 MiB. Lists skip larger ones, and `get` refuses them. */
  readonly maxRecordBytes?: number
  /** Called for each record that cannot be read, every time it is met. */
  readonly onProblem?: TellProblem
}

/** Which part of a listing is asked for, as in catalogs. */
export interface Range {
  /** Begin after this position, in the direction of the listing (exclusive). */
  readonly after?: Position | undefined
  readonly limit?: number | undefined
  /** Whether bodies of sessions are wanted too, from the same snapshot; with `"some"` only the first, as many as take little memory. */
  readonly bodies?: boolean | "some" | undefined
  readonly signal?: AbortSignal | undefined
}

/** A session's position in a listing, with its body's text if it was asked for and can be read. */
export type ListedSession = SessionEntry & { readonly body?: string | undefined }

/** The copy of a session in a database, so that the newest copy of several roots can be chosen. */
export interface SessionCopy {
  readonly project: string
  readonly updated: number
}

/**
 * Reads an opencode database in place. Every call is answered from one snapshot, longer ones in runs of one snapshot each. Nothing is held
 * in between.
 *
 * All methods throw StoreError `NOT_FOUND` if there is no database, `NOT_A_FILE` if something else lies there, `CORRUPT` if it is damaged,
 * encrypted, empty or another program's, `UNREADABLE` if the system refuses it or it was locked for a second, and `CLOSED`. Problems of
 * single records are reported through `onProblem`.
 */
export class OpencodeReader {
  readonly database: OpencodeDatabase
  readonly #maxBytes: number
  readonly #tell: TellProblem

  constructor(path: string, { maxRecordBytes = 16 * 1024 * 1024, onProblem = () => {} }: ReaderOptions = {}) {
    this.database = new OpencodeDatabase(path)
    this.#maxBytes = maxRecordBytes
    this.#tell = onProblem
  }

  /** Sessions in the query's order, each id once, all from one moment. */
  sessions(query: SessionQuery, range: Range = {}): Promise<ListedSession[]> {
    return this.#ask((view, tell) => this.#list(view, query, range, tell), range.signal)
  }

  /** As `sessions`, together with the copies of all sessions in the same snapshot. */
  sessionsAndCopies(
    query: SessionQuery,
    range: Range,
  ): Promise<{ readonly entries: ListedSession[]; readonly copies: Map<string, SessionCopy> }> {
    return this.#ask(
      (view, tell) => ({
        entries: this.#list(view, query, range, tell),
        copies: new Map(allPlaces(view).map(({ id, project, updated }) => [id, { project, updated }])),
      }),
      range.signal,
    )
  }

  /** How many sessions match. */
  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return this.#ask((view) => countSessions(view, query), signal)
  }

  /**
   * Yields messages of a session in runs of at most 256: those of 1.x by time, then id; those of opencode 2 in the order they were said.
   * Neither order ever changes for an existing message, so the runs need no common snapshot.
   */
  async *messages(
    sessionID: string,
    direction: Direction,
    range: Range = {},
  ): AsyncGenerator<readonly Position[]> {
    let left = range.limit ?? Number.POSITIVE_INFINITY
    for (let { after } = range; left > 0; ) {
      const limit = Math.min(RUN_LENGTH, left)
      const from = after
      const run = await this.#ask(
        (view) => listMessages(view, sessionID, direction, from, limit),
        range.signal,
      )
      if (run.length > 0) yield run
      after = run.at(-1)
      left -= run.length
      if (!after || run.length < limit) return
    }
  }

  /** How many messages a session has, readable or not. */
  countMessages(sessionID: string): Promise<number> {
    return this.#ask((view) => countMessages(view, sessionID))
  }

  /** The folder of a message (its session) or of a part (its message). */
  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    return this.#ask((view) => folderOf(view, kind, id))
  }

  /** The copies of those of these sessions that lie here. */
  copies(ids: readonly string[], signal?: AbortSignal): Promise<Map<string, SessionCopy>> {
    return this.#ask(
      (view) =>
        new Map(
          [...sessionPlaces(view, ids).values()].map(({ id, project, updated }) => [
            id,
            { project, updated },
          ]),
        ),
      signal,
    )
  }

  /** Those of these messages in whose parts more than one step may end. */
  withSeveralSteps(messageIDs: readonly string[]): Promise<Set<string>> {
    return this.#ask((view) => withSeveralSteps(view, messageIDs))
  }

  /** Yields all folders of a kind in the order of their names, in runs. */
  async *folders(kind: Kind, signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    yield* this.#runs(
      (view, after, limit) => folderNames(view, kind, after, limit),
      (name) => name,
      signal,
    )
  }

  /** The ids in a folder, readable or not, in the order of `compareText`; a session's messages in their own order. */
  async ids(kind: Kind, folder: string): Promise<string[]> {
    if (kind === "session") return this.#ask((view) => sessionIds(view, folder))
    if (kind === "part") return this.#ask((view) => partIds(view, folder))
    const ids: string[] = []
    for await (const run of this.messages(folder, "asc")) for (const { id } of run) ids.push(id)
    return ids
  }

  /**
   * The bodies of records of one folder, in the given order, all from one snapshot; `undefined` for what does not exist or cannot be read.
   * @param tell also told of what cannot be read
   */
  bodies(
    kind: Kind,
    folder: string,
    ids: readonly string[],
    tell?: TellProblem,
  ): Promise<(JsonObject | undefined)[]> {
    return this.#ask((view, tell) => this.#bodies(view, kind, folder, ids, tell), undefined, tell)
  }

  /** The parts of messages, by message and in order, all from one snapshot. What cannot be read is left out. */
  partsOf(messageIDs: readonly string[]): Promise<Map<string, JsonObject[]>> {
    return this.#ask((view, tell) => partBodies(view, messageIDs, { maxBytes: this.#maxBytes, tell }))
  }

  /** The first of these messages with their parts, all from one snapshot: as many as take no more than `bytes`, which may be none. */
  messageRun(names: readonly MessageName[], bytes: number): Promise<WholeMessage[]> {
    return this.#ask((view, tell) => messageRun(view, names, bytes, { maxBytes: this.#maxBytes, tell }))
  }

  /** One body; `undefined` if there is none. @throws StoreError `CORRUPT`, `TOO_LARGE` if it cannot be read */
  async get(kind: Kind, folder: string, id: string): Promise<JsonObject | undefined> {
    const problems: Problem[] = []
    const [body] = await this.database.ask((view) =>
      this.#bodies(view, kind, folder, [id], (problem) => problems.push(problem)),
    )
    if (body) return body
    const problem = problems.find(({ path }) => path.endsWith(`/${id}`))
    if (problem)
      throw new StoreError(problem.code, `${problem.message}: ${problem.path}`, { path: problem.path })
    return undefined
  }

  /** The folders of a kind that hold a record with that id: one or none. */
  async places(kind: Kind, id: string): Promise<string[]> {
    const folder = await this.#ask((view) => folderOf(view, kind, id))
    return folder === undefined ? [] : [folder]
  }

  /** Whether a record lies there, readable or not. */
  async holds(kind: Kind, folder: string, id: string): Promise<boolean> {
    return (await this.places(kind, id)).includes(folder)
  }

  /** All projects, in the order of their ids. */
  projects(): Promise<JsonObject[]> {
    return this.#ask((view, tell) => projects(view, tell))
  }

  /** One project. */
  async project(id: string): Promise<JsonObject | undefined> {
    return (await this.projects()).find((body) => body.id === id)
  }

  /** The ids of projects, or of sessions with todos, in the order of `compareText`; other kinds have none. */
  async plainIds(kind: string): Promise<string[]> {
    if (kind === "project") return sortTexts((await this.projects()).map(({ id }) => String(id)))
    return kind === "todo" ? this.#ask((view) => sessionsWithTodos(view)) : []
  }

  /** Yields the sizes of every message and part, session by session. The entry of a message has no `part`. */
  async *sizes(signal?: AbortSignal): AsyncGenerator<RecordSize> {
    for await (const sessions of this.#runs(ownerNames, (name) => name, signal))
      for (const session of sessions) yield* await this.#ask((view) => recordSizes(view, session), signal)
  }

  /** A session's todos, in order. */
  todos(sessionID: string): Promise<JsonObject[]> {
    return this.#ask((view) => todos(view, sessionID))
  }

  /** The value under a key: a record, a project, or a session's todos; `undefined` if there is none. @throws as `get` */
  async value(key: Key): Promise<unknown> {
    const [kind, folder, id] = key
    if (folder === undefined) return undefined
    if (id !== undefined) return isKind(kind) && key.length === 3 ? this.get(kind, folder, id) : undefined
    if (kind === "project") return this.project(folder)
    if (kind !== "todo") return undefined
    const list = await this.todos(folder)
    return list.length > 0 ? list : undefined
  }

  /** A record's JSON text, in pieces; a large record of 1.x is never held as a whole. `undefined` if there is none. @throws as `get` */
  async text(
    kind: Kind,
    folder: string,
    id: string,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<string> | undefined> {
    if (kind !== "session") {
      const pieces = await recordText(this.database, kind, folder, id, signal)
      if (pieces) return pieces
    }
    const body = await this.get(kind, folder, id)
    return body && whole(jsonLine(body))
  }

  /** A text that changes whenever one of these sessions or anything in them does. */
  async version(ids: readonly string[]): Promise<string> {
    const stamps = await this.stampsOf(ids)
    return ids.map((id) => stamps.get(id)?.stamp ?? "-").join(" ")
  }

  /** The projects of all sessions, by session id. */
  async projectsOfSessions(): Promise<Map<string, string>> {
    const places = await this.#ask(allPlaces)
    return new Map(places.map(({ id, project }) => [id, project]))
  }

  /** The projects of the sessions that were updated last, by session id, the newest first. */
  async projectsOfNewest(limit: number): Promise<Map<string, string>> {
    const entries = await this.#ask((view) => listSessions(view, NEWEST_FIRST, undefined, limit))
    return new Map(entries.map(({ id, project }) => [id, project]))
  }

  /** The stamps of those of these sessions that exist or have messages. */
  async stampsOf(ids: readonly string[], signal?: AbortSignal): Promise<Map<string, StampedSession>> {
    const stamps = new Map<string, StampedSession>()
    for (const head of await this.#ask((view) => headsOf(view, ids)))
      stamps.set(head.id, await stampOf(this.database, head, signal))
    return stamps
  }

  /**
   * Yields the stamps of all sessions in the order of ids, then those of missing sessions that have messages, in runs. A caller that
   * remembers them knows which sessions have changed without reading any. Take a stamp first, and read what it vouches for after that.
   */
  async *stamps(signal?: AbortSignal): AsyncGenerator<readonly StampedSession[]> {
    for await (const heads of this.#runs(sessionHeads, ({ id }) => id, signal, HEADS_RUN_LENGTH)) {
      const stamped: StampedSession[] = []
      for (const head of heads) stamped.push(await stampOf(this.database, head, signal))
      yield stamped
    }
    for await (const owners of this.#runs(messageOwners, ({ id }) => id, signal))
      for (const { orphan } of owners) if (orphan) yield [await stampOf(this.database, orphan, signal)]
  }

  /** Yields the stamps of a session's messages with their parts, in the order of ids, in runs. */
  async *messageStamps(sessionID: string, signal?: AbortSignal): AsyncGenerator<readonly StampedMessage[]> {
    yield* this.#runs(
      (view, after, limit) => messageStamps(view, sessionID, after, limit),
      ({ id }) => id,
      signal,
      RUN_LENGTH,
    )
  }

  /** The sizes of a message's parts in the database, in the order of their ids, so that a long message can be read in groups. */
  partSizes(messageID: string): Promise<{ readonly id: string; readonly bytes: number }[]> {
    return this.#ask((view) => partSizes(view, messageID))
  }

  /** The current state of the database, for `isStill`. */
  moment(): Moment {
    return this.database.moment()
  }

  /** Whether nothing at all has changed since; `false` if that cannot be told. */
  isStill(moment: Moment): boolean {
    return this.database.isStill(moment)
  }

  /** The largest record that is read, in bytes. */
  get maxRecordBytes(): number {
    return this.#maxBytes
  }

  /** Reads everything and yields what cannot be read; the database itself, if nothing can. @throws as `walkProblems` */
  async *problems(options: WalkProblemsOptions = {}): AsyncGenerator<Problem> {
    yield* walkProblems(this.database, this.#maxBytes, options)
  }

  /** Closes the database. Later calls fail with `CLOSED`. */
  close(): void {
    this.database.close()
  }

  #list(
    view: View,
    query: SessionQuery,
    { after, limit, bodies }: Range,
    tell: TellProblem,
  ): ListedSession[] {
    const entries = listSessions(view, query, after, limit ?? Number.POSITIVE_INFINITY)
    if (!bodies) return entries
    const listed: ListedSession[] = []
    let held = 0
    for (let start = 0; start < entries.length; start += BODIES_RUN_LENGTH) {
      const run = entries.slice(start, start + BODIES_RUN_LENGTH)
      const wanted = bodies === true || held < MAX_HELD ? run.map(({ id }) => id) : []
      const found = sessionBodies(view, wanted, this.#maxBytes, tell)
      for (const entry of run) {
        const body = found.get(entry.id)
        const text = body && jsonLine(body)
        held += text?.length ?? 0
        listed.push(text === undefined ? entry : { ...entry, body: text })
      }
    }
    return listed
  }

  #bodies(
    view: View,
    kind: Kind,
    folder: string,
    ids: readonly string[],
    tell: TellProblem,
  ): (JsonObject | undefined)[] {
    const reading = { maxBytes: this.#maxBytes, tell }
    if (kind === "part") {
      const parts = new Map(
        partBodies(view, [folder], reading, ids)
          .get(folder)
          ?.map((body) => [body.id, body]),
      )
      return ids.map((id) => parts.get(id))
    }
    if (kind === "message") {
      const messages = messageBodies(view, folder, ids, reading)
      return ids.map((id) => messages.get(id))
    }
    const places = sessionPlaces(view, ids)
    const there = ids.filter((id) => places.get(id)?.project === folder)
    const sessions = sessionBodies(view, there, this.#maxBytes, tell)
    return ids.map((id) => sessions.get(id))
  }

  /** Runs work on one snapshot. Its problems are reported once the snapshot has proved sound. */
  async #ask<T>(
    work: (view: View, tell: TellProblem) => T,
    signal?: AbortSignal,
    also?: TellProblem,
  ): Promise<T> {
    let problems: Problem[] = []
    const answer = await this.database.ask((view) => {
      problems = [...view.problems]
      return work(view, (problem) => problems.push(problem))
    }, signal)
    for (const problem of problems) {
      this.#tell(problem)
      also?.(problem)
    }
    return answer
  }

  async *#runs<T>(
    page: (view: View, after: string, limit: number) => T[],
    keyOf: (item: T) => string,
    signal: AbortSignal | undefined,
    limit = ID_RUN_LENGTH,
  ): AsyncGenerator<readonly T[]> {
    for (let after = ""; ; ) {
      const from = after
      const run = await this.#ask((view) => page(view, from, limit), signal)
      if (run.length > 0) yield run
      const last = run.at(-1)
      if (last === undefined || run.length < limit) return
      after = keyOf(last)
    }
  }
}

function folderOf(view: View, kind: Kind, id: string): string | undefined {
  if (kind === "part") return messageOfPart(view, id)
  return kind === "message" ? sessionOfMessage(view, id) : sessionPlaces(view, [id]).get(id)?.project
}

function isKind(kind: string | undefined): kind is Kind {
  return kind === "session" || kind === "message" || kind === "part"
}

async function* whole(text: string): AsyncGenerator<string> {
  yield text
}
