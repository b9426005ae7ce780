import { messageFields, type SessionFields, sessionFields } from "../../record/extract.ts"
import { fold } from "../../record/fold.ts"
import { comparePosition, compareText, type Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import { matchesTexts } from "../../record/search-query.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import type { RecordSource } from "../record-source.ts"

const RUN_LENGTH = 256
/** How many bodies are read at a time. */
const BODIES_AT_ONCE = 32

/** A copy of a session, with the fields that a listing needs. */
export interface FoundSession {
  readonly id: string
  readonly project: string
  readonly fields: SessionFields
}

/**
 * A catalog without an index: it reads every record that may be in a listing, each time. Slow and always right; for roots of some
 * hundred sessions, and to check faster catalogs against. During a call it keeps the fields of each record, not the bodies.
 */
export class ScannedCatalog implements Catalog {
  readonly #records: RecordSource

  constructor(records: RecordSource) {
    this.#records = records
  }

  async sessions(query: SessionQuery, range: Range): Promise<readonly SessionEntry[]> {
    return listedSessions((await this.#newest(query.projectID, range.signal)).values(), query, range)
  }

  async countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return (await this.sessions(query, { signal })).length
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { signal }: Range,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    const copies = new Map<string, SessionCopy>()
    for (const id of ids) {
      const projects = projectID === undefined ? await this.#records.foldersOf("session", id) : [projectID]
      for (const project of projects) {
        signal?.throwIfAborted()
        const [body] = await this.#records.read("session", project, [id])
        if (!body) continue
        const { updated } = sessionFields(body)
        const known = copies.get(id)
        if (!known || updated >= known.updated) copies.set(id, { project, updated })
      }
    }
    return copies
  }

  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    const entries: Position[] = []
    for await (const { id, body } of this.#readable("message", sessionID, range.signal))
      entries.push({ id, time: messageFields(body).created })
    yield* listedMessages(entries, direction, range)
  }

  async countMessages(sessionID: string): Promise<number> {
    return (await this.#records.ids("message", sessionID)).length
  }

  async withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(messageIDs)
  }

  async guessFolder(): Promise<undefined> {
    return undefined
  }

  async #newest(projectID: string | undefined, signal?: AbortSignal): Promise<Map<string, FoundSession>> {
    const newest = new Map<string, FoundSession>()
    const projects = projectID === undefined ? await this.#records.folders("session") : [projectID]
    for (const project of projects)
      for await (const { id, body } of this.#readable("session", project, signal)) {
        const session = { id, project, fields: sessionFields(body) }
        const copy = newest.get(id)
        if (!copy || isNewer(session, copy)) newest.set(id, session)
      }
    return newest
  }

  async *#readable(kind: "session" | "message", folder: string, signal?: AbortSignal) {
    const slice = new TimeSlice(signal)
    const ids = await this.#records.ids(kind, folder)
    for (let start = 0; start < ids.length; start += BODIES_AT_ONCE) {
      const group = ids.slice(start, start + BODIES_AT_ONCE)
      const turn = slice.pass()
      if (turn) await turn
      const bodies = await this.#records.read(kind, folder, group)
      for (const [at, id] of group.entries()) {
        const body = bodies[at]
        if (body) yield { id, body }
      }
    }
  }
}

/** Those of the sessions that match a query, in its order, within the range. */
export function listedSessions(
  sessions: Iterable<FoundSession>,
  query: SessionQuery,
  { after, limit }: Pick<Range, "after" | "limit">,
): SessionEntry[] {
  const entries: SessionEntry[] = []
  for (const { id, project, fields } of sessions)
    if (matchesSession(fields, query)) entries.push({ id, project, time: fields[query.order] })
  return inOrder(entries, query.direction, after).slice(0, limit)
}

/** Yields messages in order, in runs of bounded length. */
export function* listedMessages(
  messages: readonly Position[],
  direction: "asc" | "desc",
  { after, limit }: Pick<Range, "after" | "limit">,
): Generator<readonly Position[]> {
  const entries = inOrder(messages, direction, after).slice(0, limit)
  for (let start = 0; start < entries.length; start += RUN_LENGTH)
    yield entries.slice(start, start + RUN_LENGTH)
}

function inOrder<T extends Position>(
  entries: readonly T[],
  direction: "asc" | "desc",
  after: Position | undefined,
): T[] {
  const sign = direction === "asc" ? 1 : -1
  return entries
    .filter((entry) => !after || sign * comparePosition(entry, after) > 0)
    .sort((a, b) => sign * comparePosition(a, b))
}

/** Whether of two copies of one session `a` is the one that counts (see `SessionCopy`). */
export function isNewer(a: FoundSession, b: FoundSession): boolean {
  return a.fields.updated === b.fields.updated
    ? compareText(a.project, b.project) > 0
    : a.fields.updated > b.fields.updated
}

/** Whether a session matches a query, apart from its project, sources and declared fields. */
export function matchesSession(fields: SessionFields, query: SessionQuery): boolean {
  return (
    (query.parentID === undefined || fields.parentID === query.parentID) &&
    (query.directory === undefined || fields.directory === query.directory) &&
    (query.archived === "include" || fields.archived === (query.archived === "only")) &&
    (query.updatedSince === undefined || fields.updated >= query.updatedSince) &&
    (query.search === undefined || matchesTexts(query.search, [fold(fields.title ?? "")]))
  )
}
