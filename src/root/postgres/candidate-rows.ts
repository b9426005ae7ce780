import { type SQL, sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import { gramsOf, LONGEST_TERM } from "../../postgres/texts.ts"
import type { ParsedQuery } from "../../record/search-query.ts"
import type { CandidateFilter } from "../text-source.ts"
import { holding } from "./like.ts"

/** A row of texts that may match. */
export interface TextRow extends Record<string, unknown> {
  readonly machine: string
  readonly session: string
  readonly message: string
  readonly piece: number
  readonly time: number
}

/** How many rows are read from an index at once; they are small. */
const MOST_ROWS = 5_000
/** A run of letters and digits in which every locale of PostgreSQL finds a trigram. */
const TRIGRAM = /[a-z0-9]{3}/

/** What a search looks for in the rows of texts, and with which index. */
export class TextCondition {
  /** The condition that a row may match. */
  readonly hit: SQL
  /** The part of the condition that an index can answer; `undefined` if none can. */
  readonly indexed: SQL | undefined
  readonly #filter: SQL

  constructor({ wanted }: ParsedQuery, filter: CandidateFilter) {
    // An index looks for the first term. If a message has several rows, the other terms may be in another row.
    const [first, ...others] = wanted.map(shortened).toSorted((a, b) => rank(b) - rank(a))
    const has = (term: string): SQL => sql`t.folded like ${holding(term)}`
    this.hit =
      first === undefined
        ? sql`true`
        : sql.join([has(first), ...others.map((term) => sql`(not t.whole or ${has(term)})`)], sql` and `)
    this.indexed = first === undefined ? undefined : byIndex(first, has(first))
    const { session, role, since, until } = filter
    const all = [sql`true`]
    if (session !== undefined) all.push(sql`t.session = ${storable(session)}`)
    if (role !== undefined) all.push(sql`t.role = ${storable(role)}`)
    if (since !== undefined) all.push(sql`t.created >= ${since}::float8`)
    if (until !== undefined) all.push(sql`t.created <= ${until}::float8`)
    this.#filter = sql.join(all, sql` and `)
  }

  /** Reads the next `size` rows, newest first: those that may match, and the last row, from where to go on. */
  async scan(
    db: FleetQueries,
    after: TextRow | undefined,
    size: number,
  ): Promise<{ readonly rows: TextRow[]; readonly last: TextRow | undefined }> {
    const found = await db.execute<TextRow & { hit: boolean; last: boolean }>(sql`
      select * from (
        select w.*, row_number() over (order by w.time desc, w.message desc, w.session desc, w.machine desc, w.piece desc)
            = ${size} as last
        from (
          select t.machine, t.session, t.message, t.piece, t.created as time, ${this.hit} as hit
          from sessiondex.text t where ${this.#filter} ${beyond(after)}
          order by t.created desc, t.message desc, t.session desc, t.machine desc, t.piece desc limit ${size}
        ) w
      ) n where n.hit or n.last order by n.time desc, n.message desc, n.session desc, n.machine desc, n.piece desc`)
    return { rows: found.filter(({ hit }) => hit), last: found.find(({ last }) => last) }
  }

  /** As `scan`, over all rows, with an index. */
  async look(
    db: FleetQueries,
    after: TextRow | undefined,
  ): Promise<{ readonly rows: TextRow[]; readonly last: TextRow | undefined }> {
    // The `+ 0` keeps PostgreSQL from walking along the newest rows instead, as `scan` does.
    const rows = await db.execute<TextRow>(sql`
      select t.machine, t.session, t.message, t.piece, t.created as time from sessiondex.text t
      where ${this.indexed ?? sql`true`} and ${this.hit} and ${this.#filter} ${beyond(after)}
      order by t.created + 0 desc, t.message desc, t.session desc, t.machine desc, t.piece desc limit ${MOST_ROWS}`)
    return { rows, last: rows.length === MOST_ROWS ? rows.at(-1) : undefined }
  }
}

function shortened(term: string): string {
  return term.slice(0, LONGEST_TERM).toWellFormed()
}

/** Ranks terms that an index can find above others, and long ones above short ones. */
function rank(term: string): number {
  return (TRIGRAM.test(term) ? 2_000 : gramsOf(term).length > 0 ? 1_000 : 0) + term.length
}

function byIndex(term: string, has: SQL): SQL | undefined {
  if (TRIGRAM.test(term)) return has
  const grams = gramsOf(storable(term))
  return grams.length > 0 ? sql`t.grams @> ${sql.param(grams)}` : undefined
}

function beyond(row: TextRow | undefined): SQL {
  if (!row) return sql``
  const { time, message, session, machine, piece } = row
  return sql`and (t.created, t.message, t.session, t.machine, t.piece)
    < (${time}::float8, ${message}, ${session}, ${machine}, ${piece}::int)`
}
