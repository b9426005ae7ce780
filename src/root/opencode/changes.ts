import { and, type SQL, sql } from "drizzle-orm"
import { compareText } from "../../record/order.ts"
import { folderNames } from "./folders.ts"
import { countMessages, isLater, noMark, ofSession } from "./message-list.ts"
import { isId } from "./row-id.ts"
import { isNewest, presentTables, type SessionTable } from "./session-list.ts"
import { amongIds, sessionPlaces } from "./session-rows.ts"
import { message, part, sessionMessage, TABLES } from "./tables.ts"
import type { Question, Row, View } from "./view.ts"

const { placeholder } = sql

/** Times are summed modulo 49 days, so that the sum of millions of them is exact. */
const DISTINCT_MS = sql.raw("4294967296")

/** A record's id, and a text that changes whenever the record or anything in it does. */
export interface Stamped {
  readonly id: string
  readonly stamp: string
}

/** A session with its stamp. */
export interface StampedSession extends Stamped {
  /** The newest of the times that its stamp is made from, ms since 1970. */
  readonly newest: number
}

/** A message with its stamp. */
export interface StampedMessage extends Stamped {
  /** Its time in the order of its session, ms since 1970. */
  readonly created: number
  /** When it or one of its parts was updated last, ms since 1970. */
  readonly newest: number
}

/** The first half of a session's stamp, from its own row, and the tables that the rest has to be read from. */
export interface Head extends StampedSession {
  readonly tables: readonly RowTable[]
}

export type RowTable = "message" | "part" | "sessionMessage"

/**
 * Sessions with the heads of their stamps, in the order of ids, after an id. If the release counts a session's changes (`event_sequence`),
 * the head is the whole stamp; otherwise the times of its messages and parts belong to it too.
 *
 * The count alone is not enough: an import over a session changes only the session's time, and releases that do not count may have written
 * in between. So the time and the numbers of messages and parts are in the stamp as well.
 */
export function sessionHeads(view: View, after: string, limit: number): Head[] {
  const heads = presentTables(view).flatMap((table) => {
    const condition = sql`${view.column(table, "id")} > ${placeholder("after")}`
    const rows = headsQuestion(view, table, "after", condition).all({ after, limit })
    return rows.map((row) => headOf(view, table, row))
  })
  return heads.sort((a, b) => compareText(a.id, b.id)).slice(0, limit)
}

/** The heads of those of these sessions that exist or have messages. */
export function headsOf(view: View, ids: readonly string[]): Head[] {
  const heads = presentTables(view).flatMap((table) => {
    const question = headsQuestion(view, table, "of", amongIds(view.column(table, "id")))
    return question.all({ ids: JSON.stringify(ids), limit: -1 }).map((row) => headOf(view, table, row))
  })
  const found = new Set(heads.map(({ id }) => id))
  const orphans = ids.filter((id) => !found.has(id) && countMessages(view, id) > 0)
  return [...heads, ...orphans.map(orphanHead)]
}

/** The owners of messages after an id, in the order of ids; those that are no sessions come with their head. */
export function messageOwners(
  view: View,
  after: string,
  limit: number,
): { readonly id: string; readonly orphan: Head | undefined }[] {
  const ids = folderNames(view, "message", after, limit)
  const places = sessionPlaces(view, ids)
  return ids.map((id) => ({ id, orphan: places.has(id) ? undefined : orphanHead(id) }))
}

/** The head for messages without a session: only their own times tell about changes. */
function orphanHead(id: string): Head {
  return { id, stamp: "0", newest: 0, tables: ["message", "part"] }
}

function headsQuestion(view: View, table: SessionTable, which: string, condition: SQL): Question<Row> {
  const id = view.column(table, "id")
  return view.question(`heads ${table} ${which}`, (db) =>
    db
      .select({
        id,
        updated: view.column(table, "time_updated"),
        seq: view.has("eventSequence")
          ? sql`(select seq from event_sequence where aggregate_id = ${id})`
          : sql`null`,
      })
      .from(TABLES[table])
      .where(and(condition, isId(id), isNewest(view, table)))
      .orderBy(id)
      .limit(placeholder("limit"))
      .prepare(),
  )
}

function headOf(view: View, table: SessionTable, row: Row): Head {
  const id = String(row.id)
  // Which table the session is read from is part of the stamp.
  const head = `${table === "session" ? 1 : 2} ${text(row.updated)} ${text(row.seq)}`
  const newest = numberOf(row.updated)
  if (table === "sessionV2") return { id, stamp: head, newest, tables: ["sessionMessage"] }
  if (row.seq === null) return { id, stamp: head, newest, tables: ["message", "part"] }
  const counts = `${countOf(view, "message", id)} ${countOf(view, "part", id)}`
  return { id, stamp: `${head} ${counts}`, newest, tables: [] }
}

/** How many rows a session has; an index tells it quickly. */
function countOf(view: View, table: "message" | "part", sessionID: string): string {
  if (!view.has(table)) return "-"
  const question = view.question(`count of ${table}`, (db) =>
    db
      .select({ count: sql<unknown>`count(*)` })
      .from(TABLES[table])
      .where(sql`${view.column(table, "session_id")} = ${placeholder("session")}`)
      .prepare(),
  )
  return text(question.all({ session: sessionID })[0]?.count)
}

/** The times of a range of a session's rows. */
export interface Times {
  readonly count: number
  readonly newest: number
  readonly sum: number
  /** The key of the last row. */
  readonly last: number
}

/** The key by which a session's rows are read in ranges; messages of 1.x are few and small enough for a single one. */
const STRETCHED_BY = { part: "rowid", sessionMessage: "seq" } as const

/** The times of up to `limit` of a session's rows, after a key. */
export function timesOf(view: View, table: RowTable, session: string, after: number, limit: number): Times {
  if (!view.has(table)) return { count: 0, newest: 0, sum: 0, last: after }
  const key = table === "message" ? sql`0` : sql`${sql.raw(STRETCHED_BY[table])}`
  const stretch =
    table === "message"
      ? sql``
      : sql` and ${key} > ${placeholder("after")} order by ${key} limit ${placeholder("limit")}`
  const rows = sql`(select ${key} as k, ${view.column(table, "time_updated")} as t from ${TABLES[table]}
    where ${view.column(table, "session_id")} = ${placeholder("session")}${stretch})`
  const question = view.question(`times of ${table}`, (db) =>
    db
      .select({
        count: sql<unknown>`count(*)`,
        newest: sql<unknown>`max(t)`,
        sum: sql<unknown>`total(t % ${DISTINCT_MS})`,
        last: sql<unknown>`max(k)`,
      })
      .from(rows)
      .prepare(),
  )
  const row = question.all({ session, ...(table !== "message" && { after, limit }) })[0]
  return {
    count: Number(row?.count),
    newest: Number(row?.newest),
    sum: Number(row?.sum),
    last: Number(row?.last),
  }
}

/** The stamps of a session's messages with their parts, in the order of ids, after an id. They tell which messages to read again. */
export function messageStamps(view: View, sessionID: string, after: string, limit: number): StampedMessage[] {
  const later = isLater(view, sessionID)
  const table = later ? "sessionMessage" : "message"
  if (!view.has(table)) return []
  const id = view.column(table, "id")
  const question = view.question(`message stamps ${table}`, (db) =>
    db
      .select({
        id,
        updated: view.column(table, "time_updated"),
        created: view.column(table, "time_created"),
      })
      .from(later ? sessionMessage : message)
      .where(
        and(ofSession(view, table), later ? noMark(view) : undefined, sql`${id} > ${placeholder("after")}`),
      )
      .orderBy(id)
      .limit(placeholder("limit"))
      .prepare(),
  )
  return question.all({ session: sessionID, after, limit }).map((row) => {
    const messageID = String(row.id)
    const parts = later ? undefined : partTimes(view, messageID)
    return {
      id: messageID,
      stamp: `${text(row.updated)}${parts ? ` ${parts.stamp}` : later ? "" : " "}`,
      created: numberOf(row.created),
      newest: Math.max(numberOf(row.updated), parts?.newest ?? 0),
    }
  })
}

function partTimes(
  view: View,
  messageID: string,
): { readonly stamp: string; readonly newest: number } | undefined {
  if (!view.has("part")) return undefined
  const updated = view.column("part", "time_updated")
  const question = view.question("part times", (db) =>
    db
      .select({
        count: sql<unknown>`count(*)`,
        newest: sql<unknown>`max(${updated})`,
        all: sql<unknown>`total(${updated} % ${DISTINCT_MS})`,
      })
      .from(part)
      .where(sql`${view.column("part", "message_id")} = ${placeholder("message")}`)
      .prepare(),
  )
  const row = question.all({ message: messageID })[0]
  return {
    stamp: `${text(row?.count)} ${text(row?.newest)} ${text(row?.all)}`,
    newest: numberOf(row?.newest),
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0
}

function text(value: unknown): string {
  return value === null || value === undefined ? "-" : String(value)
}
