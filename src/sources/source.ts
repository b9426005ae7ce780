import type { AgentName } from "../root/transcript/agents.ts"

/** The agents whose histories can be read: `opencode`, `claude-code`, `codex`, `gemini-cli`. */
export type SourceName = "opencode" | AgentName

/** The history of one agent: whose it is, and the folder that the agent keeps it in. */
export interface Source {
  readonly name: SourceName
  /** Of opencode its data folder, of the others the folder of their settings, as `~/.codex`. */
  readonly place: string
  /** A database of opencode's under another name, as its `OPENCODE_DB` tells: absolute, or relative to `place`. */
  readonly database?: string | undefined
}
