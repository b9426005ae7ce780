import { and, type SQL, sql } from "drizzle-orm"
import type { SQLiteTable } from "drizzle-orm/sqlite-core"
import { sortTexts } from "../../record/order.ts"
import { noMark } from "./message-list.ts"
import { isId, withIds } from "./row-id.ts"
import { isNewest, presentTables, projectOf } from "./session-list.ts"
import { TABLES, type TableName } from "./tables.ts"
import type { View } from "./view.ts"

const { placeholder } = sql

/** The kinds of records that lie in folders: a session in its project's, a message in its session's, a part in its message's. */
export type Kind = "session" | "message" | "part"

/** Names of folders of a kind after a name, in the order of `compareText`, also those whose owner has no record. */
export function folderNames(view: View, kind: Kind, after: string, limit: number): string[] {
  const names = new Set<string>()
  const add = (table: TableName, column: SQL, condition?: SQL): void => {
    for (const name of page(view, `folders of ${kind} in ${table}`, table, column, condition, after, limit))
      names.add(name)
  }
  if (kind === "session")
    for (const table of presentTables(view)) add(table, projectOf(view, table), isNewest(view, table))
  if (kind === "message") {
    if (view.has("message")) add("message", view.column("message", "session_id"))
    if (view.has("sessionV2") && view.has("sessionMessage"))
      add("sessionMessage", view.column("sessionMessage", "session_id"), noMark(view))
  }
  if (kind === "part") {
    if (view.has("part")) add("part", view.column("part", "message_id"))
    if (view.has("sessionV2") && view.has("sessionMessage"))
      add("sessionMessage", view.column("sessionMessage", "id"), noMark(view))
  }
  return sortTexts([...names]).slice(0, limit)
}

/** The ids of a project's sessions, in the order of `compareText`. */
export function sessionIds(view: View, project: string): string[] {
  const ids = presentTables(view).flatMap((table) => {
    const id = view.column(table, "id")
    const question = view.question(`ids in ${table}`, (db) =>
      db
        .select({ id })
        .from(TABLES[table])
        .where(
          and(isId(id), sql`${projectOf(view, table)} = ${placeholder("project")}`, isNewest(view, table)),
        )
        .prepare(),
    )
    return question.all({ project }).map((row) => String(row.id))
  })
  return sortTexts(ids)
}

/** The distinct texts of a column after a text, in order. */
export function page(
  view: View,
  name: string,
  table: TableName,
  column: SQL,
  condition: SQL | undefined,
  after: string,
  limit: number,
): string[] {
  const from: SQLiteTable = TABLES[table]
  const question = view.question(name, (db) =>
    db
      .selectDistinct({ name: sql<unknown>`${column}` })
      .from(from)
      .where(and(sql`${column} > ${placeholder("after")} and typeof(${column}) = 'text'`, condition))
      .orderBy(column)
      .limit(placeholder("limit"))
      .prepare(),
  )
  return withIds(
    limit,
    (behind = after) => question.all({ after: behind, limit }).map((row) => String(row.name)),
    (name) => name,
  )
}
