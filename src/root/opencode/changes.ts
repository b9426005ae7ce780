import { and, type SQL, sql } from "drizzle-orm"
import { compareText } from "../../record/order.ts"
import { isLater, noMark, ofSession } from "./message-list.ts"
import { isNewest, presentTables, type SessionTable } from "./session-list.ts"
import { amongIds } from "./session-rows.ts"
import { message, part, sessionMessage, TABLES } from "./tables.ts"
import type { Question, Row, View } from "./view.ts"

const { placeholder } = sql

/** Times are added up as far as they differ within 49 days, so that the sum of millions of them is exact. */
const DISTINCT_MS = sql.raw("4294967296")

/** A record, and a text that changes whenever it does, or anything that belongs to it. */
export interface Stamped {
  readonly id: string
  readonly stamp: string
}

/**
 * Sessions with their stamps by id, after one id. A stamp costs a look at the session's number of changes where the release keeps one
 * (`event_sequence`), otherwise at the times of its messages and parts; never at what they say.
 *
 * The number alone is not enough: an import over a session moves the session's time alone, and releases that keep no
 * number may have written in between, so the time and how many messages there are go with it.
 */
export function sessionStamps(view: View, after: string, limit: number): Stamped[] {
  const rows = presentTables(view).flatMap((table) => {
    const id = view.column(table, "id")
    const question = stampsQuestion(view, table, "after", sql`${id} > ${placeholder("after")}`)
    return question.all({ after, limit }).map((row) => stamped(view, table, row))
  })
  return rows.sort((a, b) => compareText(a.id, b.id)).slice(0, limit)
}

/** The stamps of those of the sessions that are there, by id. */
export function stampsOf(view: View, ids: readonly string[]): Map<string, string> {
  const rows = presentTables(view).flatMap((table) => {
    const question = stampsQuestion(view, table, "of", amongIds(view.column(table, "id")))
    return question.all({ ids: JSON.stringify(ids), limit: -1 }).map((row) => stamped(view, table, row))
  })
  return new Map(rows.map(({ id, stamp }) => [id, stamp]))
}

function stampsQuestion(view: View, table: SessionTable, which: string, condition: SQL): Question<Row> {
  const id = view.column(table, "id")
  return view.question(`stamps ${table} ${which}`, (db) =>
    db
      .select({
        id,
        updated: view.column(table, "time_updated"),
        seq: view.has("eventSequence") ? numberOf(id) : sql`null`,
      })
      .from(TABLES[table])
      .where(and(condition, sql`typeof(${id}) = 'text'`, isNewest(view, table)))
      .orderBy(id)
      .limit(placeholder("limit"))
      .prepare(),
  )
}

function stamped(view: View, table: SessionTable, row: Row): Stamped {
  return { id: String(row.id), stamp: stampOf(view, table, row) }
}

function numberOf(id: SQL): SQL {
  return sql`(select seq from event_sequence where aggregate_id = ${id})`
}

function stampOf(view: View, table: SessionTable, row: Row): string {
  const id = String(row.id)
  if (table === "sessionV2") return `2 ${text(row.updated)} ${text(row.seq)} ${laterStamp(view, id)}`
  if (row.seq !== null) return `1 ${text(row.updated)} ${text(row.seq)} ${counts(view, id)}`
  return `1 ${text(row.updated)} ${timesOf(view, "message", id)} ${timesOf(view, "part", id)}`
}

/** How many messages and parts there are, which an index tells. */
function counts(view: View, sessionID: string): string {
  return `${countOf(view, "message", sessionID)} ${countOf(view, "part", sessionID)}`
}

function countOf(view: View, table: "message" | "part", sessionID: string): string {
  if (!view.has(table)) return ""
  const question = view.question(`count of ${table}`, (db) =>
    db
      .select({ count: sql<unknown>`count(*)` })
      .from(TABLES[table])
      .where(sql`${view.column(table, "session_id")} = ${placeholder("session")}`)
      .prepare(),
  )
  return text(question.all({ session: sessionID })[0]?.count)
}

function timesOf(view: View, table: "message" | "part", sessionID: string): string {
  if (!view.has(table)) return ""
  const updated = view.column(table, "time_updated")
  const question = view.question(`times of ${table}`, (db) =>
    db
      .select({
        count: sql<unknown>`count(*)`,
        newest: sql<unknown>`max(${updated})`,
        all: sql<unknown>`total(${updated} % ${DISTINCT_MS})`,
      })
      .from(TABLES[table])
      .where(sql`${view.column(table, "session_id")} = ${placeholder("session")}`)
      .prepare(),
  )
  const row = question.all({ session: sessionID })[0]
  return `${text(row?.count)} ${text(row?.newest)} ${text(row?.all)}`
}

function laterStamp(view: View, sessionID: string): string {
  if (!view.has("sessionMessage")) return ""
  const updated = view.column("sessionMessage", "time_updated")
  const question = view.question("later stamp", (db) =>
    db
      .select({
        count: sql<unknown>`count(*)`,
        last: sql<unknown>`max(${view.column("sessionMessage", "seq")})`,
        newest: sql<unknown>`max(${updated})`,
        all: sql<unknown>`total(${updated} % ${DISTINCT_MS})`,
      })
      .from(sessionMessage)
      .where(ofSession(view, "sessionMessage"))
      .prepare(),
  )
  const row = question.all({ session: sessionID })[0]
  return `${text(row?.count)} ${text(row?.last)} ${text(row?.newest)} ${text(row?.all)}`
}

/** The stamps of a session's messages with their parts, by id, after one id: so that of a long session only what is new is read. */
export function messageStamps(view: View, sessionID: string, after: string, limit: number): Stamped[] {
  const later = isLater(view, sessionID)
  const table = later ? "sessionMessage" : "message"
  if (!view.has(table)) return []
  const id = view.column(table, "id")
  const question = view.question(`message stamps ${table}`, (db) =>
    db
      .select({ id, updated: view.column(table, "time_updated") })
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
    return { id: messageID, stamp: `${text(row.updated)}${later ? "" : ` ${partTimes(view, messageID)}`}` }
  })
}

function partTimes(view: View, messageID: string): string {
  if (!view.has("part")) return ""
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
  return `${text(row?.count)} ${text(row?.newest)} ${text(row?.all)}`
}

function text(value: unknown): string {
  return value === null || value === undefined ? "-" : String(value)
}
