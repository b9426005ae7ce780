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

/** The result of a tool call. */
export interface ToolResult {
  /** What the model was told. */
  readonly output?: string | undefined
  /** What went wrong, if it failed. */
  readonly error?: string | undefined
  readonly title?: string | undefined
  readonly start?: number | undefined
  readonly end?: number | undefined
  readonly metadata?: JsonObject | undefined
  /** Images and other files that came with it, as `file` parts. */
  readonly attachments?: readonly JsonObject[] | undefined
}

/**
 * One part for a tool call, however many lines tell of it. A call without a result was aborted, unless it is the last thing in the
 * transcript: then it may still run.
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
