import { Command } from "commander"
import type { Amount, StoreStats } from "../../index.ts"
import type { Context } from "../context.ts"
import type { Output } from "../output.ts"
import { many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `stats`: where the files and bytes are. */
export function statsCommand(context: Context): Command {
  return new Command("stats")
    .description("show counts and bytes by kind, project and month, and the largest records")
    .action(async (_: unknown, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const stats = await store.stats()
        if (json) return await output.json(stats)
        await tables(output, stats)
        for (const { directory, ...other } of stats.alsoRead) {
          await output.line()
          await output.line(output.style("bold", `also read: ${oneLine(directory)}`))
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

/** Prints aligned columns; all but the first hold figures and stand right. */
async function table(output: Output, head: string[], rows: string[][]): Promise<void> {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? "")].map((cell) => Bun.stringWidth(cell))),
  )
  const layout = (row: string[]): string =>
    row
      .map((cell, column) => {
        const space = " ".repeat(Math.max(0, (widths[column] ?? 0) - Bun.stringWidth(cell)))
        return column === 0 ? cell + space : space + cell
      })
      .join("  ")
      .trimEnd()
  await output.line(output.style("bold", layout(head)))
  for (const row of rows) await output.line(layout(row))
}
