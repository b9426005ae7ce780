import { sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import type { TextRow } from "./candidate-rows.ts"
import { bestFirst } from "./choice.ts"
import { bodyOf, type Reading, type WholeRow } from "./record-rows.ts"

/** The copy of a session that counts: whose it is, and which agent wrote it. */
export interface CountingCopy {
  readonly machine: string
  readonly source: string
}

/** Of each of these sessions the copy that counts. */
export async function countingCopies(
  db: FleetQueries,
  sessions: readonly string[],
  me: string,
): Promise<Map<string, CountingCopy>> {
  const rows = await db.execute<CountingCopy & { id: string }>(sql`
    select distinct on (s.id) s.id, s.machine, s.source from sessiondex.session s
    where s.id = any(${sql.param(sessions.map(storable))}) order by s.id, ${bestFirst(me)}`)
  return new Map(rows.map(({ id, machine, source }) => [id, { machine, source }]))
}

/** These messages with their parts, of the copies that the rows name, all of one moment. */
export function readDocuments(
  db: FleetQueries,
  rows: readonly TextRow[],
  reading: Reading,
): Promise<(WholeRow & { session: string })[]> {
  const column = (values: readonly string[]) => sql`${sql.param(values)}::text[]`
  const wanted = sql`unnest(${column(rows.map(({ machine }) => machine))}, ${column(rows.map(({ session }) => session))},
    ${column(rows.map(({ message }) => message))}) as w (machine, session, message)`
  return db.execute<WholeRow & { session: string }>(sql`
    select m.session, m.id as message, -1 as position, m.id, ${bodyOf(sql`m`, reading)} from ${wanted}
      join sessiondex.message m on m.machine = w.machine and m.session = w.session and m.id = w.message
    union all
    select p.session, p.message, p.position, p.id, ${bodyOf(sql`p`, reading)} from ${wanted}
      join sessiondex.part p on p.machine = w.machine and p.session = w.session and p.message = w.message
    order by 1, 2, 3, 4`)
}
