import type { FileDiff } from "./project.ts"

/** What a person, or a parent agent, asked. */
export interface UserMessage {
  id: string
  sessionID: string
  role: "user"
  time: { created: number }
  summary?: { title?: string; body?: string; diffs: FileDiff[] }
  agent?: string
  model?: { providerID: string; modelID: string; variant?: string }
  system?: string
  tools?: Record<string, boolean>
  [field: string]: unknown
}

/** Tokens of one model call. */
export interface TokenCounts {
  input: number
  output: number
  reasoning: number
  cache: { read: number; write: number }
  total?: number
}

/** What the model answered. An interrupted answer has no `time.completed`. */
export interface AssistantMessage {
  id: string
  sessionID: string
  role: "assistant"
  time: { created: number; completed?: number }
  parentID?: string
  modelID: string
  providerID: string
  mode: string
  agent?: string
  path: { cwd: string; root: string }
  cost: number
  tokens: TokenCounts
  system?: string[]
  summary?: boolean
  finish?: string
  error?: { name: string; data: unknown }
  [field: string]: unknown
}

/** A message of either side, told apart by its `role`. */
export type Message = UserMessage | AssistantMessage
