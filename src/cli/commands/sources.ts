import { Command } from "commander"
import type { Context } from "../context.ts"
import { many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `sources`: the histories that are read, and how they are. */
export function sourcesCommand(context: Context): Command {
  return new Command("sources")
    .description("show which histories are read: sessions, bytes, state, and what cannot be read")
    .action(async (_: unknown, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        for await (const report of store.sources()) {
          const { source, place, state, sessions, bytes, problems } = report
          if (problems.length > 0) context.fail()
          if (json) {
            await output.json(report)
            continue
          }
          const name = output.style("cyan", source.padEnd(11))
          await output.line(
            `${name}  ${oneLine(place)}  ${many(sessions, "session")}, ${size(bytes)}, ${state}`,
          )
          for (const { path, code, message } of problems)
            await output.line(`    ${oneLine(`${code} ${path}: ${message}`)}`)
        }
      })
    })
}
