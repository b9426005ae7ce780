import { Command } from "commander"
import type { Amount, StoreStats } from "../../index.ts"
import type { Context } from "../context.ts"
import { fromOption } from "../from.ts"
import type { Output } from "../output.ts"
import { many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { table } from "../table.ts"
import { oneLine } from "../text.ts"

/** `stats`: where the files and bytes are. */
export function statsCommand(context: Context): Command {
  return new Command("stats")
    .description("show counts and bytes by kind, project and month, and the largest records")
    .addOption(fromOption("only of this history"))
    .action(async ({ from }: { from?: string[] }, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const stats = await store.stats({ source: from })
        if (json) return await output.json(stats)
        // Where there is nothing of the store's own, that is no table of its own.
        const hasOwn = Object.keys(stats.kinds).length > 0 || stats.alsoRead.length === 0
        if (hasOwn) await tables(output, stats)
        for (const [at, { directory, source, ...other }] of stats.alsoRead.entries()) {
          if (hasOwn || at > 0) await output.line()
          await output.line(output.style("bold", oneLine(`also read: ${directory} [${source}]`)))
          await tables(output, other)
        }
        await output.line()
        await output.line(`index ${size(stats.indexBytes)}`)
        const { entries, files, bytes } = stats.trash
        if (entries > 0)
          await output.line(
            `trash ${size(bytes)} in ${many(files, "file")} of ${many(entries, "removed session")}`,
          )
      })
    })
}

async function tables(output: Output, stats: StoreStats): Promise<void> {
  const cells = (name: string, { files, bytes }: Amount): string[] => [name, String(files), size(bytes)]
  await table(
    output,
    ["kind", "files", "bytes"],
    Object.entries(stats.kinds).map(([kind, amount]) => cells(kind, amount)),
  )
  await output.line()
  await table(
    output,
    ["project", "sessions", "messages", "parts", "bytes"],
    stats.projects.map(({ project, sessions, messages, parts, sideFiles }) => [
      project === null ? "(no session)" : oneLine(project),
      String(sessions.files),
      String(messages.files),
      String(parts.files),
      size(sessions.bytes + messages.bytes + parts.bytes + sideFiles.bytes),
    ]),
  )
  await output.line()
  await table(
    output,
    ["month last used", "sessions", "files", "bytes"],
    stats.months.map(({ month, sessions, ...amount }) => {
      const [name = "", files = "", bytes = ""] = cells(month ?? "(unknown)", amount)
      return [name, String(sessions), files, bytes]
    }),
  )
  await output.line()
  await table(
    output,
    ["largest records", "bytes"],
    stats.largest.map(({ path, bytes }) => [oneLine(path), size(bytes)]),
  )
}
