import { Command } from "commander"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `move`: moves a session to another project. */
export function moveCommand(context: Context): Command {
  return new Command("move")
    .description("move a session, and its child sessions, to another project")
    .argument("<session>", "a session's id")
    .argument("<project>", "a project's id")
    .action(async (sessionID: string, projectID: string, _: unknown, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const moved = await store.sessions.move(sessionID, projectID)
        if (json) return await context.output.json({ projectID, moved })
        for (const id of moved) await context.output.line(`${oneLine(id)} → ${oneLine(projectID)}`)
        if (moved.length === 0) context.output.note("It is already there")
      })
    })
}
