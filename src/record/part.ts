import type { TokenCounts } from "./message.ts"

interface PartIdentity {
  id: string
  sessionID: string
  messageID: string
  [field: string]: unknown
}

/** When something began and ended, in ms since 1970; what still runs has no end. */
export interface Span {
  start: number
  end?: number
}

/** What was said. */
export interface TextPart extends PartIdentity {
  type: "text"
  text: string
  synthetic?: boolean
  ignored?: boolean
  time?: Span
  metadata?: Record<string, unknown>
}

/** What the model thought. */
export interface ReasoningPart extends PartIdentity {
  type: "reasoning"
  text: string
  time: Span
  metadata?: Record<string, unknown>
}

/** The state of a tool call. */
export type ToolState =
  | { status: "pending"; input?: unknown; raw?: string }
  | { status: "running"; input: unknown; title?: string; metadata?: Record<string, unknown>; time: Span }
  | {
      status: "completed"
      input: unknown
      output: string
      title: string
      metadata: Record<string, unknown>
      time: Span
      attachments?: FilePart[]
    }
  | { status: "error"; input: unknown; error: string; metadata?: Record<string, unknown>; time: Span }

/** A tool call with its input and output. */
export interface ToolPart extends PartIdentity {
  type: "tool"
  callID: string
  tool: string
  metadata?: Record<string, unknown>
  state: ToolState
}

/** An attached file; its `url` may hold the data itself. */
export interface FilePart extends PartIdentity {
  type: "file"
  mime: string
  url: string
  filename?: string
  source?: unknown
}

/** Where a step of the model begins. */
export interface StepStartPart extends PartIdentity {
  type: "step-start"
  snapshot?: string
}

/** Where a step of the model ends, with its cost and tokens. */
export interface StepFinishPart extends PartIdentity {
  type: "step-finish"
  cost: number
  tokens: TokenCounts
  reason?: string
  snapshot?: string
}

/** A state of the work tree. */
export interface SnapshotPart extends PartIdentity {
  type: "snapshot"
  snapshot: string
}

/** Which files a step changed. */
export interface PatchPart extends PartIdentity {
  type: "patch"
  hash: string
  files: string[]
}

/** A mention of an agent. */
export interface AgentPart extends PartIdentity {
  type: "agent"
  name: string
  source?: unknown
}

/** A failed attempt that was retried. */
export interface RetryPart extends PartIdentity {
  type: "retry"
  attempt: number
  error: unknown
  time: { created: number }
}

/** Where the history was compacted into a summary. */
export interface CompactionPart extends PartIdentity {
  type: "compaction"
  auto: boolean
}

/** Work given to another agent. */
export interface SubtaskPart extends PartIdentity {
  type: "subtask"
  prompt: string
  description: string
  agent: string
}

/** One piece of a message, told apart by `type`. */
export type Part =
  | TextPart
  | ReasoningPart
  | ToolPart
  | FilePart
  | StepStartPart
  | StepFinishPart
  | SnapshotPart
  | PatchPart
  | AgentPart
  | RetryPart
  | CompactionPart
  | SubtaskPart
