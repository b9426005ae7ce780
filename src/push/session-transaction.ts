import { and, eq, inArray, sql } from "drizzle-orm"
import { StoreError } from "../errors.ts"
import type { FleetConnection } from "../postgres/connection.ts"
import { CHANGE_LOCK } from "../postgres/locks.ts"
import type { FleetQueries } from "../postgres/queries.ts"
import { forgotten, machines, messages, parts, removals, sessions, sides, texts } from "../postgres/schema.ts"
import { storable } from "../postgres/storable.ts"
import { textPieces } from "../postgres/texts.ts"
import { type LocalMessage, localMessage, type Making } from "./local-session.ts"
import { hashOf, type SessionDiff } from "./session-diff.ts"

/** Who publishes, and the mark that this push has left. */
export interface Publisher {
  readonly fleet: FleetConnection
  readonly machine: string
  readonly token: string
  /** Whether the server knows a compression that takes a fraction of the time of its default. */
  readonly knowsLz4: boolean
}

/** The session was removed for all while it was published. */
export class Forgotten extends Error {
  override readonly name = "Forgotten"
}

/** So many rows, or characters, are sent at once. */
const ROWS = 500
const CHARACTERS = 1024 * 1024

/**
 * Publishes what differs of a session in one transaction: all of it or nothing. Its number is taken last, so that numbers become visible in
 * their order.
 * @returns the number, and how many records were written
 * @throws Forgotten; StoreError `LOCKED` where another push of this machine has begun, `FLEET_UNAVAILABLE`; what reading throws
 */
export async function publishSession(
  { fleet, machine, token, knowsLz4 }: Publisher,
  diff: SessionDiff,
  version: string | null,
  making: Making,
): Promise<void> {
  await fleet.write(async (db) => {
    await checkToken(db, machine, token)
    if (knowsLz4) await db.execute(sql`set local default_toast_compression = 'lz4'`)
    await new SessionTransaction(db, machine, diff).run(making)
    await takeNumber(db, diff.entry.id)
    await db
      .update(sessions)
      .set({
        hash: hashOf(diff.entry, diff.text, diff.hashes, diff.allSides),
        version,
        sequence: sql`nextval('sessiondex.changes')`,
      })
      .where(and(eq(sessions.machine, machine), eq(sessions.id, diff.entry.id)))
  })
}

/** Takes back what a machine published of sessions, one transaction each; who follows the numbers hears of it. @throws as `publishSession` */
export async function withdrawSession({ fleet, machine, token }: Publisher, session: string): Promise<void> {
  await fleet.write(async (db) => {
    await checkToken(db, machine, token)
    await db.delete(sessions).where(and(eq(sessions.machine, machine), eq(sessions.id, session)))
    await db.execute(sql`select pg_advisory_xact_lock(${CHANGE_LOCK}::bigint)`)
    await noteRemoval(db, machine, session)
  })
}

/** Notes that a machine's copy of a session is no more; to be called under `CHANGE_LOCK`. */
export async function noteRemoval(db: FleetQueries, machine: string, session: string): Promise<void> {
  const sequence = sql`nextval('sessiondex.changes')`
  await db
    .insert(removals)
    .values({ machine, session, sequence })
    .onConflictDoUpdate({ target: [removals.machine, removals.session], set: { sequence } })
}

/** Notes what the machine's index says of sessions that were read and found to be as they are published. @throws as `publishSession` */
export async function noteVersions(
  { fleet, machine, token }: Publisher,
  same: readonly { readonly id: string; readonly version: string }[],
): Promise<void> {
  if (same.length === 0) return
  await fleet.write(async (db) => {
    await checkToken(db, machine, token)
    for (const { id, version } of same)
      await db
        .update(sessions)
        .set({ version })
        .where(and(eq(sessions.machine, machine), eq(sessions.id, id)))
  })
}

/** Makes sure that no other push of this machine has begun, and that none does until the transaction ends. @throws StoreError `LOCKED` */
export async function checkToken(db: FleetQueries, machine: string, token: string): Promise<void> {
  const [row] = await db
    .select({ token: machines.token })
    .from(machines)
    .where(eq(machines.id, machine))
    .for("share")
  if (row?.token !== token)
    throw new StoreError("LOCKED", "Another push of this machine has begun meanwhile", {
      hint: "Let one of them go on.",
    })
}

/** From here on numbers are given to nobody else; who forgets sessions waits here too. */
async function takeNumber(db: FleetQueries, session: string): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(${CHANGE_LOCK}::bigint)`)
  const [gone] = await db
    .select({ session: forgotten.session })
    .from(forgotten)
    .where(eq(forgotten.session, session))
  if (gone) throw new Forgotten()
}

class SessionTransaction {
  readonly #db: FleetQueries
  readonly #machine: string
  readonly #diff: SessionDiff
  readonly #session: string

  constructor(db: FleetQueries, machine: string, diff: SessionDiff) {
    this.#db = db
    this.#machine = machine
    this.#diff = diff
    this.#session = diff.entry.id
  }

  async run(making: Making): Promise<void> {
    await this.#putSession()
    await this.#remove()
    let waiting: LocalMessage[] = []
    let [rows, size] = [0, 0]
    const flush = async (): Promise<void> => {
      if (waiting.length > 0) await this.#putMessages(waiting)
      waiting = []
      rows = 0
      size = 0
    }
    for (const one of this.#diff.changed) {
      const message = typeof one === "string" ? await this.#again(one, making) : one
      if (!message) continue
      waiting.push(message)
      rows += 1 + message.parts.length
      size += message.size
      if (rows >= ROWS || size >= CHARACTERS) await flush()
    }
    await flush()
    await this.#putSides()
  }

  /** One that was not kept: it may have changed since, and is then published as it is now; one that went is left for the next push. */
  async #again(id: string, making: Making): Promise<LocalMessage | undefined> {
    const { entry, hashes } = this.#diff
    const message = await localMessage(entry.root, this.#session, id, { ...making, counts: new Map() })
    if (message) hashes.set(id, message.hash)
    else hashes.delete(id)
    return message
  }

  async #putSession(): Promise<void> {
    const { entry, columns, text } = this.#diff
    const { source, place } = entry.root
    const row = {
      source,
      place: storable(place),
      project: entry.project,
      ...columns,
      body: text,
    }
    await this.#db
      .insert(sessions)
      // Its hash and number come last.
      .values({ machine: this.#machine, id: this.#session, ...row, hash: "", sequence: 0 })
      .onConflictDoUpdate({ target: [sessions.machine, sessions.id], set: row })
    await this.#db
      .delete(removals)
      .where(and(eq(removals.machine, this.#machine), eq(removals.session, this.#session)))
  }

  async #remove(): Promise<void> {
    const { removed } = this.#diff
    for (const some of chunks(removed.messages))
      await this.#db.delete(messages).where(and(...this.#ofSession(messages), inArray(messages.id, some)))
    for (const [message, ids] of removed.parts)
      for (const some of chunks(ids))
        await this.#db
          .delete(parts)
          .where(and(...this.#ofSession(parts), eq(parts.message, message), inArray(parts.id, some)))
  }

  async #putMessages(changed: readonly LocalMessage[]): Promise<void> {
    const of = { machine: this.#machine, session: this.#session }
    const rows = changed.map(({ id, created, role, text, hash }) => ({
      ...of,
      id,
      created,
      role,
      body: text,
      hash,
    }))
    await this.#db
      .insert(messages)
      .values(rows)
      .onConflictDoUpdate({
        target: [messages.machine, messages.session, messages.id],
        set: excluded("created", "role", "body", "hash"),
      })
    const partRows = changed.flatMap((message) =>
      message.parts.map(({ id, type, tool, text }, position) => ({
        ...of,
        message: message.id,
        id,
        position,
        type,
        tool,
        body: text,
      })),
    )
    for (const some of chunks(partRows))
      await this.#db
        .insert(parts)
        .values(some)
        .onConflictDoUpdate({
          target: [parts.machine, parts.session, parts.message, parts.id],
          set: excluded("position", "type", "tool", "body"),
        })
    const known = changed.flatMap(({ id }) => (this.#diff.known.has(id) ? [id] : []))
    if (known.length > 0)
      await this.#db.delete(texts).where(and(...this.#ofSession(texts), inArray(texts.message, known)))
    const textRows = changed.flatMap((message) =>
      [...textPieces(message.folded())].map((piece) => ({
        ...of,
        message: message.id,
        created: message.created,
        role: message.role,
        ...piece,
      })),
    )
    for (const some of chunks(textRows)) await this.#db.insert(texts).values(some)
  }

  async #putSides(): Promise<void> {
    const of = { machine: this.#machine, session: this.#session }
    for (const [kind, body] of this.#diff.sides)
      if (body === undefined)
        await this.#db.delete(sides).where(and(...this.#ofSession(sides), eq(sides.kind, kind)))
      else
        await this.#db
          .insert(sides)
          .values({ ...of, kind, body })
          .onConflictDoUpdate({ target: [sides.machine, sides.session, sides.kind], set: { body } })
  }

  #ofSession(table: typeof messages | typeof parts | typeof texts | typeof sides) {
    return [eq(table.machine, this.#machine), eq(table.session, this.#session)]
  }
}

/** Takes these columns from the row that was to be inserted. */
function excluded(...columns: readonly string[]): Record<string, ReturnType<typeof sql>> {
  return Object.fromEntries(columns.map((column) => [column, sql`excluded.${sql.identifier(column)}`]))
}

function* chunks<T>(all: readonly T[]): Generator<T[]> {
  for (let start = 0; start < all.length; start += ROWS) yield all.slice(start, start + ROWS)
}
