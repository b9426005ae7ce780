import { type SQL, sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import { gramsOf, LONGEST_TERM } from "../../postgres/texts.ts"
import type { ParsedQuery } from "../../record/search-query.ts"
import type { CandidateFilter } from "../text-source.ts"
import { holding } from "./like.ts"

/** A row of texts that may hold what is wanted. */
export interface TextRow extends Record<string, unknown> {
  readonly machine: string
  readonly session: string
  readonly message: string
  readonly piece: number
  readonly time: number
}

/** So many rows an index gives at once; they are small. */
const MOST_ROWS = 5_000
/** A run of letters and digits in which every locale of PostgreSQL finds a trigram. */
const TRIGRAM = /[a-z0-9]{3}/

/** What a search looks for in the rows of texts, and by which index. */
export class TextCondition {
  /** That a row may hold what is wanted. */
  readonly hit: SQL
  /** What an index answers of it; none where no index can. */
  readonly indexed: SQL | undefined
  readonly #filter: SQL

  constructor({ wanted }: ParsedQuery, filter: CandidateFilter) {
    // The first is looked for by an index; where a message's texts are in several rows the others may stand in another one.
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

  /** Of the next rows, newest first, those that may hold it; and where they end, if there are so many. */
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

  /** As `scan`, of all rows, by an index. */
  async look(
    db: FleetQueries,
    after: TextRow | undefined,
  ): Promise<{ readonly rows: TextRow[]; readonly last: TextRow | undefined }> {
    // The sum keeps PostgreSQL from going along the newest instead, which is for `scan`.
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

/** Terms that an index finds before others, long ones first. */
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
