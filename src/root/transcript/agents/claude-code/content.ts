import { fieldsOf, type JsonObject } from "../../../../record/extract.ts"

/** A text that says something, or `undefined`. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}

/** The blocks of a message's content; a text alone, and texts among blocks, are text blocks. */
export function blocksOf(content: unknown): JsonObject[] {
  const list = Array.isArray(content) ? content : content === undefined || content === null ? [] : [content]
  return list.map((block: unknown) =>
    typeof block === "string" ? { type: "text", text: block } : fieldsOf(block),
  )
}

/** What stands on the person's side in a line: what was said while the agent worked is an attachment (reports of 2.1). */
export function saidIn(line: JsonObject): unknown {
  if (line.type !== "attachment") return fieldsOf(line.message).content
  const { type, prompt } = fieldsOf(line.attachment)
  return type === "queued_command" ? prompt : undefined
}

/** Whether a line on the person's side was put there by the agent, or by another one. */
export function isInjected(line: JsonObject): boolean {
  const { kind } = fieldsOf(fieldsOf(line.attachment).origin)
  return line.isMeta === true || (kind !== undefined && kind !== "human")
}

/** The time of a line, ms since 1970; 0 where it tells none. */
export function timeOf(line: JsonObject): number {
  const time = typeof line.timestamp === "string" ? Date.parse(line.timestamp) : Number.NaN
  return Number.isFinite(time) ? Math.max(time, 0) : 0
}

/** The id of the call that a block is, or `undefined` for other blocks: `tool_use`, `server_tool_use`, `mcp_tool_use`. */
export function callOf({ type, id }: JsonObject): string | undefined {
  return typeof type === "string" && /^(?:\w+_)?tool_use$/.test(type) ? textOf(id) : undefined
}

/** The id of the call that a block answers: `tool_result`, and what the provider's own tools gave, as `web_search_tool_result`. */
export function answeredBy({ type, tool_use_id }: JsonObject): string | undefined {
  return typeof type === "string" && /^(?:\w+_)?tool_result$/.test(type) ? textOf(tool_use_id) : undefined
}
