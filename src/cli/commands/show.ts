import { Command } from "commander"
import { sessionFields } from "../../record/extract.ts"
import { absentSession } from "../absent-session.ts"
import type { Context } from "../context.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"
import { clock } from "../time.ts"
import { messageLines } from "../transcript.ts"
import { whereabouts } from "../whereabouts.ts"

/** `show`: a session as a transcript made to be read. */
export function showCommand(context: Context): Command {
  return new Command("show")
    .description("print a session as a readable transcript")
    .argument("<session>", "a session's id")
    .action(async (sessionID: string, _: unknown, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const found = await store.sessions.getWithOrigin(sessionID)
        const session = found?.session
        let messages = 0
        const several = store.health().alsoReading.length > 0
        if (json && session) await output.json(several ? found : session)
        else if (session) {
          const { created, title, directory } = sessionFields(session)
          await output.line(output.style("bold", oneLine(title ?? sessionID)))
          const facts = [
            sessionID,
            clock(created),
            directory ?? "",
            several && found ? whereabouts(found, store.directory) : "",
          ]
          await output.line(output.style("dim", facts.filter(Boolean).map(oneLine).join("  ")))
          await output.line()
        }
        for await (const message of store.messages.stream(sessionID, { direction: "asc" })) {
          messages++
          if (json) await output.json(message)
          else for (const line of messageLines(message, output)) await output.line(line)
        }
        if (session || messages > 0) return
        throw await absentSession(store, sessionID)
      })
    })
}
