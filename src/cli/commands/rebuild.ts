import { Command } from "commander"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"
import { printWalk } from "../walk.ts"

/** `rebuild`: reads every file again, whatever the index says of it. */
export function rebuildCommand(context: Context): Command {
  return new Command("rebuild")
    .description("read every file again and replace the index; other programs can go on reading")
    .action(async (_: unknown, command: Command) => {
      const work: Parameters<typeof withStore>[2] = (store, { json }) =>
        printWalk(context, json ?? false, (options) => store.rebuild(options))
      await withStore(context, command, work, { keep: true })
    })
}
