// Over 400 lines: all that names the full-text table, which Drizzle knows nothing of, is to stand in one file.
import { and, desc, eq, gte, isNull, lte, type SQL, sql } from "drizzle-orm"
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core"
import type { Position } from "../record/order.ts"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { ManyRows, parametersOf } from "./many-rows.ts"
import { directories, documents, messagePlaces, messages } from "./schema.ts"
import { soundNumber, soundText } from "./sound.ts"

const { placeholder } = sql

/**
 * Ids of documents begin at so many in each second; a message with more, or a busy second, runs into the next. The closer ids
 * lie, the fewer bytes FTS5 takes for the way from one to the next.
 */
export const IDS_A_SECOND = 8
/** SQLite's "no limit". */
const ALL = -1
/** Documents looked at in one go for an id that is free: at first, then ever more. */
const TAKEN_AT_FIRST = 4
const TAKEN_AT_MOST = 1_024
/** A longer stretch of ids without a free one is remembered. */
const CROWDED = 64
/** What is later counts as of that second. */
export const LAST_SECOND = 2 ** 40
/** From how many percent of texts that are gone on a segment is merged. */
const GONE_PERCENT = 10

/** A message that may match, newest first by its second of creation. */
export interface Candidate extends Position {
  readonly session: string
  readonly role: string | null
  /** The document that matched; `undefined` for one whose texts are not in the full-text index yet. */
  readonly document?: number | undefined
}

/** A message whose texts are to be put into the full-text index. */
export interface PendingMessage extends Candidate {
  readonly row: number
  readonly pending: number
}

/** Which messages a search is about. */
export interface CandidateFilter {
  readonly session?: string | undefined
  readonly role?: string | undefined
  /** Times of creation, ms since 1970, both inclusive. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** What the full-text index is given of a message: tokens as `TrigramSet` spells them, parted by spaces; as bytes they are UTF-8. */
export type Tokens = string | Uint8Array

/** A message whose rows somebody just put, with what its texts have for tokens, and how many parts it has. */
export interface ReadMessage extends Position {
  readonly session: string
  /** What its row has as `pending` for as long as it is of the same reading. */
  readonly mark: number
  readonly tokens: Tokens | undefined
  readonly parts: number
}

/** A message without texts of its own, with what its parts have for tokens. */
export interface BareMessage {
  readonly message: string
  /** What its row has as `pending` for as long as it is of the same reading, and it has none of its own: an even number. */
  readonly mark: number
  readonly tokens: Tokens | undefined
}

interface CandidateQuery {
  all(parameters: Record<string, unknown>): Candidate[]
}

/** Which ids of documents in one stretch are taken, as a look at them told. */
class TakenIds {
  #from = 0
  #to = 0
  #ids: ReadonlySet<number> = new Set()

  /** Whether it is known of an id. */
  tellsOf(id: number): boolean {
    return id >= this.#from && id < this.#to
  }

  /** Notes what was found from an id on: all there are where they are fewer than were asked for, else those up to the last. */
  look(from: number, found: readonly number[], limit: number): void {
    this.#from = from
    this.#to = found.length < limit ? Number.POSITIVE_INFINITY : (found.at(-1) ?? from) + 1
    this.#ids = new Set(found)
  }

  /** The first id from one on that is not among them: one that it tells of, else where what it tells of ends. */
  firstFree(from: number): number {
    let free = from
    while (this.#ids.has(free)) free++
    return free
  }
}

/** The second of a time of creation, as ids of documents go by it. */
export function secondOf(created: number): number {
  return Math.min(Math.max(0, Math.floor(created / 1000)), LAST_SECOND)
}

/**
 * The full-text table as Drizzle is to see it; its migration makes it, and drizzle-kit must not know of it. The column of the
 * table's own name takes FTS5's commands.
 */
const texts = sqliteTable("texts", {
  rowid: integer(),
  tokens: text(),
  command: text("texts"),
  rank: integer(),
})

/** The full-text index of messages: the only raw SQL besides pragmas, since Drizzle knows nothing of FTS5. */
export class TextStatements {
  readonly #db: Drizzle
  readonly #await
  readonly #marks
  readonly #marked
  readonly #bare
  readonly #settle
  readonly #countParts
  readonly #pending
  readonly #countPending
  readonly #has
  readonly #forget
  readonly #taken
  readonly #document
  readonly #insert
  readonly #command
  readonly #changes
  readonly #version
  readonly #count
  readonly #shapes = new Map<string, CandidateQuery>()
  /** A stretch of ids of which none was free when it was last gone through, where that took more than one look. */
  #crowded = { from: 0, to: 0 }

  constructor(db: Drizzle) {
    this.#db = db
    const { row, id, created, role, pending, problem, directory } = messages
    this.#await = lazy(() =>
      db
        .update(messages)
        // What is even stays so: the message itself did not change.
        .set({ pending: sql`${placeholder("mark")} | iif(${pending} = 0, 1, ${pending} & 1)` })
        .where(amongst(id, "ids"))
        .prepare(),
    )
    this.#marks = lazy(() => db.select({ row, pending }).from(messages).where(amongst(row, "rows")).prepare())
    this.#marked = lazy(() =>
      db
        .select({ at: sql<number>`named.key`, row, directory })
        .from(sql`json_each(${placeholder("messages")}) as named`)
        .crossJoin(directories)
        .innerJoin(messages, and(eq(directory, directories.id), sql`${id} = named.value ->> 1`))
        .where(
          and(
            eq(directories.kind, "message"),
            sql`${directories.name} = named.value ->> 0`,
            sql`${pending} = named.value ->> 2`,
          ),
        )
        .prepare(),
    )
    this.#bare = lazy(() =>
      db
        .select({ at: sql<number>`named.key`, row, time: created })
        .from(sql`json_each(${placeholder("messages")}) as named`)
        .crossJoin(messages)
        .where(and(sql`${id} = named.value ->> 0`, sql`${pending} = named.value ->> 1`, isNull(problem)))
        .prepare(),
    )
    this.#settle = lazy(() => db.update(messages).set({ pending: 0 }).where(amongst(row, "rows")).prepare())
    this.#countParts = lazy(() =>
      db
        .update(messagePlaces)
        .set({ parts: sql`named.value ->> 2` })
        .from(sql`json_each(${placeholder("messages")}) as named`)
        .where(
          and(
            sql`${messagePlaces.directory} = named.value ->> 0`,
            sql`${messagePlaces.id} = named.value ->> 1`,
          ),
        )
        .prepare(),
    )
    this.#pending = lazy(() =>
      db
        .select({ row, id, time: created, role, pending, session: directories.name })
        .from(messages)
        .innerJoin(directories, eq(directories.id, directory))
        .where(
          and(
            sql`${pending} <> 0`,
            isNull(problem),
            sql`(${created}, ${id}) < (${placeholder("time")}, ${placeholder("before")})`,
          ),
        )
        .orderBy(desc(created), desc(id))
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#countPending = lazy(() =>
      db
        .select({ count: sql<number>`count(*)` })
        .from(messages)
        .where(and(sql`${pending} <> 0`, isNull(problem)))
        .prepare(),
    )
    this.#has = lazy(() =>
      db
        .select({ id: documents.id })
        .from(documents)
        .where(amongst(documents.message, "rows"))
        .limit(1)
        .prepare(),
    )
    this.#forget = lazy(() => db.delete(documents).where(amongst(documents.message, "rows")).prepare())
    this.#taken = lazy(() =>
      db
        .select({ id: documents.id })
        .from(documents)
        .where(gte(documents.id, placeholder("from")))
        .orderBy(documents.id)
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#document = new ManyRows(["id", "message"], (rows) =>
      db
        .insert(documents)
        .values(rows as unknown as (typeof documents.$inferInsert)[])
        .prepare(),
    )
    // One row a statement: one that puts several begins a savepoint, at which FTS5 writes out what it holds.
    this.#insert = lazy(() =>
      db
        .insert(texts)
        .values(parametersOf(["rowid", "tokens"]) as unknown as typeof texts.$inferInsert)
        .prepare(),
    )
    this.#command = lazy(() =>
      db
        .insert(texts)
        .values({ command: placeholder("command"), rank: placeholder("value") })
        .prepare(),
    )
    this.#changes = lazy(() =>
      db.select({ changes: sql<number>`total_changes()` }).from(sql`(select 1)`).prepare(),
    )
    this.#version = lazy(() =>
      db
        .select({ own: sql<number>`total_changes()`, others: sql<number>`data_version` })
        .from(sql`pragma_data_version`)
        .prepare(),
    )
    this.#count = lazy(() => db.select({ count: sql<number>`count(*)` }).from(documents).prepare())
  }

  /**
   * Notes that the parts of messages changed.
   * @param mark an even one, which those get of which it is known that they have no texts of their own
   */
  await(messageIDs: readonly string[], mark: number): void {
    this.#await().run({ ids: JSON.stringify(messageIDs), mark })
  }

  /** Messages whose texts are not in the index, newest first, before a position. */
  pending(before: Position | undefined, limit: number): PendingMessage[] {
    const { time, id } = before ?? { time: Number.MAX_VALUE, id: "" }
    return this.#pending().all({ time, before: id, limit })
  }

  /** How many messages' texts are not in the index. */
  countPending(): number {
    return this.#countPending().get()?.count ?? 0
  }

  /**
   * Puts the tokens of messages' texts (`TrigramSet`) in place of those they had, none for a message without texts; `pending`
   * tells of which version they are. A message that changed meanwhile is left as it is: it is still pending, or someone else
   * has put the texts of its newer version.
   */
  put(messages: readonly { readonly message: PendingMessage; readonly tokens: Tokens | undefined }[]): void {
    const rows = JSON.stringify(messages.map(({ message }) => message.row))
    const marks = new Map(
      this.#marks()
        .values({ rows })
        .map(([row, pending]) => [row, pending]),
    )
    this.#put(
      messages.flatMap(({ message: { row, time, pending }, tokens }) =>
        marks.get(row) === pending ? [{ row, time, tokens }] : [],
      ),
    )
  }

  /** The same for messages that were read together with their rows; notes how many parts they have, too. */
  putRead(messages: readonly ReadMessage[]): void {
    const named = JSON.stringify(messages.map(({ session, id, mark }) => [session, id, mark]))
    const current: { row: number; time: number; tokens: Tokens | undefined }[] = []
    const counted: (readonly [directory: number, id: string, parts: number])[] = []
    for (const [at, row, directory] of this.#marked().values({ messages: named })) {
      const message = messages[soundNumber("at", at)]
      if (!message) continue
      const { id, time, tokens, parts } = message
      current.push({ row: soundNumber("row", row), time, tokens })
      counted.push([soundNumber("directory", directory), id, parts])
    }
    this.#countParts().run({ messages: JSON.stringify(counted) })
    this.#put(current)
  }

  /** The same for messages without texts of their own whose parts were read together with their rows. */
  putParts(messages: readonly BareMessage[]): void {
    const named = JSON.stringify(messages.map(({ message, mark }) => [message, mark]))
    this.#put(
      this.#bare()
        .values({ messages: named })
        .map(([at, row, time]) => ({
          row: soundNumber("row", row),
          time: soundNumber("time", time),
          tokens: messages[soundNumber("at", at)]?.tokens,
        })),
    )
  }

  #put(
    messages: readonly { readonly row: number; readonly time: number; readonly tokens: Tokens | undefined }[],
  ): void {
    const rows = JSON.stringify(messages.map(({ row }) => row))
    this.#settle().run({ rows })
    // FTS5 writes a segment out before each deletion, and before an id that is not above the last: so what goes goes first, and
    // the rest comes by id.
    if (this.#has().get({ rows })) this.#forget().run({ rows })
    const given: { readonly id: number; readonly message: number }[] = []
    const documents: { readonly rowid: number; readonly tokens: Tokens }[] = []
    // By time they get ascending ids: who comes needs no look at those that were just given and are not put yet.
    const taken = new TakenIds()
    let last = -1
    for (const { row, time, tokens } of messages.toSorted((a, b) => a.time - b.time)) {
      if (tokens === undefined) continue
      last = this.#freeId(Math.max(secondOf(time) * IDS_A_SECOND, last + 1), taken)
      given.push({ id: last, message: row })
      documents.push({ rowid: last, tokens })
    }
    for (const [statement, parameters] of this.#document.of(given)) statement.run(parameters)
    for (const one of documents) this.#insert().run(one)
  }

  /**
   * Merges about so many pages of the segments that insertions left, where there are enough of them; tells whether there were.
   *
   * FTS5 would do so by itself (`automerge`, sqlite.org/fts5.html, 6.1), but for all levels in one go with every 64th page, which
   * holds that insertion up for 50 ms; so that is turned off, and this follows insertions in small transactions. Eight segments of
   * one level are merged at a time (`usermerge`): four would write everything once or twice more.
   */
  mergeInserted(pages: number): boolean {
    const before = this.#totalChanges()
    this.#set("merge", pages)
    // The statement itself counts as one change.
    return this.#totalChanges() - before > 1
  }

  /**
   * Begins to merge all segments into one, about so many pages; `mergeInserted` goes on with it. A term is then looked up once
   * instead of in a dozen segments (`merge` with a negative number, sqlite.org/fts5.html, 6.8).
   */
  beginMergingAll(pages: number): boolean {
    return this.mergeInserted(-pages)
  }

  /** How many messages have texts in the index. */
  count(): number {
    return this.#count().get()?.count ?? 0
  }

  /**
   * Merges about so many pages of segments of which a tenth or more is gone; tells whether there was something to merge.
   *
   * FTS5 would do so by itself in every 64th deletion, holding that one up for a fifth of a second and doing it over and over
   * while many go: so that is turned off (`deletemerge`, sqlite.org/fts5.html, 6.4), and turned on for this alone.
   */
  merge(pages: number): boolean {
    this.#set("deletemerge", GONE_PERCENT)
    const merged = this.mergeInserted(pages)
    this.#set("deletemerge", 0)
    return merged
  }

  #set(command: string, value: number): void {
    this.#command().run({ command, value })
  }

  #totalChanges(): number {
    return this.#changes().get()?.changes ?? 0
  }

  /**
   * An id from `from` on that no document has: the first, but for long stretches without any, as where thousands of messages have
   * no time. To go through those anew for each would take ever longer.
   * @param taken what earlier looks of the same transaction told
   */
  #freeId(from: number, taken = new TakenIds()): number {
    const free = this.#firstFree(from, taken)
    const { from: first, to } = this.#crowded
    if (first < to && from <= to && free >= first) this.#crowded = { from: Math.min(from, first), to: free }
    else if (free - from > CROWDED) this.#crowded = { from, to: free }
    return free
  }

  #firstFree(from: number, taken: TakenIds): number {
    let free = from
    for (let limit = TAKEN_AT_FIRST; ; limit = Math.min(limit * 4, TAKEN_AT_MOST)) {
      if (free >= this.#crowded.from && free < this.#crowded.to) free = this.#crowded.to
      if (!taken.tellsOf(free))
        taken.look(
          free,
          this.#taken()
            .values({ from: free, limit })
            .map(([id]) => soundNumber("id", id)),
          limit,
        )
      free = taken.firstFree(free)
      if (taken.tellsOf(free)) return free
    }
  }

  /** Messages whose indexed texts match an FTS5 expression, newest first, whose documents come before one. */
  candidates(
    expression: string | undefined,
    filter: CandidateFilter,
    before: number | undefined,
    limit: number,
  ): Candidate[] {
    const lower = filter.since === undefined ? -1 : secondOf(filter.since) * IDS_A_SECOND - 1
    return this.#between(expression, filter, lower, before, limit)
  }

  /**
   * Those of messages from before a second whose ids lie behind its first one, since all between were taken; some may have been
   * there for long.
   * @param reach what `reach` gave for that second before they were put: since then some of those between may have gone
   */
  strays(
    expression: string | undefined,
    filter: CandidateFilter,
    second: number,
    reach: number,
  ): Candidate[] {
    const first = second * IDS_A_SECOND
    const free = this.#freeId(reach)
    if (free === first) return []
    const until = Math.min(filter.until ?? Number.POSITIVE_INFINITY, second * 1000)
    return this.#between(expression, { ...filter, until }, first - 1, free, ALL).filter(
      ({ time }) => secondOf(time) < second,
    )
  }

  /** The first id of a second, or of later ones, that no document has: where the next one from before it could be put. */
  reach(second: number): number {
    return this.#freeId(second * IDS_A_SECOND)
  }

  /** Changes with every change that any process commits to the index. */
  version(): string {
    const { own, others } = this.#version().get() ?? {}
    return `${own} ${others}`
  }

  #between(
    expression: string | undefined,
    filter: CandidateFilter,
    lower: number,
    before: number | undefined,
    limit: number,
  ): Candidate[] {
    const { session, role, until } = filter
    const shape = [expression, session, role, until].map((value) => value !== undefined).join()
    const statement = this.#shape(shape, () => this.#candidateQuery(filter, expression !== undefined))
    const rows = statement.all({
      expression,
      before: before ?? Number.MAX_SAFE_INTEGER,
      lower,
      until,
      session,
      role,
      limit,
    })
    return rows.map(soundCandidate)
  }

  #candidateQuery(filter: CandidateFilter, matching: boolean) {
    const found = matching ? sql`texts.rowid` : sql`${documents.id}`
    const conditions: SQL[] = [
      sql`${found} < ${placeholder("before")}`,
      sql`${found} > ${placeholder("lower")}`,
      eq(messages.pending, 0),
    ]
    if (filter.session !== undefined) conditions.push(eq(directories.name, placeholder("session")))
    if (filter.role !== undefined) conditions.push(eq(messages.role, placeholder("role")))
    // Not by its id, which in a busy second is that of a later one.
    if (filter.until !== undefined) conditions.push(lte(messages.created, placeholder("until")))
    // The cross join keeps SQLite from walking the documents and asking for a match of each.
    const source = matching
      ? sql`texts cross join ${documents} on ${documents.id} = texts.rowid`
      : sql`${documents}`
    if (matching) conditions.push(sql`texts match ${placeholder("expression")}`)
    return this.#db
      .select({
        document: sql<number>`${found}`,
        id: messages.id,
        time: messages.created,
        role: messages.role,
        session: directories.name,
      })
      .from(source)
      .innerJoin(messages, eq(messages.row, documents.message))
      .innerJoin(directories, eq(directories.id, messages.directory))
      .where(and(...conditions))
      .orderBy(sql`${found} desc`)
      .limit(placeholder("limit"))
      .prepare()
  }

  #shape(shape: string, make: () => CandidateQuery): CandidateQuery {
    const known = this.#shapes.get(shape)
    if (known) return known
    const made = make()
    this.#shapes.set(shape, made)
    return made
  }
}

function soundCandidate(row: Candidate): Candidate {
  return {
    id: soundText("id", row.id),
    time: soundNumber("time", row.time),
    session: soundText("session", row.session),
    role: row.role === null ? null : soundText("role", row.role),
    document: soundNumber("document", row.document),
  }
}
