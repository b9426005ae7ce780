// Over 400 lines, because all SQL that names the full-text table, which Drizzle does not know, should be in one file.
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
 * How many ids of documents each second has. A busier second uses ids of the seconds after it. FTS5 stores the differences between ids,
 * so ids that lie close take fewer bytes.
 */
export const IDS_A_SECOND = 8
/** SQLite's "no limit". */
const ALL = -1
/** How many documents one search for a free id looks at: first this many, then ever more. */
const TAKEN_AT_FIRST = 4
const TAKEN_AT_MOST = 1_024
/** A longer run of taken ids is remembered. */
const CROWDED = 64
/** Later times count as this second. */
export const LAST_SECOND = 2 ** 40
/** A segment is merged if at least this many percent of its texts are deleted. */
const GONE_PERCENT = 10

/** A message that may match a search. */
export interface Candidate extends Position {
  readonly session: string
  readonly role: string | null
  /** The document that matched; `undefined` for a message whose texts are not in the full-text index yet. */
  readonly document?: number | undefined
}

/** A message whose texts have to be put into the full-text index. */
export interface PendingMessage extends Candidate {
  readonly row: number
  readonly pending: number
}

/** Which messages a search looks at. */
export interface CandidateFilter {
  readonly session?: string | undefined
  readonly role?: string | undefined
  /** Times of creation, ms since 1970, both inclusive. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** The tokens of a message for the full-text index, as `TrigramSet` spells them, separated by spaces; bytes are UTF-8. */
export type Tokens = string | Uint8Array

/** A message whose row was just put, with the tokens of its texts and the number of its parts. */
export interface ReadMessage extends Position {
  readonly session: string
  /** The row's `pending`, as long as the row is from the same reading. */
  readonly mark: number
  readonly tokens: Tokens | undefined
  readonly parts: number
}

/** A message without texts of its own, with the tokens of its parts. */
export interface BareMessage {
  readonly message: string
  /** The row's `pending`, as long as the row is from the same reading and has no texts of its own: an even number. */
  readonly mark: number
  readonly tokens: Tokens | undefined
}

interface CandidateQuery {
  all(parameters: Record<string, unknown>): Candidate[]
}

/** The ids of documents that are taken within one range, as of the last look. */
class TakenIds {
  #from = 0
  #to = 0
  #ids: ReadonlySet<number> = new Set()

  /** Whether an id is in the range, so that it is known whether it is taken. */
  tellsOf(id: number): boolean {
    return id >= this.#from && id < this.#to
  }

  /** Notes the taken ids from `from` on. If fewer than `limit` were found, these are all; otherwise they reach up to the last one. */
  look(from: number, found: readonly number[], limit: number): void {
    this.#from = from
    this.#to = found.length < limit ? Number.POSITIVE_INFINITY : (found.at(-1) ?? from) + 1
    this.#ids = new Set(found)
  }

  /** The first id at or after `from` that is not taken; the end of the range if all up to it are taken. */
  firstFree(from: number): number {
    let free = from
    while (this.#ids.has(free)) free++
    return free
  }
}

/** The second of a time of creation (ms) that document ids are based on. */
export function secondOf(created: number): number {
  return Math.min(Math.max(0, Math.floor(created / 1000)), LAST_SECOND)
}

/**
 * The full-text table as Drizzle sees it. A custom migration makes it, and drizzle-kit must not know it. The column with the table's own
 * name takes FTS5's commands.
 */
const texts = sqliteTable("texts", {
  rowid: integer(),
  tokens: text(),
  command: text("texts"),
  rank: integer(),
})

/** The full-text index of messages: the only raw SQL besides pragmas, since Drizzle does not know FTS5. */
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
  /** A long range of ids without a free one, as of the last search. */
  #crowded = { from: 0, to: 0 }

  constructor(db: Drizzle) {
    this.#db = db
    const { row, id, created, role, pending, problem, directory } = messages
    this.#await = lazy(() =>
      db
        .update(messages)
        // An even mark stays even, since the message itself did not change.
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
    // One row in each statement: with several rows SQLite begins a savepoint, at which FTS5 writes out what it has buffered.
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
   * Marks messages as pending because their parts changed.
   * @param mark an even mark; messages that may have texts of their own get it plus one
   */
  await(messageIDs: readonly string[], mark: number): void {
    this.#await().run({ ids: JSON.stringify(messageIDs), mark })
  }

  /** Readable messages whose texts are not in the index, before a position, newest first. */
  pending(before: Position | undefined, limit: number): PendingMessage[] {
    const { time, id } = before ?? { time: Number.MAX_VALUE, id: "" }
    return this.#pending().all({ time, before: id, limit })
  }

  /** How many readable messages have texts that are not in the index. */
  countPending(): number {
    return this.#countPending().get()?.count ?? 0
  }

  /**
   * Replaces the tokens of messages (`TrigramSet`); a message without texts has none. A message whose `pending` is another one by now has
   * changed meanwhile and is left alone: it is still pending, or another process has put the texts of its newer version.
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

  /** As `put`, for messages that were read together with their rows. Also notes how many parts they have. */
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

  /** As `put`, for messages without texts of their own whose parts were read together with the parts' rows. */
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
    // FTS5 writes out a segment before each deletion, and before an id that is not above the last. So deletions come first, and
    // insertions in ascending order of ids.
    if (this.#has().get({ rows })) this.#forget().run({ rows })
    const given: { readonly id: number; readonly message: number }[] = []
    const documents: { readonly rowid: number; readonly tokens: Tokens }[] = []
    // In order of time ids ascend, so that a new id never collides with one that was just given and is not inserted yet.
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
   * Merges about `pages` pages of the segments that insertions left, if there are enough of them. Returns whether there were.
   *
   * FTS5 would do so itself (`automerge`, sqlite.org/fts5.html, 6.1), but for all levels at once with every 64th page, which delays that
   * insertion by 50 ms. So that is turned off, and this is called after insertions, in small transactions. Eight segments of one level are
   * merged at a time (`usermerge`); with four everything would be written once or twice more.
   */
  mergeInserted(pages: number): boolean {
    const before = this.#totalChanges()
    this.#set("merge", pages)
    // The statement itself counts as one change.
    return this.#totalChanges() - before > 1
  }

  /**
   * Begins to merge all segments into one, with about `pages` pages; `mergeInserted` continues it. Then a term is looked up once instead
   * of in a dozen segments (`merge` with a negative number, sqlite.org/fts5.html, 6.8).
   */
  beginMergingAll(pages: number): boolean {
    return this.mergeInserted(-pages)
  }

  /** How many messages have texts in the index. */
  count(): number {
    return this.#count().get()?.count ?? 0
  }

  /**
   * Merges about `pages` pages of segments of which a tenth or more is deleted. Returns whether there was something to merge.
   *
   * FTS5 would do so itself in every 64th deletion, which delays that deletion by a fifth of a second, again and again if many texts are
   * deleted. So that is turned off (`deletemerge`, sqlite.org/fts5.html, 6.4) and turned on only here.
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
   * An id at or after `from` that no document has: the first one, except that long runs of taken ids are remembered and skipped. Thousands
   * of messages without a time make such a run, and going through it for each of them would take ever longer.
   * @param taken what earlier looks in the same transaction found
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

  /** Messages whose indexed texts match an FTS5 expression, with documents before `before`, newest first. */
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
   * Matches that were created before a second, but whose ids lie at or after the second's first id, because all ids in between were taken.
   * Some of them may be old news to the caller.
   * @param reach what `reach` returned for that second earlier, since some of the ids in between may be free by now
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

  /** The first free id at or after the beginning of a second: an older message could get an id up to this one. */
  reach(second: number): number {
    return this.#freeId(second * IDS_A_SECOND)
  }

  /** A text that changes with every change that any process commits to the index. */
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
    // By time and not by id, since in a busy second ids belong to later seconds.
    if (filter.until !== undefined) conditions.push(lte(messages.created, placeholder("until")))
    // The cross join keeps SQLite from walking all documents and matching each one.
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
