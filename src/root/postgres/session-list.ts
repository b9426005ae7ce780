import { type SQL, sql } from "drizzle-orm"
import type { FleetQueries } from "../../postgres/queries.ts"
import { storable } from "../../postgres/storable.ts"
import type { SessionQuery } from "../../record/query.ts"
import type { Range, SessionCopy, SessionEntry, SessionOrigin } from "../catalog.ts"
import { bestFirst, counts, originColumns } from "./choice.ts"
import { titleMatches } from "./like.ts"

/** How many bytes of bodies one listing reads; further ones are read later. */
const MAX_BODIES_BYTES = 16 * 1024 * 1024
/** How many rows one query reads. */
const RUN = 1_000

interface OriginRow extends Record<string, unknown> {
  readonly source: string
  readonly machine: string
  readonly alsoOn: string[]
}

interface SessionRow extends OriginRow {
  readonly id: string
  readonly project: string
  readonly time: number
  readonly body: string | null
}

/** The sessions that match a query, in its order, each once. */
export async function listSessions(
  db: FleetQueries,
  query: SessionQuery,
  { after, limit = Number.POSITIVE_INFINITY, bodies, signal }: Range,
  me: string,
  maxRecordBytes: number,
): Promise<SessionEntry[]> {
  const entries: SessionEntry[] = []
  let bytes = 0
  for (let from = after; entries.length < limit; from = entries.at(-1)) {
    signal?.throwIfAborted()
    const wantBodies = bodies === true || (bodies === "some" && bytes < MAX_BODIES_BYTES)
    const size = Math.min(RUN, limit - entries.length)
    const rows = await db.execute<SessionRow>(sql`
      select s.id, s.project, ${originColumns()}, ${timeOf(query)} as time, ${wantBodies ? bodyWithin(maxRecordBytes) : sql`null`} as body
      from sessiondex.session s
      where ${matching(query, me)} ${from ? beyond(query, from.time, from.id) : sql``}
      order by ${timeOf(query)} ${directionOf(query)}, s.id ${directionOf(query)}
      limit ${size}`)
    for (const { id, project, time, body, ...from } of rows) {
      bytes += body?.length ?? 0
      entries.push({ id, project, time, from: originOf(from), ...(body !== null && { body }) })
    }
    if (rows.length < size) break
  }
  return entries
}

/** How many sessions match a query. */
export async function countSessions(db: FleetQueries, query: SessionQuery, me: string): Promise<number> {
  const [row] = await db.execute<{ count: number }>(
    sql`select count(*)::int as count from sessiondex.session s where ${matching(query, me)}`,
  )
  return row?.count ?? 0
}

/** The copies that count of these sessions. */
export async function copiesOf(
  db: FleetQueries,
  ids: readonly string[],
  projectID: string | undefined,
  me: string,
): Promise<Map<string, SessionCopy>> {
  const inProject = projectID === undefined ? sql`` : sql`and s.project = ${storable(projectID)}`
  const rows = await db.execute<{ id: string; project: string; updated: number }>(sql`
    select distinct on (s.id) s.id, s.project, s.updated from sessiondex.session s
    where s.id = any(${sql.param(ids.map(storable))}) ${inProject} order by s.id, ${bestFirst(me)}`)
  return new Map(rows.map(({ id, project, updated }) => [id, { project, updated }]))
}

/** Where the copies that count come from. */
export async function originsOf(
  db: FleetQueries,
  ids: readonly string[],
  me: string,
): Promise<Map<string, SessionOrigin>> {
  const rows = await db.execute<OriginRow & { id: string }>(sql`
    select distinct on (s.id) s.id, ${originColumns()} from sessiondex.session s
    where s.id = any(${sql.param(ids.map(storable))}) order by s.id, ${bestFirst(me)}`)
  return new Map(rows.map(({ id, ...from }) => [id, originOf(from)]))
}

function originOf({
  source,
  machine,
  alsoOn,
}: Pick<OriginRow, "source" | "machine" | "alsoOn">): SessionOrigin {
  return { source, machine, alsoOn }
}

/** A body if it is small enough to be read. A larger one is reported when it is read later. */
function bodyWithin(maxRecordBytes: number): SQL {
  return sql`case when octet_length(s.body) <= ${maxRecordBytes} then s.body end`
}

function timeOf({ order }: SessionQuery): SQL {
  return order === "created" ? sql`s.created` : sql`s.updated`
}

function directionOf({ direction }: SessionQuery): SQL {
  return direction === "asc" ? sql`asc` : sql`desc`
}

function beyond(query: SessionQuery, time: number, id: string): SQL {
  const sign = query.direction === "asc" ? sql`>` : sql`<`
  return sql`and (${timeOf(query)}, s.id) ${sign} (${time}::float8, ${storable(id)})`
}

function matching(query: SessionQuery, me: string): SQL {
  const { parentID, archived, updatedSince, search } = query
  const projectID = query.projectID === undefined ? undefined : storable(query.projectID)
  const all = [counts(me, projectID)]
  if (projectID !== undefined) all.push(sql`s.project = ${projectID}`)
  if (query.sources) all.push(sql`s.source = any(${sql.param([...query.sources].map(storable))})`)
  if (parentID === null) all.push(sql`s.parent is null`)
  else if (parentID !== undefined) all.push(sql`s.parent = ${storable(parentID)}`)
  if (query.directory !== undefined) all.push(sql`s.directory = ${storable(query.directory)}`)
  if (archived !== "include") all.push(archived === "only" ? sql`s.archived` : sql`not s.archived`)
  if (updatedSince !== undefined) all.push(sql`s.updated >= ${updatedSince}::float8`)
  if (search) all.push(titleMatches(search))
  return sql.join(all, sql` and `)
}
