import { Command } from "commander"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `orphans`: records whose parent has no file. */
export function orphansCommand(context: Context): Command {
  return new Command("orphans")
    .description("list messages and side files without a session, and parts without a message")
    .action(async (_: unknown, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        let shown = 0
        for await (const orphan of store.orphans()) {
          shown++
          if (json) await output.json(orphan)
          else await output.line(`${output.style("dim", orphan.kind)} ${oneLine(orphan.path)}`)
        }
        if (json) return
        if (shown === 0) output.nothing("No orphans.")
        else
          output.note(
            "`sessiondex repair <session>` writes a missing session file again; `sessiondex prune --orphans` moves orphans to the trash.",
          )
      })
    })
}
