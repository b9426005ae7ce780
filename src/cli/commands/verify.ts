import { Command } from "commander"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `verify`: compares the index with the content of every file. */
export function verifyCommand(context: Context): Command {
  return new Command("verify")
    .description("compare the whole index with the content of every file; changes nothing")
    .option("--repair", "reconcile what differs, and begin a damaged index anew")
    .action(async ({ repair }: { repair?: boolean }, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const result = await store.verify({ repair })
        if (!result.ok) context.fail()
        if (json) return await output.json(result)
        const { checked, differences, duplicates } = result
        for (const { path, kind } of differences)
          await output.line(`${output.style("yellow", kind)} ${oneLine(path)}`)
        for (const { id, paths } of duplicates)
          await output.line(
            `${oneLine(id)} lies in ${paths.length} projects: ${paths.map(oneLine).join(", ")}`,
          )
        const mended =
          repair && differences.length > 0 ? (result.ok ? ", all mended" : ", not all mended") : ""
        await output.line(
          `compared ${checked.sessions} sessions, ${checked.messages} messages, ${checked.parts} parts: ${differences.length} differences${mended}`,
        )
        if (differences.length > 0 && !repair) output.note("`sessiondex verify --repair` corrects the index.")
      })
    })
}
