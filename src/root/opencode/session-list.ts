import { and, asc, desc, eq, gte, type SQL, sql } from "drizzle-orm"
import { fold } from "../../record/fold.ts"
import { comparePosition, type Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import { matchesTexts } from "../../record/search-query.ts"
import { isId, withIds } from "./row-id.ts"
import { TABLES } from "./tables.ts"
import type { Row, View } from "./view.ts"

/** A session's position in a listing, and its project. */
export interface SessionEntry extends Position {
  readonly project: string
}

/** The tables of sessions. If a session is in both, it is read from the later one. */
export const SESSION_TABLES = ["sessionV2", "session"] as const
export type SessionTable = (typeof SESSION_TABLES)[number]

/** opencode's own name for the project of sessions without one. */
const NO_PROJECT = "global"
/** How many titles one page of a search has. */
const SEARCH_ROWS = 1_000
const { placeholder } = sql

/** Sessions in order after a position, each id once. Titles are matched here, because SQLite folds letters differently. */
export function listSessions(
  view: View,
  query: SessionQuery,
  after: Position | undefined,
  limit: number,
): SessionEntry[] {
  if (!query.search) return page(view, query, after, limit).map(({ title: _, ...entry }) => entry)
  const found: SessionEntry[] = []
  for (let from = after; ; ) {
    const rows = page(view, query, from, SEARCH_ROWS)
    for (const { title, ...entry } of rows) {
      if (!matchesTexts(query.search, [fold(title)])) continue
      found.push(entry)
      if (found.length === limit) return found
    }
    from = rows.at(-1)
    if (!from || rows.length < SEARCH_ROWS) return found
  }
}

/** How many sessions match. */
export function countSessions(view: View, query: SessionQuery): number {
  if (query.search) return listSessions(view, query, undefined, Number.POSITIVE_INFINITY).length
  let count = 0
  for (const table of presentTables(view)) {
    const { conditions, parameters, shape } = filter(view, table, query)
    const question = view.question(`count ${table} ${shape}`, (db) =>
      db
        .select({ count: sql<unknown>`count(*)` })
        .from(TABLES[table])
        .where(and(isId(view.column(table, "id")), ...conditions))
        .prepare(),
    )
    count += Number(question.all(parameters)[0]?.count ?? 0)
  }
  return count
}

export function presentTables(view: View): SessionTable[] {
  return SESSION_TABLES.filter((table) => view.has(table))
}

/** The condition that no later table has the session. */
export function isNewest(view: View, table: SessionTable): SQL | undefined {
  if (table !== "session" || !view.has("sessionV2")) return undefined
  return sql`not exists (select 1 from session_v2 where ${view.column("sessionV2", "id")} = ${view.column("session", "id")})`
}

interface TitledEntry extends SessionEntry {
  readonly title: string
}

/** A page of both tables, merged. */
function page(view: View, query: SessionQuery, after: Position | undefined, limit: number): TitledEntry[] {
  const sign = query.direction === "asc" ? 1 : -1
  const pages = presentTables(view).map((table) => pageOf(view, table, query, after, limit))
  if (pages.length === 1) return pages[0] ?? []
  const all = pages.flat().sort((a, b) => sign * comparePosition(a, b))
  return all.length > limit ? all.slice(0, limit) : all
}

function pageOf(
  view: View,
  table: SessionTable,
  query: SessionQuery,
  after: Position | undefined,
  limit: number,
): TitledEntry[] {
  return withIds(
    limit,
    (behind?: TitledEntry) => rowsOf(view, table, query, behind ?? after, limit),
    ({ id }) => id,
  )
}

function rowsOf(
  view: View,
  table: SessionTable,
  query: SessionQuery,
  after: Position | undefined,
  limit: number,
): TitledEntry[] {
  const { conditions, parameters, shape } = filter(view, table, query)
  const time = timeOf(view, table, query.order)
  const id = view.column(table, "id")
  const order = query.direction === "asc" ? asc : desc
  const operator = sql.raw(query.direction === "asc" ? ">" : "<")
  if (after) conditions.push(sql`(${time}, ${id}) ${operator} (${placeholder("time")}, ${placeholder("id")})`)
  const titled = query.search !== undefined
  const question = view.question(
    `list ${table} ${shape} ${query.order} ${query.direction} ${Boolean(after)}`,
    (db) =>
      db
        .select({
          time,
          id,
          project: projectOf(view, table),
          ...(titled && { title: view.column(table, "title") }),
        })
        .from(TABLES[table])
        .where(and(...conditions))
        .orderBy(order(time), order(id))
        .limit(placeholder("limit"))
        .prepare(),
  )
  const bound = Number.isFinite(limit) ? limit : -1
  return question
    .all({ ...parameters, ...(after && { time: after.time, id: after.id }), limit: bound })
    .map(({ time, id, project, title }: Row) => ({
      time: Number(time),
      id: String(id),
      project: String(project),
      title: typeof title === "string" ? title : "",
    }))
}

interface Filter {
  readonly conditions: SQL[]
  readonly parameters: Record<string, unknown>
  /** Names the filter, so that each prepared statement is found again. */
  readonly shape: string
}

function filter(view: View, table: SessionTable, query: SessionQuery): Filter {
  const id = view.column(table, "id")
  const conditions: SQL[] = [sql`typeof(${id}) = 'text'`]
  const parameters: Record<string, unknown> = {}
  const shape: string[] = []
  const add = (name: string, condition: SQL, value?: unknown): void => {
    conditions.push(condition)
    shape.push(name)
    if (value !== undefined) parameters[name] = value
  }
  const newest = isNewest(view, table)
  if (newest) conditions.push(newest)
  const parent = sql`nullif(${view.column(table, "parent_id")}, '')`
  const archived = sql`coalesce(${view.column(table, "time_archived")}, 0) <> 0`
  if (query.projectID !== undefined)
    add("project", eq(projectOf(view, table), placeholder("project")), query.projectID)
  if (query.parentID === null) add("roots", sql`${parent} is null`)
  else if (query.parentID !== undefined) {
    // The bare column without nullif, so that its index is used.
    add("parent", sql`${view.column(table, "parent_id")} = ${placeholder("parent")}`, query.parentID)
  }
  if (query.directory !== undefined)
    add("worktree", sql`${view.column(table, "directory")} = ${placeholder("worktree")}`, query.directory)
  if (query.archived === "exclude") add("unarchived", sql`not (${archived})`)
  if (query.archived === "only") add("archived", archived)
  if (query.updatedSince !== undefined)
    add("since", gte(timeOf(view, table, "updated"), placeholder("since")), query.updatedSince)
  if (query.search) shape.push("titled")
  return { conditions, parameters, shape: shape.join("+") }
}

/** A session's time as `sessionFields` reads it from the body: a value that is no number counts as missing. */
export function timeOf(view: View, table: SessionTable, order: "created" | "updated"): SQL<unknown> {
  const created = view.column(table, "time_created")
  const updated = view.column(table, "time_updated")
  const isNumber = (column: SQL): SQL => sql`typeof(${column}) in ('integer', 'real')`
  const ofCreation = sql`when ${isNumber(created)} then ${created} else 0 end`
  return order === "created"
    ? sql`case ${ofCreation}`
    : sql`case when ${isNumber(updated)} then ${updated} ${ofCreation}`
}

export function projectOf(view: View, table: SessionTable): SQL<unknown> {
  const project = view.column(table, "project_id")
  return sql`coalesce(case when typeof(${project}) = 'text' then nullif(${project}, '') end, ${sql.raw(`'${NO_PROJECT}'`)})`
}
