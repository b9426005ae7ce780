import { Command } from "commander"
import type { Context } from "../context.ts"
import { interruptible } from "../interrupt.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `repair`: brings back a session whose own file is gone. */
export function repairCommand(context: Context): Command {
  return new Command("repair")
    .description("write a missing session file again from its messages; overwrites nothing")
    .argument("<session>", "a session's id, as `orphans` shows it")
    .option("--project <id>", "the project it belongs to, instead of the one its messages name")
    .option("--dry-run", "change nothing; show what would be written")
    .action(async (sessionID: string, flags: { project?: string; dryRun?: boolean }, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const { signal, release } = interruptible()
        try {
          const { project: projectID, dryRun } = flags
          const repaired = await store.sessions.repair(sessionID, { projectID, dryRun, signal })
          if (json) return await output.json({ ...repaired, dryRun: dryRun ?? false })
          const { session, path } = repaired
          await output.line(`${output.style("bold", oneLine(session.title))}  ${oneLine(sessionID)}`)
          await output.line(`${dryRun ? "would be written" : "written"}: ${oneLine(path)}`)
        } finally {
          release()
        }
      })
    })
}
