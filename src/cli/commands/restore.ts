import { Command } from "commander"
import type { Context } from "../context.ts"
import { interruptible } from "../interrupt.ts"
import { many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `restore`: brings sessions back from the trash. */
export function restoreCommand(context: Context): Command {
  return new Command("restore")
    .description("bring sessions back from the trash; overwrites nothing")
    .argument("[sessions...]", "ids, as `trash` lists them")
    .option("--all", "everything in the trash")
    .action(async (named: string[], { all }: { all?: boolean }, command: Command) => {
      if (!all === (named.length === 0))
        return command.error("error: name the sessions to restore, or --all", { exitCode: 2 })
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const { signal, release } = interruptible()
        try {
          const ids = all ? (await Array.fromAsync(store.trash.list({ signal }))).map(({ id }) => id) : named
          for await (const restored of store.trash.restore(ids, { signal })) {
            const { id, files, bytes, left } = restored
            if (left.length > 0) context.fail()
            if (json) {
              await output.json(restored)
              continue
            }
            await output.line(`${output.style("cyan", oneLine(id))}  ${many(files, "file")}, ${size(bytes)}`)
            for (const path of left)
              output.note(`stays in the trash, because another file has taken its place: ${path}`)
          }
        } finally {
          release()
        }
      })
    })
}
