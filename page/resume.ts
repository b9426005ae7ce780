import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { numberOf, textOf } from "./format.ts"

/** What goes on with a session of each agent, by its id. */
const COMMANDS: Readonly<Record<string, (id: string, isArchived: boolean) => readonly string[]>> = {
  opencode: (id) => [`opencode -s ${id}`],
  "claude-code": (id) => [`claude --resume ${id}`],
  // Codex refuses to go on with what is archived.
  codex: (id, isArchived) => [...(isArchived ? [`codex unarchive ${id}`] : []), `codex resume ${id}`],
  "gemini-cli": (id) => [`gemini --resume ${id}`],
}
/** What an id of an agent's own is like: nothing in it means anything to a shell, or is taken for an option. */
const ID = /^\w[\w.-]{0,199}$/
/** What one cannot see would be pasted into a terminal, where it may do anything. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const WINDOWS = /^(?:[A-Za-z]:[\\/]|\\\\)/

/**
 * The command that goes on with a session, in the directory it ran in: for a POSIX shell, on Windows for PowerShell. None where its
 * agent has none, as for what subagents did, or where the command would hold what nobody can see.
 */
export function resumeCommand(source: string, session: JsonObject): string | undefined {
  const id = textOf(session.id)
  const directory = textOf(session.directory)
  const command = Object.hasOwn(COMMANDS, source) ? COMMANDS[source] : undefined
  if (!command || !ID.test(id) || UNSEEN.test(directory)) return undefined
  // Only opencode opens the sessions of its subagents. Those of others, and what was left by going back, have ids of ours.
  if (textOf(session.parentID) !== "" && source !== "opencode") return undefined
  const isWindows = WINDOWS.test(directory)
  const change = isWindows || directory.startsWith("/") ? [`cd ${quoted(directory, isWindows)}`] : []
  const isArchived = numberOf(fieldsOf(session.time).archived) > 0
  return [...change, ...command(id, isArchived)].join(isWindows ? "; " : " && ")
}

/** A path as one word of a shell. */
function quoted(path: string, isWindows: boolean): string {
  if (/^[\w@+:,./\\-]+$/.test(path) && (isWindows || !path.includes("\\"))) return path
  // PowerShell takes typographic quotes for quotes too.
  return isWindows ? `'${path.replace(/['‘’‚‛]/g, "$&$&")}'` : `'${path.replaceAll("'", "'\\''")}'`
}
