import { sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import type { TextRow } from "./candidate-rows.ts"
import { bodyOf, type Reading, type WholeRow } from "./record-rows.ts"

/** These messages with their parts, from the copies that the rows name, all from one snapshot. */
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
