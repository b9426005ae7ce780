import { type SQL, sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import type { CollectionKind } from "../../record/kind.ts"
import { bestFirst, counts, machineOf } from "./choice.ts"

/** A record's body and size; the body is `null` if it is too large to be read. */
export interface BodyRow extends Record<string, unknown> {
  readonly id: string
  readonly body: string | null
  readonly size: number
}

/** A message, or one of its parts; the parts follow their message in order. */
export interface WholeRow extends BodyRow {
  readonly message: string
  /** -1 for the message itself. */
  readonly position: number
}

const SIDE_KINDS: ReadonlySet<string> = new Set(["todo", "session_diff"])

/** How a reader reads: as which machine, and up to which size in bytes. */
export interface Reading {
  readonly me: string
  readonly maxRecordBytes: number
}

/** The columns of a body, `null` if it is too large, and of its size. */
export function bodyOf(record: SQL, { maxRecordBytes }: Reading): SQL {
  const size = sql`octet_length(${record}.body)`
  return sql`case when ${size} <= ${maxRecordBytes} then ${record}.body end as body, ${size} as size`
}

/** The (machine, session) whose copy of a message counts; if several sessions have the message, the newest one's. */
function ownerOf(message: string, me: string): SQL {
  return sql`(select m.machine, m.session from sessiondex.message m
    join sessiondex.session s on s.machine = m.machine and s.id = m.session
    where m.id = ${storable(message)} and ${counts(me, undefined)} order by s.updated desc, s.id desc limit 1)`
}

/** The records of a folder, as the rows `r` of a `from` clause. */
function inFolder(kind: CollectionKind, folder: string, me: string): SQL {
  const name = storable(folder)
  if (kind === "message")
    return sql`sessiondex.message r where r.machine = ${machineOf(me, name)} and r.session = ${name}`
  if (kind === "part")
    return sql`sessiondex.part r where (r.machine, r.session) = ${ownerOf(folder, me)} and r.message = ${name}`
  return sql`(select s.* from sessiondex.session s where s.project = ${name} and ${counts(me, name)}) r where true`
}

/** The owners that have records of a kind. */
export async function listFolders(db: FleetQueries, kind: CollectionKind, me: string): Promise<string[]> {
  const from =
    kind === "session"
      ? sql`select distinct s.project as folder from sessiondex.session s`
      : sql`select distinct r.${kind === "message" ? sql`session` : sql`message`} as folder
          from sessiondex.${kind === "message" ? sql`message` : sql`part`} r
          join sessiondex.session s on s.machine = r.machine and s.id = r.session where ${counts(me, undefined)}`
  const rows = await db.execute<{ folder: string }>(sql`${from} order by 1`)
  return rows.map(({ folder }) => folder)
}

/** The ids in a folder: parts in the order of their message, other kinds by id. */
export async function listIds(
  db: FleetQueries,
  kind: CollectionKind,
  folder: string,
  me: string,
): Promise<string[]> {
  const order = kind === "part" ? sql`r.position, r.id` : sql`r.id`
  const rows = await db.execute<{ id: string }>(
    sql`select r.id from ${inFolder(kind, folder, me)} order by ${order}`,
  )
  return rows.map(({ id }) => id)
}

/** The bodies of those of these records that exist. */
export function readBodies(
  db: FleetQueries,
  kind: CollectionKind,
  folder: string,
  ids: readonly string[],
  reading: Reading,
): Promise<BodyRow[]> {
  return db.execute<BodyRow>(sql`
    select r.id, ${bodyOf(sql`r`, reading)} from ${inFolder(kind, folder, reading.me)}
    and r.id = any(${sql.param(ids.map(storable))})`)
}

/** Messages of one session with their parts, all from one snapshot. */
export function readWhole(
  db: FleetQueries,
  session: string,
  ids: readonly string[],
  reading: Reading,
): Promise<WholeRow[]> {
  const name = storable(session)
  const wanted = sql.param(ids.map(storable))
  const machine = machineOf(reading.me, name)
  return db.execute<WholeRow>(sql`
    select m.id as message, -1 as position, m.id, ${bodyOf(sql`m`, reading)} from sessiondex.message m
      where m.machine = ${machine} and m.session = ${name} and m.id = any(${wanted})
    union all
    select p.message, p.position, p.id, ${bodyOf(sql`p`, reading)} from sessiondex.part p
      where p.machine = ${machine} and p.session = ${name} and p.message = any(${wanted})
    order by 1, 2, 3`)
}

/** The projects that hold a session. */
export async function projectsOf(db: FleetQueries, id: string): Promise<string[]> {
  const rows = await db.execute<{ project: string }>(
    sql`select distinct s.project from sessiondex.session s where s.id = ${storable(id)} order by 1`,
  )
  return rows.map(({ project }) => project)
}

/** The ids of a kind without owners' folders. */
export async function listPlain(db: FleetQueries, kind: string, me: string): Promise<string[]> {
  if (kind !== "project" && !SIDE_KINDS.has(kind)) return []
  const rows = await db.execute<{ id: string }>(
    kind === "project"
      ? sql`select distinct p.id from sessiondex.project p order by 1`
      : sql`select d.session as id from sessiondex.side d
          join sessiondex.session s on s.machine = d.machine and s.id = d.session
          where d.kind = ${kind} and ${counts(me, undefined)} order by 1`,
  )
  return rows.map(({ id }) => id)
}

/** The body of a record without an owner's folder. For a project, this machine's or else the one with the least machine id. */
export async function readPlain(
  db: FleetQueries,
  kind: string,
  id: string,
  reading: Reading,
): Promise<BodyRow | undefined> {
  const { me } = reading
  const name = storable(id)
  if (kind !== "project" && !SIDE_KINDS.has(kind)) return undefined
  const [row] = await db.execute<BodyRow>(
    kind === "project"
      ? sql`select p.id, ${bodyOf(sql`p`, reading)} from sessiondex.project p where p.id = ${name}
          order by p.machine = ${me} desc, p.machine limit 1`
      : sql`select d.session as id, ${bodyOf(sql`d`, reading)} from sessiondex.side d
          where d.kind = ${kind} and d.session = ${name} and d.machine = ${machineOf(me, name)}`,
  )
  return row
}

/** The machine and last change number of the copy that counts. */
export async function versionOf(db: FleetQueries, session: string, me: string): Promise<string | undefined> {
  const [row] = await db.execute<{ version: string }>(sql`
    select s.machine || ':' || s.sequence as version from sessiondex.session s
    where s.id = ${storable(session)} order by ${bestFirst(me)} limit 1`)
  return row?.version
}
