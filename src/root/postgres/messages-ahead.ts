import type { FleetAccess } from "./access.ts"
import { type Reading, readBodies, readWhole, type WholeRow } from "./record-rows.ts"

/** How long what was read ahead may be used, in ms. */
const FRESH_MS = 1_000
/** How many messages are read at once: one query for each would cost a round trip for each. */
const AHEAD = 32

/** A message's row, with the rows of its parts in order if they were wanted. */
export interface WholeRows {
  readonly message: WholeRow
  readonly parts: readonly WholeRow[]
}

/** Messages of a walk that were read together. */
interface Run {
  /** The messages that were not given yet. Each is given once. */
  readonly ids: Set<string>
  readonly withParts: boolean
  readonly rows: Promise<Map<string, WholeRows>>
  at: number
}

/** The parts of the message that was given last. */
interface LastParts {
  readonly message: string
  readonly rows: Map<string, WholeRow>
  readonly at: number
  listed: boolean
}

/**
 * Reads messages ahead while a conversation is walked. Each message that was read ahead is given once, and within a second. A new walk
 * forgets what was read for the one before.
 */
export class MessagesAhead {
  readonly #access: FleetAccess
  readonly #reading: Reading
  #session: string | undefined
  #expected: readonly string[] = []
  #places = new Map<string, number>()
  #withParts = false
  #runs: Run[] = []
  /** The position of the last message, which tells the direction of the walk. */
  #last: number | undefined
  #parts: LastParts | undefined

  constructor(access: FleetAccess, reading: Reading) {
    this.#access = access
    this.#reading = reading
  }

  /** Says which messages will be asked for. @param withParts whether their parts will be too, one by one */
  expect(session: string, ids: readonly string[], withParts: boolean): void {
    this.#session = session
    this.#expected = ids
    this.#places = new Map(ids.map((id, at) => [id, at]))
    this.#withParts = withParts
    this.#runs = []
    this.#last = undefined
    this.#parts = undefined
  }

  /** Whether a message is among those of the current walk. */
  expects(session: string, id: string): boolean {
    return session === this.#session && this.#places.has(id)
  }

  /**
   * A message, by default with parts if the walk wants them; `undefined` if it is gone.
   * @throws StoreError `FLEET_UNAVAILABLE`, …
   */
  async take(session: string, id: string, withParts = this.#withParts): Promise<WholeRows | undefined> {
    const run = this.#run(session, id, withParts)
    const rows = await run.rows
    const whole = rows.get(id)
    rows.delete(id)
    if (withParts && whole)
      this.#parts = {
        message: id,
        rows: new Map(whole.parts.map((row) => [row.id, row])),
        at: run.at,
        listed: false,
      }
    return whole
  }

  /** The ids of the parts of the message that was given last, once. */
  partsOf(message: string): string[] | undefined {
    const parts = this.#parts
    if (parts?.message !== message || parts.listed || !isFresh(parts.at)) return undefined
    parts.listed = true
    return [...parts.rows.keys()]
  }

  /** A part of the message that was given last, once. */
  part(message: string, id: string): WholeRow | undefined {
    const parts = this.#parts
    if (parts?.message !== message || !parts.listed || !isFresh(parts.at)) return undefined
    const row = parts.rows.get(id)
    parts.rows.delete(id)
    return row
  }

  /** The run that has the message or is reading it; begins one if there is none. */
  #run(session: string, id: string, withParts: boolean): Run {
    const place = session === this.#session ? this.#places.get(id) : undefined
    if (place === undefined) return this.#begin(session, [id], withParts)
    const known = this.#runs.find((run) => run.ids.has(id) && run.withParts === withParts && isFresh(run.at))
    const isBackward = this.#last === undefined ? false : place < this.#last
    this.#last = place
    if (known) {
      known.ids.delete(id)
      return known
    }
    const ids = isBackward
      ? this.#expected.slice(Math.max(0, place - AHEAD + 1), place + 1)
      : this.#expected.slice(place, place + AHEAD)
    const run = this.#begin(session, ids, withParts)
    run.ids.delete(id)
    this.#runs = [...this.#runs.filter(({ at }) => isFresh(at)), run]
    return run
  }

  #begin(session: string, ids: readonly string[], withParts: boolean): Run {
    const run: Run = {
      ids: new Set(ids),
      withParts,
      rows: this.#read(session, ids, withParts),
      at: performance.now(),
    }
    run.rows.then(
      () => {
        run.at = performance.now()
      },
      () => {
        run.at = Number.NEGATIVE_INFINITY
      },
    )
    return run
  }

  async #read(session: string, ids: readonly string[], withParts: boolean): Promise<Map<string, WholeRows>> {
    if (withParts)
      return wholeMessages(await this.#access.ask((db) => readWhole(db, session, ids, this.#reading)))
    const rows = await this.#access.ask((db) => readBodies(db, "message", session, ids, this.#reading))
    return new Map(
      rows.map((row) => [row.id, { message: { ...row, message: row.id, position: -1 }, parts: [] }]),
    )
  }
}

function isFresh(at: number): boolean {
  return performance.now() - at < FRESH_MS
}

function wholeMessages(rows: readonly WholeRow[]): Map<string, WholeRows> {
  const whole = new Map<string, WholeRows>()
  for (const [id, [message, ...parts]] of Map.groupBy(rows, (row) => row.message))
    if (message && message.position === -1) whole.set(id, { message, parts })
  return whole
}
