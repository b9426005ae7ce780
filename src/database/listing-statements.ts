import { and, asc, desc, eq, gte, isNull, lte, type SQL, sql } from "drizzle-orm"
import { alias } from "drizzle-orm/sqlite-core"
import type { Field, FieldCondition } from "../record/fields.ts"
import { positionOf, valueAt } from "../record/fields.ts"
import type { Position } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"
import type { ParsedQuery } from "../record/search-query.ts"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { messages, sessionFields, sessions } from "./schema.ts"
import { soundNumber, soundText, soundValue } from "./sound.ts"

/** A session's position in a listing, and the project it lies in. */
export interface SessionEntry extends Position {
  readonly project: string
  readonly body?: string | undefined
}

/** Where a session lies, and when it was updated there. */
export interface SessionPlace {
  readonly id: string
  readonly project: string
  readonly updated: number
}

const { placeholder } = sql

type Parameters = Record<string, string | number | boolean>

/**
 * Keyset queries over sessions and messages, each prepared once for each shape. They follow an index in its order, so a page costs the
 * same wherever it lies (test/database/query-plan.test.ts).
 */
export class ListingStatements {
  readonly #db: Drizzle
  readonly #prepared = new Map<string, { all(parameters: Parameters): unknown[] }>()

  constructor(db: Drizzle) {
    this.#db = db
  }

  /** Readable sessions after a position, in the query's order. If no project is named, each id once. */
  sessions(query: SessionQuery, after: Position | undefined, limit: number, bodies = false): SessionEntry[] {
    if (query.by) return this.#sessionsBy(query.by, query, after, limit, bodies)
    const { conditions, parameters, shape } = sessionFilter(query)
    const time = query.order === "created" ? sessions.created : sessions.updated
    const direction = query.direction === "asc" ? asc : desc
    if (after) conditions.push(beyond(time, sessions.id, query.direction))
    const statement = this.#prepare(
      `sessions ${shape} ${query.order} ${query.direction} ${Boolean(after)} ${bodies}`,
      () =>
        this.#db
          .select({
            time,
            id: sessions.id,
            project: sessions.project,
            ...(bodies && { body: sessions.body }),
          })
          .from(sessions)
          .where(and(...conditions))
          .orderBy(direction(time), direction(sessions.id))
          .limit(placeholder("limit"))
          .prepare(),
    )
    return statement
      .all({ ...parameters, ...(after && { time: after.time, id: after.id }), limit })
      .map((row) => ({
        ...soundPosition(row),
        project: soundText("project", row.project),
        ...(row.body != null && { body: soundText("body", row.body) }),
      }))
  }

  /** As `sessions`, in the order of a declared field, along the index of its values. */
  #sessionsBy(
    by: Field,
    query: SessionQuery,
    after: Position | undefined,
    limit: number,
    bodies: boolean,
  ): SessionEntry[] {
    const { name, value, id, project } = ordering
    const { conditions, parameters, shape } = sessionFilter(query, (field) =>
      field.name === by.name ? "ordering" : "looked up",
    )
    conditions.unshift(eq(name, placeholder("by")))
    if (query.projectID !== undefined) conditions.push(eq(project, placeholder("project")))
    const direction = query.direction === "asc" ? asc : desc
    if (after) conditions.push(beyond(value, id, query.direction))
    const statement = this.#prepare(
      `sessions by ${shape} ${query.direction} ${Boolean(after)} ${bodies}`,
      () =>
        this.#db
          .select({
            value,
            id,
            project: sessions.project,
            ...(bodies && { body: sessions.body }),
          })
          .from(ordering)
          .innerJoin(sessions, eq(sessions.row, ordering.row))
          .where(and(...conditions))
          .orderBy(direction(value), direction(id))
          .limit(placeholder("limit"))
          .prepare(),
    )
    return statement
      .all({ ...parameters, by: by.name, ...(after && { time: valueAt(after), id: after.id }), limit })
      .map((row) => ({
        ...positionOf(soundValue("value", row.value), soundText("id", row.id)),
        project: soundText("project", row.project),
        ...(row.body != null && { body: soundText("body", row.body) }),
      }))
  }

  /** How many readable sessions match. */
  countSessions(query: SessionQuery): number {
    const { conditions, parameters, shape } = sessionFilter(query, () => "found")
    const statement = this.#prepare(`count ${shape}`, () =>
      this.#db
        .select({ count: sql<number>`count(*)` })
        .from(sessions)
        .where(and(...conditions))
        .prepare(),
    )
    return statement.all(parameters)[0]?.count ?? 0
  }

  /** For each of these sessions the readable copy that counts, in one project or in all. Sessions that are not there are left out. */
  copies(ids: readonly string[], projectID: string | undefined): SessionPlace[] {
    const counts =
      projectID === undefined ? sql`not ${HAS_NEWER_COPY}` : eq(sessions.project, placeholder("project"))
    const statement = this.#prepare(`copies ${projectID !== undefined}`, () =>
      this.#db
        .select({ id: sessions.id, project: sessions.project, updated: sessions.updated })
        .from(sessions)
        .where(and(amongst(sessions.id, "ids"), isNull(sessions.problem), counts))
        .prepare(),
    )
    return statement
      .all({ ids: JSON.stringify(ids), ...(projectID !== undefined && { project: projectID }) })
      .map(({ id, project, updated }) => ({
        id: soundText("id", id),
        project: soundText("project", project),
        updated: soundNumber("updated", updated),
      }))
  }

  /** Readable messages of a folder after a position, in order of creation. */
  messages(
    directory: number,
    direction: "asc" | "desc",
    after: Position | undefined,
    limit: number,
  ): Position[] {
    const order = direction === "asc" ? asc : desc
    const { created, id } = messages
    const conditions: SQL[] = [eq(messages.directory, placeholder("directory")), isNull(messages.problem)]
    if (after) conditions.push(beyond(created, id, direction))
    const statement = this.#prepare(`messages ${direction} ${Boolean(after)}`, () =>
      this.#db
        .select({ time: created, id })
        .from(messages)
        .where(and(...conditions))
        .orderBy(order(created), order(id))
        .limit(placeholder("limit"))
        .prepare(),
    )
    return statement
      .all({ directory, ...(after && { time: after.time, id: after.id }), limit })
      .map(soundPosition)
  }

  #prepare<Row>(
    shape: string,
    make: () => { all(parameters: Parameters): Row[] },
  ): { all(parameters: Parameters): Row[] } {
    const known = this.#prepared.get(shape)
    // The shape determines the columns, so the rows have the type that `make` gives.
    if (known) return known as { all(parameters: Parameters): Row[] }
    const made = make()
    this.#prepared.set(shape, made)
    return made
  }
}

function soundPosition({ time, id }: Position): Position {
  return { time: soundNumber("time", time), id: soundText("id", id) }
}

const ordering = alias(sessionFields, "ordering")

type Column =
  | typeof sessions.created
  | typeof sessions.updated
  | typeof messages.created
  | typeof ordering.value
type IdColumn = typeof sessions.id | typeof messages.id | typeof ordering.id

function beyond(time: Column, id: IdColumn, direction: "asc" | "desc"): SQL {
  const operator = sql.raw(direction === "asc" ? ">" : "<")
  return sql`(${time}, ${id}) ${operator} (${placeholder("time")}, ${placeholder("id")})`
}

const other = alias(sessions, "other")

/** The condition that there is another readable copy of a session that is newer, or as new and in a later project by name. */
const HAS_NEWER_COPY = sql`exists (select 1 from ${sessions} as ${sql.identifier("other")} where ${other.id} = ${sessions.id}
  and ${other.problem} is null and (${other.updated}, ${other.project}) > (${sessions.updated}, ${sessions.project}))`

/**
 * How a condition on a declared field is checked: "looked up" for each session along the listing, "found" for all at once by the index
 * of values, or "ordering" if the listing follows that very field.
 */
type Way = "looked up" | "found" | "ordering"

function sessionFilter(
  query: SessionQuery,
  wayOf: (field: Field) => Way = () => "looked up",
): { conditions: SQL[]; parameters: Parameters; shape: string } {
  const conditions: SQL[] = [isNull(sessions.problem)]
  const parameters: Parameters = {}
  const shape: string[] = []
  const add = (name: string, condition: SQL, value?: string | number | boolean): void => {
    conditions.push(condition)
    shape.push(name)
    if (value !== undefined) parameters[name] = value
  }
  // Before the search for newer copies, which takes longer.
  for (const [at, condition] of (query.where ?? []).entries())
    addField(condition, at, wayOf(condition.field), add, parameters)
  if (query.projectID === undefined) add("newest", sql`not ${HAS_NEWER_COPY}`)
  else add("project", eq(sessions.project, placeholder("project")), query.projectID)
  if (query.parentID === null) add("roots", isNull(sessions.parent))
  else if (query.parentID !== undefined)
    add("parent", eq(sessions.parent, placeholder("parent")), query.parentID)
  if (query.directory !== undefined)
    add("worktree", eq(sessions.worktree, placeholder("worktree")), query.directory)
  if (query.archived === "exclude") add("unarchived", eq(sessions.archived, false))
  if (query.archived === "only") add("archived", eq(sessions.archived, true))
  if (query.updatedSince !== undefined) {
    // A listing by creation follows another index; the unary plus keeps SQLite from using this one and then sorting.
    const updated = query.order === "created" ? sql`+${sessions.updated}` : sql`${sessions.updated}`
    add("since", gte(updated, placeholder("since")), query.updatedSince)
  }
  if (query.search !== undefined) addSearch(query.search, add)
  return { conditions, parameters, shape: shape.join("+") }
}

function addField(
  { field, least, most }: FieldCondition,
  at: number,
  way: Way,
  add: (name: string, condition: SQL) => void,
  parameters: Parameters,
): void {
  const table = way === "ordering" ? ordering : alias(sessionFields, `field${at}`)
  const [name, from, to] = [`name${at}`, `least${at}`, `most${at}`]
  const isOne = least === most
  const within = isOne
    ? eq(table.value, sql`${placeholder(from)}`)
    : and(
        gte(table.value, sql`${placeholder(from)}`),
        most === undefined ? undefined : lte(table.value, sql`${placeholder(to)}`),
      )
  parameters[from] = least
  if (!isOne && most !== undefined) parameters[to] = most
  const shape = `${way} ${isOne ? "one" : most === undefined ? "from" : "between"}`
  if (way === "ordering") {
    add(shape, sql`${within}`)
    return
  }
  parameters[name] = field.name
  const own = sql`from ${sessionFields} as ${sql.identifier(`field${at}`)} where ${table.name} = ${placeholder(name)} and ${within}`
  add(
    shape,
    way === "found"
      ? sql`${sessions.row} in (select ${table.row} ${own})`
      : sql`exists (select 1 ${own} and ${table.row} = ${sessions.row})`,
  )
}

/** Adds the condition that a title has every wanted term and no excluded one. The trigram index finds titles, the title itself decides. */
function addSearch(search: ParsedQuery, add: (name: string, condition: SQL, value?: string) => void): void {
  const { titleExpression }: typeof import("./trigram.ts") = require("./trigram.ts")
  const expression = titleExpression(search.wanted)
  if (expression !== undefined)
    add(
      "matching",
      sql`${sessions.row} in (select rowid from titles where titles match ${placeholder("matching")})`,
      expression,
    )
  // One parameter for any number of terms: a condition for each could be more than SQLite takes.
  const folded = sql`coalesce(${sessions.folded}, '')`
  if (search.wanted.length > 0)
    add(
      "wanted",
      sql`not exists (select 1 from json_each(${placeholder("wanted")}) where instr(${folded}, value) = 0)`,
      JSON.stringify(search.wanted),
    )
  if (search.excluded.length > 0)
    add(
      "excluded",
      sql`not exists (select 1 from json_each(${placeholder("excluded")}) where instr(${folded}, value) > 0)`,
      JSON.stringify(search.excluded),
    )
}
