import { type SQL, sql } from "drizzle-orm"
import { isId } from "./row-id.ts"
import { presentTables } from "./session-list.ts"
import { TABLES, type TableName } from "./tables.ts"
import type { Problem } from "./trouble.ts"
import type { View } from "./view.ts"

/** How many odd rows of a table are reported; more of them say nothing new. */
const MOST_NAMED = 100

/** The problems of rows that no listing shows, because they have no valid id or no time to order them by. */
export function oddRows(view: View): Problem[] {
  const problems: Problem[] = [...view.problems]
  const look = (table: TableName, time: string | undefined, what: string): void => {
    if (!view.has(table)) return
    const id = view.column(table, "id")
    const column: SQL = time === undefined ? sql`0` : view.column(table, time)
    const rows = view
      .question(`odd rows of ${table}`, (db) =>
        db
          .select({ id, isId: isId(id), rowid: sql<unknown>`rowid` })
          .from(TABLES[table])
          .where(sql`not ${isId(id)} or typeof(${column}) not in ('integer', 'real')`)
          .limit(MOST_NAMED)
          .prepare(),
      )
      .all()
    for (const row of rows)
      problems.push({
        path: `${view.path}#${what}/${row.isId ? row.id : `row ${row.rowid}`}`,
        code: "CORRUPT",
        message: row.isId ? `Its ${time} is no number` : "It has no id, or none that can be one",
      })
  }
  look("message", "time_created", "message")
  // Without a time, so that an index is enough: the rows themselves may be gigabytes.
  look("part", undefined, "part")
  if (view.has("sessionV2")) look("sessionMessage", "seq", "message")
  for (const table of presentTables(view)) look(table, "time_created", "session")
  return problems
}
