import { sql } from "drizzle-orm"
import { StoreError } from "../../errors.ts"
import type { OpencodeDatabase } from "./database.ts"
import { isLater } from "./message-list.ts"
import { message, part } from "./tables.ts"
import type { View } from "./view.ts"

/** SQLite reads the whole value for each piece of it, so large values are read in fewer, larger pieces. */
const MIN_PIECE = 1 << 20
const PIECES = 24
const MAX_PIECE = 1 << 22

const { placeholder } = sql

interface Piece {
  readonly bytes: Uint8Array
  readonly size: number
  readonly updated: unknown
  readonly session: unknown
}

/**
 * Yields a message's or a part's JSON text with the ids of its place, in pieces of about 4 MiB at most, each read from its own snapshot.
 * SQLite itself reads the whole row for each piece; it offers no other way here. `undefined` if there is no such record, and for records of
 * opencode 2, which are converted and have to be read as bodies.
 * @throws StoreError `UNREADABLE` if the record is changed while it is read, `CORRUPT` if it is not the text of an object
 */
export async function recordText(
  database: OpencodeDatabase,
  kind: "message" | "part",
  folder: string,
  id: string,
  signal?: AbortSignal,
): Promise<AsyncGenerator<string> | undefined> {
  const read = (offset: number, length: number) =>
    database.ask((view) => {
      const size =
        kind === "message" && isLater(view, folder)
          ? undefined
          : pieceOf(view, kind, folder, id, offset, length)
      return size && { ...size, encoding: view.encoding }
    }, signal)
  const first = await read(1, MIN_PIECE)
  if (!first) return undefined
  const path = `${database.path}#${kind}/${folder}/${id}`
  return pieces(first, read, tail(kind, folder, id, first.session), path)
}

async function* pieces(
  first: Piece & { readonly encoding: View["encoding"] },
  read: (offset: number, length: number) => Promise<Piece | undefined>,
  ids: string,
  path: string,
): AsyncGenerator<string> {
  // In the database's encoding. The decoder keeps a letter that a piece cuts in two.
  const decoder = new TextDecoder(first.encoding)
  const length = Math.min(MAX_PIECE, Math.max(MIN_PIECE, Math.ceil(first.size / PIECES)))
  let held = ""
  let empty = true
  for (let offset = 1, piece: Piece = first; ; ) {
    offset += piece.bytes.length
    const last = offset > first.size
    const text = held + decoder.decode(piece.bytes, { stream: !last })
    if (last) {
      const end = text.trimEnd()
      if (!end.endsWith("}"))
        throw new StoreError("CORRUPT", `The record's text is no object's: ${path}`, { path })
      const body = end.slice(0, -1).trimEnd()
      // The ids come last, so that they win over any in the text.
      yield `${body}${empty && body.trim() === "{" ? "" : ","}${ids}}`
      return
    }
    // Held back, since the end of the text has to be changed.
    const cut = text.length - Math.min(text.length, 1024)
    held = text.slice(cut)
    if (cut > 0) {
      empty = false
      yield text.slice(0, cut)
    }
    const next = await read(offset, length)
    if (!next || next.size !== first.size || next.updated !== first.updated || next.bytes.length === 0)
      throw new StoreError("UNREADABLE", `The record was changed while it was read: ${path}`, {
        path,
        hint: "Read it again.",
      })
    piece = next
  }
}

function tail(kind: "message" | "part", folder: string, id: string, session: unknown): string {
  const ids =
    kind === "message"
      ? { id, sessionID: folder }
      : { id, ...(typeof session === "string" && { sessionID: session }), messageID: folder }
  return JSON.stringify(ids).slice(1, -1)
}

function pieceOf(
  view: View,
  kind: "message" | "part",
  folder: string,
  id: string,
  offset: number,
  length: number,
): Piece | undefined {
  if (!view.has(kind)) return undefined
  const data = view.column(kind, "data")
  const owner = view.column(kind, kind === "message" ? "session_id" : "message_id")
  const question = view.question(`piece of ${kind}`, (db) =>
    db
      .select({
        bytes: sql<unknown>`substr(cast(${data} as blob), ${placeholder("offset")}, ${placeholder("length")})`,
        size: sql<unknown>`octet_length(${data})`,
        updated: view.column(kind, "time_updated"),
        session: view.column(kind, "session_id"),
      })
      .from(kind === "message" ? message : part)
      .where(sql`${view.column(kind, "id")} = ${placeholder("id")} and ${owner} = ${placeholder("folder")}`)
      .prepare(),
  )
  const row = question.all({ id, folder, offset, length })[0]
  if (!row || !(row.bytes instanceof Uint8Array)) return undefined
  return { bytes: row.bytes, size: Number(row.size), updated: row.updated, session: row.session }
}
