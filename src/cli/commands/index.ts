import { Command } from "commander"
import type { Context } from "../context.ts"
import { progressBar } from "../progress.ts"
import { withStore } from "../session-store.ts"

/** `index`: brings the whole index up to date. */
export function indexCommand(context: Context): Command {
  return new Command("index")
    .description("index the whole store; reads only what changed since the last time")
    .action(async (_: unknown, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const bar = progressBar(output.interactive)
        const abort = new AbortController()
        const stop = (): void => abort.abort(new Error("Interrupted; the next run goes on from here"))
        process.once("SIGINT", stop)
        try {
          const result = await store.index({
            signal: abort.signal,
            onProgress: (progress) => bar.update(progress),
          })
          bar.stop()
          if (result.unreadable.length > 0) context.fail()
          if (json) return await output.json(result)
          const { sessions, messages, parts, read, elapsedMs } = result
          await output.line(
            `${sessions} sessions, ${messages} messages, ${parts} parts; read ${read} files in ${elapsedMs} ms`,
          )
          for (const { path, code, message } of result.unreadable)
            await output.line(`${code} ${path}: ${message}`)
        } finally {
          bar.stop()
          process.off("SIGINT", stop)
        }
      })
    })
}
