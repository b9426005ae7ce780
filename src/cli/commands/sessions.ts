import { Command, Option } from "commander"
import type { SessionListOptions } from "../../index.ts"
import type { Context } from "../context.ts"
import { directoryOption, fromOption } from "../from.ts"
import { projectOption, projectsNamed } from "../projects.ts"
import { count } from "../quantities.ts"
import { sessionRow } from "../session-row.ts"
import { withStore } from "../session-store.ts"

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
        let shown = 0
        for await (const found of store.sessions.listWithOrigin(options)) {
          shown++
          if (json) await output.json(several ? found : found.session)
          else await sessionRow(output, store, found)
        }
        if (shown === 0 && !json) output.nothing("No sessions.")
      })
    })
}
