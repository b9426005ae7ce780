import { sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { counts, machineOf } from "./choice.ts"

/** The numbers of records in the copies that count. */
export interface Totals extends Record<string, unknown> {
  readonly sessions: number
  readonly messages: number
  readonly parts: number
}

/** Counts the records of the copies that count. */
export async function totalsOf(db: FleetQueries, me: string): Promise<Totals> {
  const [row] = await db.execute<Totals>(sql`
    with s as materialized (select s.machine, s.id from sessiondex.session s where ${counts(me, undefined)})
    select (select count(*)::int from s) as sessions,
      (select count(*)::int from sessiondex.message m join s on s.machine = m.machine and s.id = m.session) as messages,
      (select count(*)::int from sessiondex.part p join s on s.machine = p.machine and s.id = p.session) as parts`)
  return row ?? { sessions: 0, messages: 0, parts: 0 }
}

/** A record that is too large to be read. */
export interface LargeRow extends Record<string, unknown> {
  readonly kind: "session" | "message" | "part"
  readonly folder: string
  readonly id: string
  readonly size: number
}

/** The records of the copies that count with bodies larger than `bytes`. */
export function largeRecords(db: FleetQueries, me: string, bytes: number): Promise<LargeRow[]> {
  return db.execute<LargeRow>(sql`
    with s as materialized (select s.* from sessiondex.session s where ${counts(me, undefined)})
    select 'session' as kind, s.project as folder, s.id, octet_length(s.body) as size from s where octet_length(s.body) > ${bytes}
    union all select 'message', m.session, m.id, octet_length(m.body) from sessiondex.message m
      join s on s.machine = m.machine and s.id = m.session where octet_length(m.body) > ${bytes}
    union all select 'part', p.message, p.id, octet_length(p.body) from sessiondex.part p
      join s on s.machine = p.machine and s.id = p.session where octet_length(p.body) > ${bytes}
    order by 1, 2, 3`)
}

/** A session with the size of its body, for totals. */
export interface SizeRow extends Record<string, unknown> {
  readonly id: string
  readonly project: string
  readonly updated: number
  readonly size: number
}

/** Sessions that count, after an id, in the order of ids, with the sizes of their bodies. */
export function sessionSizes(db: FleetQueries, me: string, after: string, limit: number): Promise<SizeRow[]> {
  return db.execute<SizeRow>(sql`
    select s.id, s.project, s.updated, octet_length(s.body) as size from sessiondex.session s
    where s.id > ${after} and ${counts(me, undefined)} order by s.id limit ${limit}`)
}

/** The records of a session and their sizes. */
export function recordSizes(
  db: FleetQueries,
  me: string,
  session: string,
): Promise<{ kind: "message" | "part" | "side"; folder: string; id: string; size: number }[]> {
  const machine = machineOf(me, session)
  return db.execute(sql`
    select 'message' as kind, m.session as folder, m.id, octet_length(m.body) as size from sessiondex.message m
      where m.machine = ${machine} and m.session = ${session}
    union all select 'part', p.message, p.id, octet_length(p.body) from sessiondex.part p
      where p.machine = ${machine} and p.session = ${session}
    union all select 'side', d.kind, d.session, octet_length(d.body) from sessiondex.side d
      where d.machine = ${machine} and d.session = ${session}`)
}
