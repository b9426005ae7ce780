import { and, asc, desc, eq, type SQL, sql } from "drizzle-orm"
import type { Position } from "../../record/order.ts"
import { MARKS } from "./message-v2.ts"
import { isId } from "./row-id.ts"
import { message, sessionMessage } from "./tables.ts"
import type { View } from "./view.ts"

const { placeholder } = sql
export type Direction = "asc" | "desc"

/** Whether a session's messages are opencode 2's. If opencode 2 has the session, the messages of 1.x are an older state of it. */
export function isLater(view: View, sessionID: string): boolean {
  if (!view.has("sessionMessage") || !view.has("sessionV2")) return false
  const id = view.column("sessionV2", "id")
  return (
    view
      .question("is later", (db) =>
        db
          .select({ id })
          .from(sql`session_v2`)
          .where(eq(id, placeholder("id")))
          .limit(1)
          .prepare(),
      )
      .all({ id: sessionID }).length > 0
  )
}

/**
 * Messages of a session after a position, in order. Those of 1.x are ordered by time, then id, as its server does. Those of opencode 2
 * are ordered by `seq`, the order in which they were said: a queued prompt is older than the answers before it, and messages copied from
 * 1.x have equal times. Their positions still have time and id. The id finds the `seq` again or, if that row is gone, the time does.
 */
export function listMessages(
  view: View,
  sessionID: string,
  direction: Direction,
  after: Position | undefined,
  limit: number,
): Position[] {
  return isLater(view, sessionID)
    ? listLater(view, sessionID, direction, after, limit)
    : listEarlier(view, sessionID, direction, after, limit)
}

/** How many messages a session has, readable or not. */
export function countMessages(view: View, sessionID: string): number {
  const table = isLater(view, sessionID) ? "sessionMessage" : "message"
  if (!view.has(table)) return 0
  const question = view.question(`count ${table}`, (db) =>
    db
      .select({ count: sql<unknown>`count(*)` })
      .from(table === "message" ? message : sessionMessage)
      .where(and(ofSession(view, table), table === "message" ? undefined : noMark(view)))
      .prepare(),
  )
  return Number(question.all({ session: sessionID })[0]?.count ?? 0)
}

export function ofSession(view: View, table: "message" | "sessionMessage"): SQL {
  return sql`${view.column(table, "session_id")} = ${placeholder("session")} and ${isId(view.column(table, "id"))}`
}

/** The condition that a message is no bookkeeping mark. */
export function noMark(view: View): SQL {
  return sql`${view.column("sessionMessage", "type")} not in (${sql.raw(MARKS.map((mark) => `'${mark}'`).join(", "))})`
}

function listEarlier(
  view: View,
  sessionID: string,
  direction: Direction,
  after: Position | undefined,
  limit: number,
): Position[] {
  if (!view.has("message")) return []
  const order = direction === "asc" ? asc : desc
  const id = view.column("message", "id")
  const time = view.column("message", "time_created")
  // A message whose time is no number has no place in the order; `oddRows` reports it.
  const conditions = [ofSession(view, "message"), isNumber(time)]
  if (after)
    conditions.push(
      sql`(${time}, ${id}) ${operatorOf(direction)} (${placeholder("time")}, ${placeholder("id")})`,
    )
  const question = view.question(`messages ${direction} ${Boolean(after)}`, (db) =>
    db
      .select({ time, id })
      .from(message)
      .where(and(...conditions))
      .orderBy(order(time), order(id))
      .limit(placeholder("limit"))
      .prepare(),
  )
  return question.all({ session: sessionID, ...keyOf(after), limit }).map(positionOf)
}

function listLater(
  view: View,
  sessionID: string,
  direction: Direction,
  after: Position | undefined,
  limit: number,
): Position[] {
  const order = direction === "asc" ? asc : desc
  const id = view.column("sessionMessage", "id")
  const seq = view.column("sessionMessage", "seq")
  const time = view.column("sessionMessage", "time_created")
  const conditions = [ofSession(view, "sessionMessage"), noMark(view), isNumber(seq)]
  if (after) {
    const known = sql`(select seq from session_message where id = ${placeholder("id")} and session_id = ${placeholder("session")})`
    // If the row is gone: after all that is older than it, or before all that is newer.
    const guessed =
      direction === "asc"
        ? sql`(select max(seq) from session_message where session_id = ${placeholder("session")} and (time_created, id) <= (${placeholder("time")}, ${placeholder("id")}))`
        : sql`(select min(seq) from session_message where session_id = ${placeholder("session")} and (time_created, id) >= (${placeholder("time")}, ${placeholder("id")}))`
    const end = sql.raw(direction === "asc" ? "-9223372036854775808" : "9223372036854775807")
    conditions.push(sql`${seq} ${operatorOf(direction)} coalesce(${known}, ${guessed}, ${end})`)
  }
  const question = view.question(`later messages ${direction} ${Boolean(after)}`, (db) =>
    db
      .select({ time, id })
      .from(sessionMessage)
      .where(and(...conditions))
      .orderBy(order(seq), order(id))
      .limit(placeholder("limit"))
      .prepare(),
  )
  return question.all({ session: sessionID, ...keyOf(after), limit }).map(positionOf)
}

function isNumber(column: SQL): SQL {
  return sql`typeof(${column}) in ('integer', 'real')`
}

function operatorOf(direction: Direction): SQL {
  return sql.raw(direction === "asc" ? ">" : "<")
}

function keyOf(after: Position | undefined): Record<string, unknown> {
  return after ? { time: after.time, id: after.id } : {}
}

function positionOf({ time, id }: Readonly<Record<string, unknown>>): Position {
  return { time: typeof time === "number" ? time : 0, id: String(id) }
}
