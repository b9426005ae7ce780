import { sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import { bestFirst } from "./choice.ts"
import { type BodyRow, bodyOf, type Reading } from "./record-rows.ts"

/** How long a session that was read ahead may be used, in ms. */
const FRESH_MS = 1_000
const MOST = 2_000

/** A session that a search read ahead. */
export interface AheadSession extends BodyRow {
  readonly project: string
  /** The projects of all its copies, in order. */
  readonly projects: readonly string[]
}

/**
 * The sessions of a search's hits, read together. Otherwise each hit would need several queries for its session's place and title. They are
 * forgotten after a second.
 */
export class SessionsAhead {
  readonly #sessions = new Map<string, { readonly row: AheadSession; readonly at: number }>()

  put(rows: readonly AheadSession[]): void {
    const at = performance.now()
    for (const row of rows) {
      this.#sessions.delete(row.id)
      this.#sessions.set(row.id, { row, at })
    }
    for (const id of this.#sessions.keys()) {
      if (this.#sessions.size <= MOST) break
      this.#sessions.delete(id)
    }
  }

  find(id: string): AheadSession | undefined {
    const known = this.#sessions.get(id)
    if (!known) return undefined
    if (performance.now() - known.at < FRESH_MS) return known.row
    this.#sessions.delete(id)
    return undefined
  }
}

/** The copy of a session that counts, with its machine and agent. */
export interface CountingCopy extends AheadSession {
  readonly machine: string
  readonly source: string
}

/** The copy that counts of each of these sessions. */
export function countingCopies(
  db: FleetQueries,
  ids: readonly string[],
  reading: Reading,
): Promise<CountingCopy[]> {
  return db.execute<CountingCopy>(sql`
    select distinct on (s.id) s.id, s.project, s.machine, s.source, ${bodyOf(sql`s`, reading)},
      array(select distinct o.project from sessiondex.session o where o.id = s.id order by 1) as projects
    from sessiondex.session s
    where s.id = any(${sql.param(ids.map(storable))}) order by s.id, ${bestFirst(reading.me)}`)
}
