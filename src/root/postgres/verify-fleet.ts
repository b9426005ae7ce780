import { and, asc, eq, gt, inArray, or, type SQL, sql } from "drizzle-orm"
import type { PgColumn } from "drizzle-orm/pg-core"
import { foldedTexts, messageColumns, partColumns, sessionColumns } from "../../postgres/derived.ts"
import type { FleetQueries } from "../../postgres/queries.ts"
import { messages, parts, sessions, texts } from "../../postgres/schema.ts"
import { textPieces } from "../../postgres/texts.ts"
import { fieldsOf, isJsonObject, type JsonObject } from "../../record/extract.ts"
import type { Difference, VerifyResult } from "../verify-result.ts"
import type { FleetAccess } from "./access.ts"

const SESSIONS_AT_ONCE = 100
/** How many messages are read together with their parts and texts. */
const MESSAGES_AT_ONCE = 16
/** How many times a session is compared if it is published anew meanwhile; after that it is skipped. */
const MAX_TRIES = 5

/** The fleet to compare, and how to name its records. */
export interface FleetToCompare {
  readonly access: FleetAccess
  readonly maxRecordBytes: number
  readonly locate: (...key: string[]) => string
  readonly signal?: AbortSignal | undefined
}

/**
 * Compares everything that is derived in a fleet's database with the bodies it is derived from, in every machine's copy: the columns of
 * sessions, messages and parts, and the searchable texts. Bodies above `maxRecordBytes`, and what is derived from them, are left out.
 * @throws StoreError `FLEET_UNAVAILABLE`; the signal's reason
 */
export async function compareFleet(
  fleet: FleetToCompare,
): Promise<Pick<VerifyResult, "checked" | "differences">> {
  const checked = { sessions: 0, messages: 0, parts: 0 }
  const differences: Difference[] = []
  for (let after = { machine: "", id: "" }; ; ) {
    const from = after
    const run = await fleet.access.ask((db) => sessionsAfter(db, from))
    for (const { machine, id } of run) {
      const compared = await compareSession(fleet, machine, id)
      checked.sessions += compared.checked.sessions
      checked.messages += compared.checked.messages
      checked.parts += compared.checked.parts
      differences.push(...compared.differences)
    }
    const last = run.at(-1)
    if (!last || run.length < SESSIONS_AT_ONCE) return { checked, differences }
    after = last
  }
}

async function compareSession(
  fleet: FleetToCompare,
  machine: string,
  id: string,
): Promise<Pick<VerifyResult, "checked" | "differences">> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const comparison = new SessionComparison(fleet, machine, id)
    const before = await comparison.session()
    if (before === undefined) break
    await comparison.messages()
    // Each statement saw its own snapshot. If the session changed in between, it has another number now.
    if ((await comparison.sequence()) === before) return comparison
  }
  return { checked: { sessions: 0, messages: 0, parts: 0 }, differences: [] }
}

/** Compares one machine's copy of a session with its bodies. */
class SessionComparison {
  readonly checked = { sessions: 0, messages: 0, parts: 0 }
  readonly differences: Difference[] = []
  readonly #fleet: FleetToCompare
  readonly #machine: string
  readonly #id: string

  constructor(fleet: FleetToCompare, machine: string, id: string) {
    this.#fleet = fleet
    this.#machine = machine
    this.#id = id
  }

  /** Compares the session's own row. Returns the number of its last change, `undefined` if it is gone. */
  async session(): Promise<number | undefined> {
    const [row] = await this.#ask((db) =>
      db
        .select({ row: sessions, body: this.#bodyOf(sessions.body) })
        .from(sessions)
        .where(this.#isThis(sessions.machine, sessions.id)),
    )
    if (!row) return undefined
    this.checked.sessions++
    const body = objectOf(row.body)
    if (body === null || (body && !holds(row.row, sessionColumns(body))))
      this.#differs("session", row.row.project, this.#id)
    return row.row.sequence
  }

  async sequence(): Promise<number | undefined> {
    const [row] = await this.#ask((db) =>
      db
        .select({ sequence: sessions.sequence })
        .from(sessions)
        .where(this.#isThis(sessions.machine, sessions.id)),
    )
    return row?.sequence
  }

  async messages(): Promise<void> {
    for (let after = ""; ; ) {
      const from = after
      this.#fleet.signal?.throwIfAborted()
      const { id, created, role, body } = messages
      const run = await this.#ask((db) =>
        db
          .select({ id, created, role, body: this.#bodyOf(body) })
          .from(messages)
          .where(and(this.#isThis(messages.machine, messages.session), gt(id, from)))
          .orderBy(asc(id))
          .limit(MESSAGES_AT_ONCE),
      )
      await this.#compareMessages(run)
      const last = run.at(-1)
      if (!last || run.length < MESSAGES_AT_ONCE) return
      after = last.id
    }
  }

  async #compareMessages(run: readonly MessageRow[]): Promise<void> {
    const ids = run.map(({ id }) => id)
    const partRows = Map.groupBy(await this.#parts(ids), ({ message }) => message)
    const textRows = Map.groupBy(await this.#texts(ids), ({ message }) => message)
    for (const { body: text, ...row } of run) {
      this.checked.messages++
      const body = objectOf(text)
      const ofParts: (JsonObject | undefined)[] = []
      for (const { body: partText, ...part } of partRows.get(row.id) ?? []) {
        this.checked.parts++
        const body = objectOf(partText)
        ofParts.push(body ?? undefined)
        if (body === null || (body && !holds(part, partColumns(body)))) this.#differs("part", row.id, part.id)
      }
      const bodies = ofParts.filter((part) => part !== undefined)
      if (body === null) this.#differs("message", this.#id, row.id)
      if (!body) continue
      const columns = messageColumns(body)
      const isRight = holds(row, columns)
      // The texts cannot be compared if a part that they may come from was not read.
      const isFound =
        bodies.length < ofParts.length ||
        isSame(
          (textRows.get(row.id) ?? []).map(({ message: _, ...piece }) => piece),
          [...textPieces(foldedTexts(body, bodies))].map((piece) => ({ ...piece, ...columns })),
        )
      if (!isRight || !isFound) this.#differs("message", this.#id, row.id)
    }
  }

  #parts(ids: readonly string[]) {
    const { message, id, type, tool, body, position } = parts
    return this.#ask((db) =>
      db
        .select({ message, id, type, tool, body: this.#bodyOf(body) })
        .from(parts)
        .where(and(this.#isThis(parts.machine, parts.session), inArray(message, [...ids])))
        .orderBy(asc(message), asc(position), asc(id)),
    )
  }

  #texts(ids: readonly string[]) {
    const { message, piece, whole, folded, grams, created, role } = texts
    return this.#ask((db) =>
      db
        .select({ message, piece, whole, folded, grams, created, role })
        .from(texts)
        .where(and(this.#isThis(texts.machine, texts.session), inArray(message, [...ids])))
        .orderBy(asc(message), asc(piece)),
    )
  }

  #ask<T>(question: (db: FleetQueries) => Promise<T>): Promise<T> {
    return this.#fleet.access.ask(question)
  }

  #isThis(machine: PgColumn, session: PgColumn): SQL | undefined {
    return and(eq(machine, this.#machine), eq(session, this.#id))
  }

  #bodyOf(body: PgColumn): SQL<string | null> {
    return sql<
      string | null
    >`case when octet_length(${body}) <= ${this.#fleet.maxRecordBytes} then ${body} end`
  }

  #differs(...key: string[]): void {
    this.differences.push({ path: `${this.#fleet.locate(...key)}@${this.#machine}`, kind: "wrong" })
  }
}

interface MessageRow {
  readonly id: string
  readonly created: number
  readonly role: string | null
  readonly body: string | null
}

function sessionsAfter(db: FleetQueries, after: { machine: string; id: string }) {
  const { machine, id } = sessions
  return db
    .select({ machine, id })
    .from(sessions)
    .where(or(gt(machine, after.machine), and(eq(machine, after.machine), gt(id, after.id))))
    .orderBy(asc(machine), asc(id))
    .limit(SESSIONS_AT_ONCE)
}

/** Parses a body; `undefined` if it is too large to be read, `null` if it is no JSON object, which no push publishes. */
function objectOf(body: string | null): JsonObject | null | undefined {
  if (body === null) return undefined
  try {
    const value: unknown = JSON.parse(body)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

/** Whether a row has all derived values. */
function holds(row: object, derived: object): boolean {
  const columns = fieldsOf(row)
  return Object.entries(derived).every(([name, value]) => columns[name] === value)
}

function isSame(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((one, at) => Bun.deepEquals(one, b[at]))
}
