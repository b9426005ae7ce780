import { sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import type { Position } from "../../record/order.ts"
import type { Range } from "../catalog.ts"
import { counts, machineOf } from "./choice.ts"

/** How many positions are asked for at a time. */
const RUN_LENGTH = 256

type Ask = <T>(question: (db: FleetQueries) => Promise<T>) => Promise<T>

/** Yields a session's messages in order of creation, from the copy that counted when the first was asked for. */
export async function* listMessages(
  ask: Ask,
  session: string,
  direction: "asc" | "desc",
  { after, limit = Number.POSITIVE_INFINITY, signal }: Range,
  me: string,
): AsyncGenerator<readonly Position[]> {
  const order = direction === "asc" ? sql`asc` : sql`desc`
  const sign = direction === "asc" ? sql`>` : sql`<`
  let machine: string | undefined
  let given = 0
  for (let from = after; given < limit; ) {
    signal?.throwIfAborted()
    const size = Math.min(RUN_LENGTH, limit - given)
    const beyond = from
      ? sql`and (m.created, m.id) ${sign} (${from.time}::float8, ${storable(from.id)})`
      : sql``
    const rows = await ask((db) =>
      db.execute<{ machine: string; id: string; time: number }>(sql`
        select m.machine, m.id, m.created as time from sessiondex.message m
        where m.machine = ${machine ?? machineOf(me, storable(session))} and m.session = ${storable(session)} ${beyond}
        order by m.created ${order}, m.id ${order} limit ${size}`),
    )
    if (rows.length > 0) yield rows.map(({ id, time }) => ({ id, time }))
    if (rows.length < size) return
    machine = rows[0]?.machine
    given += rows.length
    from = rows.at(-1)
  }
}

export async function countMessages(db: FleetQueries, session: string, me: string): Promise<number> {
  const [row] = await db.execute<{ count: number }>(sql`
    select count(*)::int as count from sessiondex.message m
    where m.machine = ${machineOf(me, storable(session))} and m.session = ${storable(session)}`)
  return row?.count ?? 0
}

/** Those of these messages in which more than one step ends, in any copy of their sessions. */
export async function withSeveralSteps(db: FleetQueries, ids: readonly string[]): Promise<Set<string>> {
  const rows = await db.execute<{ message: string }>(sql`
    select distinct p.message from sessiondex.part p
    where p.message = any(${sql.param(ids.map(storable))}) and p.type = 'step-finish'
    group by p.machine, p.session, p.message having count(*) > 1`)
  return new Set(rows.map(({ message }) => message))
}

/** The folders that hold a message or part, in the copies of sessions that count; those of the newest sessions first. */
export async function foldersOfRecord(
  db: FleetQueries,
  kind: "message" | "part",
  id: string,
  me: string,
): Promise<string[]> {
  const [table, folder] = kind === "message" ? [sql`message`, sql`session`] : [sql`part`, sql`message`]
  const rows = await db.execute<{ folder: string }>(sql`
    select r.${folder} as folder from sessiondex.${table} r
    join sessiondex.session s on s.machine = r.machine and s.id = r.session
    where r.id = ${storable(id)} and ${counts(me, undefined)}
    group by 1 order by max(s.updated) desc, 1`)
  return rows.map(({ folder }) => folder)
}
