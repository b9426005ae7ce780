import { and, inArray, type SQL, sql } from "drizzle-orm"
import { isJsonObject, type JsonObject } from "../../record/extract.ts"
import { jsonLine } from "../../record/json-text.ts"
import { messageOfPartId } from "../part-id.ts"
import { parseColumn } from "./json-column.ts"
import { isLater } from "./message-list.ts"
import { type Converted, convertMessage, MARKS } from "./message-v2.ts"
import { isId } from "./row-id.ts"
import { amongIds } from "./session-rows.ts"
import { message, part, sessionMessage } from "./tables.ts"
import type { Problem, TellProblem } from "./trouble.ts"
import type { Row, View } from "./view.ts"

const { placeholder } = sql

/** How rows that hold records are read. */
export interface Reading {
  /** Larger records are not read, in bytes. */
  readonly maxBytes: number
  /** Called for each record that cannot be read. */
  readonly tell: TellProblem
}

/** The bodies of those of these messages that exist and can be read, by id. */
export function messageBodies(
  view: View,
  sessionID: string,
  ids: readonly string[],
  reading: Reading,
): Map<string, JsonObject> {
  const bodies = new Map<string, JsonObject>()
  if (isLater(view, sessionID)) {
    for (const [id, { info }] of laterMessages(view, sessionID, ids, reading)) bodies.set(id, info)
    return bodies
  }
  if (!view.has("message")) return bodies
  const question = view.question("message bodies", (db) =>
    db
      .select({ id: view.column("message", "id"), ...dataOf(view, "message") })
      .from(message)
      .where(
        and(
          amongIds(view.column("message", "id")),
          // The unary plus makes SQLite find rows by id: by the session's index it would read all of its messages.
          sql`+${view.column("message", "session_id")} = ${placeholder("session")}`,
        ),
      )
      .prepare(),
  )
  for (const row of question.all({ ids: JSON.stringify(ids), session: sessionID, max: reading.maxBytes })) {
    const data = readData(row, `${view.path}#message/${sessionID}/${String(row.id)}`, reading)
    // As in opencode's own export: the row's data, then the ids from its columns.
    if (data && typeof row.id === "string")
      bodies.set(row.id, { ...without(data, "id", "sessionID"), id: row.id, sessionID })
  }
  return bodies
}

/** The ids of a message's parts, in their order, readable or not. */
export function partIds(view: View, messageID: string): string[] {
  return partSizes(view, messageID).map(({ id }) => id)
}

/** The ids of a message's parts with their sizes. */
export function partSizes(view: View, messageID: string): { readonly id: string; readonly bytes: number }[] {
  const later = laterMessage(view, messageID, { maxBytes: Number.MAX_SAFE_INTEGER, tell: () => {} })
  if (later !== undefined)
    return later === "unreadable"
      ? []
      : later.parts.map((part) => ({ id: String(part.id), bytes: Buffer.byteLength(jsonLine(part)) }))
  if (!view.has("part")) return []
  const id = view.column("part", "id")
  return view
    .question("part sizes", (db) =>
      db
        .select({ id, bytes: sql<unknown>`octet_length(${view.column("part", "data")})` })
        .from(part)
        .where(sql`${view.column("part", "message_id")} = ${placeholder("message")} and ${isId(id)}`)
        .orderBy(id)
        .prepare(),
    )
    .all({ message: messageID })
    .map((row) => ({ id: String(row.id), bytes: Number(row.bytes) }))
}

/**
 * The parts of messages, by message and in the order of their ids. What cannot be read is reported and left out.
 * @param only the ids of the parts that are wanted; by default all
 */
export function partBodies(
  view: View,
  messageIDs: readonly string[],
  reading: Reading,
  only?: readonly string[],
): Map<string, JsonObject[]> {
  const parts = new Map<string, JsonObject[]>()
  const earlier: string[] = []
  for (const messageID of messageIDs) {
    const later = laterMessage(view, messageID, reading)
    if (later === undefined) earlier.push(messageID)
    else if (later !== "unreadable") parts.set(messageID, [...later.parts])
  }
  if (earlier.length === 0 || !view.has("part")) return parts
  const messageID = view.column("part", "message_id")
  const id = view.column("part", "id")
  const question = view.question(`part bodies ${only !== undefined}`, (db) =>
    db
      .select({ id, message: messageID, session: view.column("part", "session_id"), ...dataOf(view, "part") })
      .from(part)
      .where(
        and(
          amongIds(messageID),
          isId(id),
          only && inArray(id, sql`(select value from json_each(${placeholder("only")}))`),
        ),
      )
      .orderBy(messageID, id)
      .prepare(),
  )
  const wanted = only && { only: JSON.stringify(only) }
  for (const row of question.all({ ids: JSON.stringify(earlier), max: reading.maxBytes, ...wanted })) {
    const data = readData(row, `${view.path}#part/${String(row.message)}/${String(row.id)}`, reading)
    if (!data || typeof row.id !== "string" || typeof row.message !== "string") continue
    const body = {
      ...without(data, "id", "sessionID", "messageID"),
      id: row.id,
      ...(typeof row.session === "string" && { sessionID: row.session }),
      messageID: row.message,
    }
    const known = parts.get(row.message)
    if (known) known.push(body)
    else parts.set(row.message, [body])
  }
  return parts
}

/** The message that a part lies in, or `undefined`. */
export function messageOfPart(view: View, partID: string): string | undefined {
  const made = messageOfPartId(partID)
  if (made !== undefined && partIds(view, made).includes(partID)) return made
  if (!view.has("part")) return undefined
  const messageID = view.column("part", "message_id")
  const row = view
    .question("message of part", (db) =>
      db
        .select({ message: messageID })
        .from(part)
        .where(sql`${view.column("part", "id")} = ${placeholder("id")}`)
        .prepare(),
    )
    .all({ id: partID })[0]
  if (typeof row?.message !== "string") return undefined
  // If opencode 2 has the message, its version counts, and that has other parts.
  return laterSession(view, row.message) === undefined ? row.message : undefined
}

/** The session that a message lies in, or `undefined`. */
export function sessionOfMessage(view: View, messageID: string): string | undefined {
  const later = laterSession(view, messageID)
  if (later !== undefined) return later
  if (!view.has("message")) return undefined
  const sessionID = view.column("message", "session_id")
  const row = view
    .question("session of message", (db) =>
      db
        .select({ session: sessionID })
        .from(message)
        .where(sql`${view.column("message", "id")} = ${placeholder("id")}`)
        .prepare(),
    )
    .all({ id: messageID })[0]
  if (typeof row?.session !== "string" || isLater(view, row.session)) return undefined
  return row.session
}

/** The session of a message of opencode 2, or `undefined`. */
function laterSession(view: View, messageID: string): string | undefined {
  if (!view.has("sessionMessage") || !view.has("sessionV2")) return undefined
  const row = view
    .question("later session of message", (db) =>
      db
        .select({
          session: view.column("sessionMessage", "session_id"),
          type: view.column("sessionMessage", "type"),
        })
        .from(sessionMessage)
        .where(sql`${view.column("sessionMessage", "id")} = ${placeholder("id")}`)
        .prepare(),
    )
    .all({ id: messageID })[0]
  return typeof row?.session === "string" && !isMark(row.type) ? row.session : undefined
}

function laterMessage(view: View, messageID: string, reading: Reading): Converted | "unreadable" | undefined {
  const sessionID = laterSession(view, messageID)
  if (sessionID === undefined) return undefined
  return laterMessages(view, sessionID, [messageID], reading).get(messageID) ?? "unreadable"
}

function laterMessages(
  view: View,
  sessionID: string,
  ids: readonly string[],
  reading: Reading,
): Map<string, Converted> {
  const question = view.question("later message bodies", (db) =>
    db
      .select({
        id: view.column("sessionMessage", "id"),
        type: view.column("sessionMessage", "type"),
        ...dataOf(view, "sessionMessage"),
      })
      .from(sessionMessage)
      .where(
        and(
          amongIds(view.column("sessionMessage", "id")),
          sql`+${view.column("sessionMessage", "session_id")} = ${placeholder("session")}`,
        ),
      )
      .prepare(),
  )
  const messages = new Map<string, Converted>()
  for (const row of question.all({ ids: JSON.stringify(ids), session: sessionID, max: reading.maxBytes })) {
    const { id, type } = row
    const data = readData(row, `${view.path}#message/${sessionID}/${String(id)}`, reading)
    if (data && typeof id === "string" && !isMark(type))
      messages.set(id, convertMessage(id, sessionID, String(type), data))
  }
  return messages
}

function isMark(type: unknown): boolean {
  return MARKS.some((mark) => mark === type)
}

/** A row's data, if it is within the limit, and its size in bytes, which SQLite knows without reading it. */
function dataOf(view: View, table: "message" | "part" | "sessionMessage"): { data: SQL; size: SQL } {
  const data = view.column(table, "data")
  return {
    data: sql`case when octet_length(${data}) <= ${placeholder("max")} then ${data} end`,
    size: sql`octet_length(${data})`,
  }
}

function readData(row: Row, path: string, { maxBytes, tell }: Reading): JsonObject | undefined {
  const problem = problemOf(row, path, maxBytes)
  if ("data" in problem) return problem.data
  tell(problem)
  return undefined
}

function problemOf(row: Row, path: string, maxBytes: number): Problem | { readonly data: JsonObject } {
  const size = Number(row.size)
  if (size > maxBytes)
    return { path, code: "TOO_LARGE", message: `The record has ${size} bytes, more than ${maxBytes}` }
  const parsed = parseColumn(row.data)
  if (!parsed) return { path, code: "CORRUPT", message: "The record is NULL" }
  if ("fault" in parsed) return { path, code: "CORRUPT", message: `The record ${parsed.fault}` }
  if (isJsonObject(parsed.value)) return { data: parsed.value }
  return { path, code: "CORRUPT", message: "The record's JSON is not an object" }
}

/** A body without some fields. */
function without(body: JsonObject, ...names: string[]): JsonObject {
  if (!names.some((name) => name in body)) return body
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}
