import type { JsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"

/** A tool that a model called. */
export interface ToolCall {
  readonly callID: string
  readonly tool: string
  readonly input: unknown
  /** ms since 1970. */
  readonly start?: number | undefined
  readonly metadata?: JsonObject | undefined
}

/** What a tool gave. */
export interface ToolResult {
  /** What the model was told. */
  readonly output?: string | undefined
  /** What went wrong, where it failed. */
  readonly error?: string | undefined
  readonly title?: string | undefined
  readonly start?: number | undefined
  readonly end?: number | undefined
  readonly metadata?: JsonObject | undefined
  /** Images and other files that came with it, as `file` parts. */
  readonly attachments?: readonly JsonObject[] | undefined
}

/**
 * One part for a call of a tool, however many lines it took. One without a result was aborted, unless it is the last thing that was
 * done: then it may be running.
 */
export function toolPart(call: ToolCall, result: ToolResult | undefined, mayRun: boolean): JsonObject {
  const { callID, tool, input, metadata } = call
  const part = (state: JsonObject): JsonObject =>
    present({ type: "tool", callID, tool, metadata, state: present(state) })
  const start = result?.start ?? call.start
  if (!result) {
    const time = present({ start })
    return mayRun
      ? part({ status: "running", input, time })
      : part({ status: "error", input, error: "Tool execution aborted", time })
  }
  const { output, error, title, end, attachments } = result
  const time = present({ start, end })
  const kept = result.metadata
  return error === undefined
    ? part({ status: "completed", input, output: output ?? "", title, metadata: kept, time, attachments })
    : part({ status: "error", input, output, error, title, metadata: kept, time, attachments })
}
