import type { TranscriptAgent } from "./agent.ts"
import { claudeCode } from "./agents/claude-code.ts"
import { codex } from "./agents/codex.ts"
import { geminiCli } from "./agents/gemini-cli.ts"

/** Every agent whose transcripts can be read, by the name of its source: a new one is a file in `agents/` and a line here. */
export const AGENTS = {
  "claude-code": claudeCode,
  codex,
  "gemini-cli": geminiCli,
} as const satisfies Record<string, TranscriptAgent>

/** The name of an agent that keeps transcripts. */
export type AgentName = keyof typeof AGENTS
