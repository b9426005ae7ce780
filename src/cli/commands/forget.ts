import { Command } from "commander"
import type { Context } from "../context.ts"
import { many } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

/** `forget`: removes a session from a PostgreSQL database for all machines. */
export function forgetCommand(context: Context): Command {
  return new Command("forget")
    .description(
      "remove a session, and those below it, from a PostgreSQL database: every machine's copy, for good",
    )
    .argument("<url>", "postgres://user@host/database, as for `push`")
    .argument("<session>", "the session's id; its files stay where they are, and no push brings it back")
    .action(async (url: string, session: string, _: unknown, command: Command) => {
      const work: Parameters<typeof withStore>[2] = async (store, { json }) => {
        const { output } = context
        const result = await store.forget(url, session)
        if (json) return await output.json(result)
        for (const id of result.sessions) await output.line(oneLine(id))
        await output.line(
          `forgotten ${many(result.sessions.length, "session")}, of which there were ${many(result.copies, "copy", "copies")}`,
        )
      }
      await withStore(context, command, work, { create: true })
    })
}
