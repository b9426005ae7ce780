import { Command } from "commander"
import { isStoreError, type MessageWithParts, type Store } from "../../index.ts"
import { absentSession } from "../absent-session.ts"
import type { Context } from "../context.ts"
import { count } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { messageLines } from "../transcript.ts"

/** Yields a session's newest `limit` messages with their parts, oldest first, as a log is read. */
export async function* tail(
  store: Store,
  sessionID: string,
  limit?: number,
): AsyncGenerator<MessageWithParts> {
  if (limit === undefined) {
    yield* store.messages.stream(sessionID, { direction: "asc" })
    return
  }
  const ids = await Array.fromAsync(store.messages.ids(sessionID, { limit }))
  for (const id of ids.reverse()) {
    try {
      const info = await store.messages.get(["message", sessionID, id])
      if (info) yield { info, parts: await Array.fromAsync(store.parts.list(id)) }
    } catch (error) {
      // It became unreadable since it was listed; the next listing reports it.
      if (!isStoreError(error)) throw error
    }
  }
}

/** `messages`: a session's messages with their parts. */
export function messagesCommand(context: Context): Command {
  return new Command("messages")
    .description("print a session's messages with their parts, oldest first")
    .argument("<session>", "a session's id")
    .option("--limit <count>", "only this many, the newest", count)
    .action(async (sessionID: string, flags: { limit?: number }, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        let printed = 0
        for await (const message of tail(store, sessionID, flags.limit)) {
          printed++
          if (json) await output.json(message)
          else for (const line of messageLines(message, output)) await output.line(line)
        }
        if (printed > 0 || flags.limit === 0 || (await store.sessions.get(sessionID))) return
        throw await absentSession(store, sessionID)
      })
    })
}
