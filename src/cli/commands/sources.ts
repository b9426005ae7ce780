import { Command } from "commander"
import type { SourcesProgress } from "../../index.ts"
import type { Context } from "../context.ts"
import { fromOption } from "../from.ts"
import { progressBar } from "../progress.ts"
import { many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `sources`: the histories that are read, and how they are. */
export function sourcesCommand(context: Context): Command {
  return new Command("sources")
    .description("show which histories are read: sessions, bytes, state, and what cannot be read")
    .addOption(fromOption("only this one"))
    .action(async ({ from }: { from?: string[] }, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        // A place that is not indexed yet is read, which may take a while.
        const bar = progressBar(output.interactive, "{source} {bar} {value}/{total} places")
        const onProgress = ({ done, total, next }: SourcesProgress): void =>
          bar.update({ done, total, source: next?.source.padEnd(11) ?? "" })
        const reports = await Array.fromAsync(store.sources({ source: from, onProgress })).finally(() =>
          bar.stop(),
        )
        for (const report of reports) {
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
