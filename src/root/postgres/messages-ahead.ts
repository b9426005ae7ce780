import type { FleetAccess } from "./access.ts"
import { type Reading, readWhole, type WholeRow } from "./record-rows.ts"

/** Messages that are asked for at once: a question a message would cost a conversation a journey each. */
const AHEAD = 32

/** A message as it came, with its parts in their order. */
export interface WholeRows {
  readonly message: WholeRow
  readonly parts: readonly WholeRow[]
}

/**
 * Reads messages of a conversation that is gone through some at a time, with their parts. Each that was read ahead is given once, and a walk
 * that begins again forgets what was read for the one before.
 */
export class MessagesAhead {
  readonly #access: FleetAccess
  readonly #reading: Reading
  #session: string | undefined
  #expected: readonly string[] = []
  #read = new Map<string, WholeRows>()

  constructor(access: FleetAccess, reading: Reading) {
    this.#access = access
    this.#reading = reading
  }

  /** The messages that will be asked for, in this order. */
  expect(session: string, ids: readonly string[]): void {
    this.#session = session
    this.#expected = ids
    this.#read = new Map()
  }

  /** A message with its parts; `undefined` where it is gone. @throws StoreError `FLEET_UNAVAILABLE`, … */
  async take(session: string, id: string): Promise<WholeRows | undefined> {
    const known = session === this.#session ? this.#read.get(id) : undefined
    if (known) {
      this.#read.delete(id)
      return known
    }
    const at = session === this.#session ? this.#expected.indexOf(id) : -1
    const ids = at < 0 ? [id] : this.#expected.slice(at, at + AHEAD)
    const expected = this.#expected
    const rows = await this.#access.ask((db) => readWhole(db, session, ids, this.#reading))
    const whole = wholeMessages(rows)
    const taken = whole.get(id)
    whole.delete(id)
    // Another walk may have begun meanwhile.
    if (at >= 0 && this.#expected === expected) this.#read = whole
    return taken
  }
}

function wholeMessages(rows: readonly WholeRow[]): Map<string, WholeRows> {
  const whole = new Map<string, WholeRows>()
  for (const [id, [message, ...parts]] of Map.groupBy(rows, (row) => row.message))
    if (message && message.position === -1) whole.set(id, { message, parts })
  return whole
}
