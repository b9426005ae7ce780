import type { JsonObject } from "../src/record/extract.ts"
import { plain, textOf } from "./format.ts"

const MARKS: Readonly<Record<string, string>> = {
  completed: "✓",
  in_progress: "◐",
  cancelled: "×",
}

/** What an agent set out to do, and how far it came. */
export function TodoList({ todos }: { todos: readonly JsonObject[] }) {
  return (
    <ul class="todos">
      {todos.map((todo) => {
        const status = textOf(todo.status)
        return (
          <li data-status={status}>
            <span class="mark" aria-hidden="true">
              {MARKS[status] ?? "○"}
            </span>
            <span class="hidden">{status.replaceAll("_", " ")}: </span>
            <span class="todo-text">{plain(textOf(todo.content))}</span>
            {textOf(todo.priority) === "high" && <span class="tag">high</span>}
          </li>
        )
      })}
    </ul>
  )
}
