import { Command } from "commander"
import type { Context } from "../context.ts"
import { fromOption } from "../from.ts"
import { count, many } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"
import { clockColumn } from "../time.ts"

interface ProjectsFlags {
  from?: string[]
  limit?: number
}

/** `projects`: the work trees that sessions are of, whatever wrote them. */
export function projectsCommand(context: Context): Command {
  return new Command("projects")
    .description("list projects, the last used first; those of all histories with one work tree are one")
    .addOption(fromOption("only of this history"))
    .option("--limit <count>", "at most this many", count)
    .action(async ({ from, limit = Number.POSITIVE_INFINITY }: ProjectsFlags, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        let shown = 0
        for await (const group of store.projects.groups({ source: from })) {
          if (shown++ >= limit) return
          if (json) {
            await output.json(group)
            continue
          }
          const { worktree, name, updated, sessions, ids, projects } = group
          const when = updated === null ? " ".repeat(16) : clockColumn(updated).slice(0, 16)
          const sources = [...new Set(projects.map(({ source }) => source))].join(", ")
          const title = [worktree ?? "(no work tree)", ...(name === undefined ? [] : [`(${name})`])].join(" ")
          await output.line(
            `${output.style("dim", when)}  ${output.style("cyan", oneLine(title))}  ${many(sessions, "session")}  ${output.style("dim", oneLine(`[${sources}] ${ids.join(" ")}`))}`,
          )
        }
      })
    })
}
