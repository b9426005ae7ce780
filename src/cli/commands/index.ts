import { Command } from "commander"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"
import { printWalk } from "../walk.ts"

/** `index`: brings the whole index up to date. */
export function indexCommand(context: Context): Command {
  return new Command("index")
    .description("index the whole store; reads only what changed since the last time")
    .action(async (_: unknown, command: Command) => {
      const work: Parameters<typeof withStore>[2] = (store, { json }) =>
        printWalk(context, json ?? false, (options) => store.index(options))
      await withStore(context, command, work, { keep: true })
    })
}
