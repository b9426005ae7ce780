import { type SQL, sql } from "drizzle-orm"
import { presentTables } from "./session-list.ts"
import { TABLES, type TableName } from "./tables.ts"
import type { Problem } from "./trouble.ts"
import type { View } from "./view.ts"

/** So many of a table are told by name; more of them say nothing new. */
const MOST_NAMED = 100

/** Rows that no listing shows: without an id, or without a time that could order them. */
export function oddRows(view: View): Problem[] {
  const problems: Problem[] = [...view.problems]
  const look = (table: TableName, time: string, what: string): void => {
    if (!view.has(table)) return
    const id = view.column(table, "id")
    const column: SQL = view.column(table, time)
    const rows = view
      .question(`odd rows of ${table}`, (db) =>
        db
          .select({ id, isText: sql<unknown>`typeof(${id}) = 'text'`, rowid: sql<unknown>`rowid` })
          .from(TABLES[table])
          .where(sql`typeof(${id}) <> 'text' or typeof(${column}) not in ('integer', 'real')`)
          .limit(MOST_NAMED)
          .prepare(),
      )
      .all()
    for (const row of rows)
      problems.push({
        path: `${view.path}#${what}/${row.isText ? row.id : `row ${row.rowid}`}`,
        code: "CORRUPT",
        message: row.isText ? `Its ${time} is no number` : "It has no id",
      })
  }
  look("message", "time_created", "message")
  if (view.has("sessionV2")) look("sessionMessage", "seq", "message")
  for (const table of presentTables(view)) look(table, "time_created", "session")
  return problems
}
