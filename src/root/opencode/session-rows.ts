import { and, inArray, type SQL, sql } from "drizzle-orm"
import type { JsonObject } from "../../record/extract.ts"
import { sessionBody } from "./session-body.ts"
import { isNewest, presentTables, projectOf, type SessionTable, timeOf } from "./session-list.ts"
import { TABLES } from "./tables.ts"
import type { TellProblem } from "./trouble.ts"
import type { Row, View } from "./view.ts"

const { placeholder } = sql

/** The condition that a column is among ids, which come as one parameter. */
export const amongIds = (column: Parameters<typeof inArray>[0]) =>
  inArray(column, sql`(select value from json_each(${placeholder("ids")}))`)

/** Where a session lies, and when it was updated. */
export interface SessionPlace {
  readonly id: string
  readonly project: string
  readonly table: SessionTable
  readonly updated: number
}

/** The places of those of these sessions that exist, each once. */
export function sessionPlaces(view: View, ids: readonly string[]): Map<string, SessionPlace> {
  const places = presentTables(view).flatMap((table) =>
    placesQuestion(view, table, "of", amongIds(view.column(table, "id")), { ids: JSON.stringify(ids) }),
  )
  return new Map(places.map((place) => [place.id, place]))
}

/** The places of all sessions, each once, in no order. */
export function allPlaces(view: View): SessionPlace[] {
  return presentTables(view).flatMap((table) => placesQuestion(view, table, "all", undefined, {}))
}

function placesQuestion(
  view: View,
  table: SessionTable,
  which: string,
  condition: SQL | undefined,
  parameters: Record<string, unknown>,
): SessionPlace[] {
  const question = view.question(`places ${table} ${which}`, (db) =>
    db
      .select({
        id: view.column(table, "id"),
        project: projectOf(view, table),
        updated: timeOf(view, table, "updated"),
      })
      .from(TABLES[table])
      .where(and(condition, isNewest(view, table)))
      .prepare(),
  )
  return question
    .all(parameters)
    .flatMap(({ id, project, updated }) =>
      typeof id === "string" ? [{ id, project: String(project), table, updated: Number(updated) }] : [],
    )
}

/** The bodies of those of these sessions that exist, by id. */
export function sessionBodies(
  view: View,
  ids: readonly string[],
  maxBytes: number,
  tell: TellProblem,
): Map<string, JsonObject> {
  const bodies = new Map<string, JsonObject>()
  for (const table of presentTables(view)) {
    const size = sizeOf(view, table)
    const question = view.question(`sessions ${table}`, (db) =>
      db
        .select({ ...guarded(view, table), size })
        .from(TABLES[table])
        .where(and(amongIds(view.column(table, "id")), isNewest(view, table)))
        .prepare(),
    )
    for (const row of question.all({ ids: JSON.stringify(ids), max: maxBytes })) {
      const { id } = row
      if (typeof id !== "string") continue
      const path = `${view.path}#session/${id}`
      if (Number(row.size) > maxBytes) {
        tell({ path, code: "TOO_LARGE", message: `The session has ${row.size} bytes, more than ${maxBytes}` })
        continue
      }
      const { body, faults } = sessionBody(withoutSize(row))
      // The session is listed without these fields; its others are right.
      if (faults.length > 0) tell({ path, code: "CORRUPT", message: faults.join("; ") })
      bodies.set(id, body)
    }
  }
  return bodies
}

/** Columns that can have any size. */
const LARGE = ["summary_diffs", "metadata", "revert", "permission", "model", "title"]

function sizeOf(view: View, table: SessionTable) {
  const sizes = LARGE.map((name) => sql`coalesce(octet_length(${view.column(table, name)}), 0)`)
  return sql<unknown>`(${sql.join(sizes, sql` + `)})`
}

/** All columns; the large ones are read only if all together are within the limit. */
function guarded(view: View, table: SessionTable) {
  const columns = view.columns(table)
  const size = sizeOf(view, table)
  for (const name of LARGE)
    if (columns[name])
      columns[name] = sql`case when ${size} <= ${placeholder("max")} then ${columns[name]} end`
  return columns
}

function withoutSize({ size: _, ...row }: Row): Row {
  return row
}
