import { and, eq, inArray } from "drizzle-orm"
import type { FleetQueries } from "../postgres/queries.ts"
import { forgotten, messages, parts, sessions, sides } from "../postgres/schema.ts"

/** What is published of a session, as far as it decides whether that is still so. */
export interface PublishedSession {
  readonly id: string
  readonly hash: string
  /** What the machine's index said of it when it was published last; `null` where it could tell nothing. */
  readonly version: string | null
  readonly source: string
  readonly place: string
  readonly updated: number
  readonly directory: string | null
}

/** What a machine has published of these sessions, by id. */
export async function publishedSessions(
  db: FleetQueries,
  machine: string,
  ids: readonly string[],
): Promise<Map<string, PublishedSession>> {
  const { id, hash, version, source, place, updated, directory } = sessions
  const rows = await db
    .select({ id, hash, version, source, place, updated, directory })
    .from(sessions)
    .where(and(eq(sessions.machine, machine), inArray(id, [...ids])))
  return new Map(rows.map((row) => [row.id, row]))
}

/** Which of these sessions were removed for all. */
export async function forgottenOf(db: FleetQueries, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db
    .select({ id: forgotten.session })
    .from(forgotten)
    .where(inArray(forgotten.session, [...ids]))
  return new Set(rows.map(({ id }) => id))
}

/** The hashes of a session's messages, by id. */
export async function publishedMessages(
  db: FleetQueries,
  machine: string,
  session: string,
): Promise<Map<string, string>> {
  const rows = await db
    .select({ id: messages.id, hash: messages.hash })
    .from(messages)
    .where(and(eq(messages.machine, machine), eq(messages.session, session)))
  return new Map(rows.map(({ id, hash }) => [id, hash]))
}

/** The ids of these messages' parts, by message. */
export async function publishedParts(
  db: FleetQueries,
  machine: string,
  session: string,
  of: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (of.length === 0) return found
  const rows = await db
    .select({ message: parts.message, id: parts.id })
    .from(parts)
    .where(and(eq(parts.machine, machine), eq(parts.session, session), inArray(parts.message, [...of])))
  for (const { message, id } of rows) {
    const ids = found.get(message)
    if (ids) ids.push(id)
    else found.set(message, [id])
  }
  return found
}

/** What was published of the session's todos and diff, by kind. */
export async function publishedSides(
  db: FleetQueries,
  machine: string,
  session: string,
): Promise<Map<string, string>> {
  const rows = await db
    .select({ kind: sides.kind, body: sides.body })
    .from(sides)
    .where(and(eq(sides.machine, machine), eq(sides.session, session)))
  return new Map(rows.map(({ kind, body }) => [kind, body]))
}
