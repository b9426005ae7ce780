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
