import { and, type SQL, sql } from "drizzle-orm"
import { sortTexts } from "../../record/order.ts"
import { page } from "./folders.ts"
import { isLater, noMark } from "./message-list.ts"
import { partSizes } from "./record-rows.ts"
import { isId } from "./row-id.ts"
import { TABLES } from "./tables.ts"
import type { Row, View } from "./view.ts"

const { placeholder } = sql

/** The size of a message's or a part's data. */
export interface RecordSize {
  readonly session: string
  readonly message: string
  readonly part?: string
  readonly bytes: number
}

const OWNED = ["message", "part", "sessionMessage"] as const

/** The ids after one of sessions that have messages or parts, even if the session itself is missing, in the order of `compareText`. */
export function ownerNames(view: View, after: string, limit: number): string[] {
  const names = OWNED.filter((table) => view.has(table)).flatMap((table) =>
    page(view, `owners in ${table}`, table, view.column(table, "session_id"), undefined, after, limit),
  )
  return sortTexts([...new Set(names)]).slice(0, limit)
}

/** The sizes of a session's messages and parts. Their data is read only for opencode 2, where parts lie within messages. */
export function recordSizes(view: View, session: string): RecordSize[] {
  if (isLater(view, session))
    return rowsOf(view, "sessionMessage", session, noMark(view)).flatMap(({ id, bytes }) => {
      const message = String(id)
      const parts = partSizes(view, message).map((part) => ({
        session,
        message,
        part: part.id,
        bytes: part.bytes,
      }))
      return [{ session, message, bytes: Number(bytes) }, ...parts]
    })
  const messages = rowsOf(view, "message", session).map(({ id, bytes }) => ({
    session,
    message: String(id),
    bytes: Number(bytes),
  }))
  const parts = rowsOf(view, "part", session).map(({ id, message, bytes }) => ({
    session,
    message: String(message),
    part: String(id),
    bytes: Number(bytes),
  }))
  return [...messages, ...parts]
}

function rowsOf(view: View, table: (typeof OWNED)[number], session: string, condition?: SQL): Row[] {
  if (!view.has(table)) return []
  const id = view.column(table, "id")
  return view
    .question(`sizes of ${table}`, (db) =>
      db
        .select({
          id,
          message: view.column(table, "message_id"),
          bytes: sql<unknown>`octet_length(${view.column(table, "data")})`,
        })
        .from(TABLES[table])
        .where(and(sql`${view.column(table, "session_id")} = ${placeholder("session")}`, isId(id), condition))
        .prepare(),
    )
    .all({ session })
}
