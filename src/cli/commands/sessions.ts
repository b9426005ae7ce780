import { Command, Option } from "commander"
import type { SessionListOptions } from "../../index.ts"
import { sessionFields } from "../../record/extract.ts"
import type { Context } from "../context.ts"
import { directoryOption, fromOption } from "../from.ts"
import { projectOption, projectsNamed } from "../projects.ts"
import { count } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"
import { clockColumn } from "../time.ts"

interface SessionFlags {
  project?: string[]
  from?: string[]
  directory?: string
  parent?: string
  roots?: boolean
  archived: "include" | "exclude" | "only"
  order: "updated" | "created"
  limit?: number
}

/** `sessions`: lists sessions, newest first. */
export function sessionsCommand(context: Context): Command {
  return new Command("sessions")
    .description("list sessions, newest first")
    .addOption(projectOption("only of this project"))
    .addOption(fromOption("only of this history"))
    .addOption(directoryOption())
    .addOption(new Option("--parent <id>", "only the children of this session").conflicts("roots"))
    .option("--roots", "only sessions without a parent")
    .addOption(
      new Option("--archived <which>", "archived sessions")
        .choices(["include", "exclude", "only"])
        .default("include"),
    )
    .addOption(new Option("--order <by>", "newest by").choices(["updated", "created"]).default("updated"))
    .option("--limit <count>", "at most this many", count)
    .action(async (flags: SessionFlags, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const { from: source, directory, archived, order, limit } = flags
        const projectID = await projectsNamed(store, flags.project)
        const options: SessionListOptions = { projectID, source, directory, archived, order, limit }
        if (flags.roots) options.parentID = null
        else if (flags.parent !== undefined) options.parentID = flags.parent
        // With one folder alone there is nothing to tell apart.
        const several = store.health().alsoReading.length > 0
        for await (const found of store.sessions.listWithOrigin(options)) {
          const { session, source, origin } = found
          if (json) await output.json(several ? found : session)
          else {
            const { updated, title } = sessionFields(session)
            const when = output.style("dim", clockColumn(updated).slice(0, 16))
            const where =
              origin === store.directory ? "" : output.style("dim", `  [${source} ${oneLine(origin)}]`)
            await output.line(
              `${when}  ${output.style("cyan", oneLine(session.id))}  ${oneLine(title ?? "")}${where}`,
            )
          }
        }
      })
    })
}
