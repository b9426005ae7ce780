import { Command } from "commander"
import type { Context } from "../context.ts"
import { fromOption } from "../from.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `problems`: what cannot be read, and why. */
export function problemsCommand(context: Context): Command {
  return new Command("problems")
    .description("list every record that cannot be read, with its path and why; nothing is changed")
    .addOption(fromOption("only in this history"))
    .action(async ({ from }: { from?: string[] }, command: Command) => {
      // Each is a result here, and no note beside one.
      const onProblem = (): void => {}
      const work: Parameters<typeof withStore>[2] = async (store, { json }) => {
        const { output } = context
        let shown = 0
        for await (const problem of store.problems({ source: from })) {
          shown++
          context.fail()
          const { path, code, message } = problem
          if (json) await output.json(problem)
          else await output.line(`${output.style("yellow", code)} ${oneLine(`${path}: ${message}`)}`)
        }
        if (shown === 0 && !json) output.nothing("No problems.")
      }
      await withStore(context, command, work, { onProblem })
    })
}
