import { sql } from "drizzle-orm"
import type { JsonObject } from "../../record/extract.ts"
import { sortTexts } from "../../record/order.ts"
import { present } from "../../record/present.ts"
import { projectBody } from "./project-body.ts"
import { isId } from "./row-id.ts"
import { project, todo } from "./tables.ts"
import type { TellProblem } from "./trouble.ts"
import type { View } from "./view.ts"

const { placeholder } = sql

/** All projects in the order of ids, as opencode's server gives them. */
export function projects(view: View, tell: TellProblem): JsonObject[] {
  if (!view.has("project")) return []
  const id = view.column("project", "id")
  const rows = view
    .question("projects", (db) =>
      db.select(view.columns("project")).from(project).where(isId(id)).orderBy(id).prepare(),
    )
    .all()
  return rows.map((row) => {
    const { body, faults } = projectBody(row)
    if (faults.length > 0)
      tell({ path: `${view.path}#project/${row.id}`, code: "CORRUPT", message: faults.join("; ") })
    return body
  })
}

/** A session's todos, in order. */
export function todos(view: View, sessionID: string): JsonObject[] {
  if (!view.has("todo")) return []
  const column = (name: string) => view.column("todo", name)
  return view
    .question("todos", (db) =>
      db
        .select({ content: column("content"), status: column("status"), priority: column("priority") })
        .from(todo)
        .where(sql`${column("session_id")} = ${placeholder("session")}`)
        .orderBy(column("position"))
        .prepare(),
    )
    .all({ session: sessionID })
    .map(({ content, status, priority }) =>
      present({ content, status: status ?? undefined, priority: priority ?? undefined }),
    )
}

/** The sessions that have todos, in the order of `compareText`. */
export function sessionsWithTodos(view: View): string[] {
  if (!view.has("todo")) return []
  const session = view.column("todo", "session_id")
  const rows = view
    .question("sessions with todos", (db) =>
      db
        .selectDistinct({ session: sql<unknown>`${session}` })
        .from(todo)
        .where(isId(session))
        .prepare(),
    )
    .all()
  return sortTexts(rows.map((row) => String(row.session)))
}
