import type { Command } from "commander"
import type { Context } from "../context.ts"
import { sessionRow } from "../session-row.ts"
import { withStore } from "../session-store.ts"

/** How many sessions are shown where no command is named. */
const NEWEST = 20

/** What happens where no command is named: the newest sessions are listed. */
export async function showNewest(context: Context, program: Command): Promise<void> {
  await withStore(context, program, async (store, { json }) => {
    const { output } = context
    const several = store.health().alsoReading.length > 0
    let shown = 0
    for await (const found of store.sessions.listWithOrigin({ limit: NEWEST })) {
      shown++
      if (json) await output.json(several ? found : found.session)
      else await sessionRow(output, store, found)
    }
    if (shown === 0) output.note("No sessions yet. `sessiondex sources` shows where it looked.")
    if (shown === 0 || json || !output.isTerminal) return
    const which = shown < NEWEST ? "These are all sessions" : `These are the newest ${NEWEST} sessions`
    output.note(
      `${which}. \`sessiondex sessions\` lists and filters them, \`sessiondex --help\` shows all commands.`,
    )
  })
}

/** Whether a command line names no command, only options. */
export function isBare(program: Command, argv: readonly string[]): boolean {
  for (let at = 0; at < argv.length; at++) {
    const text = argv[at] ?? ""
    if (!text.startsWith("-") || text === "--") return false
    const option = program.options.find(({ short, long }) => text === short || text === long)
    if (option?.required) at++
  }
  return true
}
