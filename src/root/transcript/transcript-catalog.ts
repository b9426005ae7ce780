import type { Statements } from "../../database/statements.ts"
import type { Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import type { Settled } from "./settled.ts"

const RUN_LENGTH = 256
const PAGE_ROWS = 1_000
/** SQLite's "no limit". */
const ALL = -1
/** How often a listing's rows are read while others change them. */
const MAX_TRIES = 3

/** Lists what is in transcripts from rows that were made equal to their files. */
export class TranscriptCatalog implements Catalog {
  readonly #settled: Settled

  constructor(settled: Settled) {
    this.#settled = settled
  }

  async sessions(query: SessionQuery, range: Range): Promise<readonly SessionEntry[]> {
    const { limit, signal, moment } = range
    const early = await this.#settled.early.sessions(query, range)
    if (early) return early
    if (limit !== undefined && query.order === "updated" && query.direction === "desc")
      await this.#settled.newest(async (time) => {
        const entries = await this.#entries(query, range)
        const last = entries.at(-1)
        return entries.length === limit && last !== undefined && last.time > time
      }, range)
    else await this.#settled.all({ signal, moment })
    return this.#entries(query, range)
  }

  async countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    await this.#settled.all({ signal })
    return this.#settled.read(({ listings }) => listings.countSessions(query))
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { moment, signal }: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    const copies = new Map<string, SessionCopy>()
    if (this.#settled.holdsNone(ids, moment)) return copies
    await this.#settled.holding(ids, { signal, moment })
    for (let start = 0; start < ids.length; start += PAGE_ROWS) {
      const some = ids.slice(start, start + PAGE_ROWS)
      for (const { id, project, updated } of await this.#settled.read(({ listings }) =>
        listings.copies(some, projectID),
      ))
        copies.set(id, { project, updated })
    }
    return copies
  }

  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    let left = range.limit ?? Number.POSITIVE_INFINITY
    for (let after = range.after; left > 0; ) {
      range.signal?.throwIfAborted()
      const limit = Math.min(RUN_LENGTH, left)
      const from = after
      const find = ({ directories, listings }: Statements): Position[] => {
        const row = directories.find({ kind: "message", folder: sessionID })
        return row ? listings.messages(row.id, direction, from, limit) : []
      }
      const run = await this.#settled.of(sessionID, find, range.question)
      if (run.length > 0) yield run
      after = run.at(-1)
      left -= run.length
      if (!after || run.length < limit) return
    }
  }

  async countMessages(sessionID: string): Promise<number> {
    return this.#settled.of(sessionID, ({ directories, transcripts }) => {
      const row = directories.find({ kind: "message", folder: sessionID })
      return row ? transcripts.places.count(row.id) : 0
    })
  }

  /** Transcripts do not tell the steps within a message. */
  async withSeveralSteps(): Promise<ReadonlySet<string>> {
    return new Set()
  }

  async guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    if (kind === "part") return undefined
    return (await this.#settled.read(({ message }) => message.folders(id)))[0]
  }

  /** Rows of one moment. If others change them between two pages, all are read again, in the end in one go. */
  async #entries(query: SessionQuery, range: Range): Promise<SessionEntry[]> {
    for (let tries = 1; tries < MAX_TRIES; tries++) {
      const entries = await this.#entriesInPages(query, range)
      if (entries) return entries
    }
    return this.#settled.read(({ listings }) =>
      listings.sessions(query, range.after, range.limit ?? ALL, Boolean(range.bodies)),
    )
  }

  /** @returns `undefined` if anything changed between two pages */
  async #entriesInPages(query: SessionQuery, range: Range): Promise<SessionEntry[] | undefined> {
    const { limit = Number.POSITIVE_INFINITY, signal } = range
    const entries: SessionEntry[] = []
    let first: string | undefined
    for (let after = range.after; ; ) {
      const from = after
      const most = Math.min(PAGE_ROWS, limit - entries.length)
      const { version, said: page } = await this.#settled.index.atVersion(({ listings }) =>
        listings.sessions(query, from, most, Boolean(range.bodies)),
      )
      first ??= version
      if (version !== first) return undefined
      for (const entry of page) entries.push(entry)
      after = page.at(-1)
      if (!after || page.length < most || entries.length === limit) return entries
      signal?.throwIfAborted()
    }
  }
}
