import { Command } from "commander"
import type { ImportOlderResult } from "../../index.ts"
import type { Context } from "../context.ts"
import { interruptible } from "../interrupt.ts"
import { printable } from "../output.ts"
import { progressBar } from "../progress.ts"
import { type GlobalOptions, withStore } from "../session-store.ts"
import { size } from "./stats.ts"

interface ImportFlags {
  /** A folder, or `true` for the one beside the store. */
  older?: string | true
}

/** `import`: brings histories into the store. */
export function importCommand(context: Context): Command {
  return new Command("import")
    .description("bring histories into the store; what is there already stays as it is")
    .option("--older [folder]", "copy the history in the older layout, by default that beside the store")
    .action(async ({ older }: ImportFlags, command: Command) => {
      if (older === undefined) return command.error("error: say what to import: --older", { exitCode: 2 })
      await importOlder(context, command, older === true ? undefined : older)
    })
}

async function importOlder(context: Context, command: Command, directory?: string): Promise<void> {
  const { output } = context
  const bar = progressBar(output.interactive, "{bar} {value}/{total} sessions, {copied} records copied")
  const { signal, release } = interruptible()
  const work = async (
    store: Parameters<Parameters<typeof withStore>[2]>[0],
    { json }: GlobalOptions,
  ): Promise<void> => {
    const result = await store.importOlder({
      directory,
      signal,
      onProgress: (progress) => bar.update(progress),
    })
    bar.stop()
    if (result.unreadable.length > 0) context.fail()
    if (json) await output.json(result)
    else await print(context, result)
  }
  try {
    // A new machine may have nothing but the older layout.
    await withStore(context, command, work, { create: true })
  } finally {
    bar.stop()
    release()
  }
}

async function print({ output }: Context, result: ImportOlderResult): Promise<void> {
  const { copied, present, differing, unreadable, bytes, elapsedMs } = result
  const counts = ({ sessions, messages, parts }: ImportOlderResult["copied"]): string =>
    `${sessions} sessions, ${messages} messages, ${parts} parts`
  await output.line(`copied ${counts(copied)} (${size(bytes)}) in ${elapsedMs} ms`)
  await output.line(`there already: ${counts(present)}`)
  for (const id of differing)
    await output.line(
      `${printable(id)} is there in another version, and was left with all that belongs to it`,
    )
  for (const { path, code, message } of unreadable)
    await output.line(`${code} ${printable(path)}: ${message}`)
}
