import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"

/** A line of a rollout, in whatever generation's form. */
export interface RolloutLine {
  readonly type: string
  readonly payload: JsonObject
  /** What stands beside the payload, as `metadata` of releases since 0.16x. */
  readonly beside: JsonObject
  /** When it was written, ms since 1970; 0 where the line does not tell. */
  readonly at: number
}

/** Events of which the items are lines too. */
const EVENTS_SAID_TWICE = [
  "agent_message",
  "agent_reasoning",
  "agent_reasoning_raw_content",
  "agent_reasoning_section_break",
  "context_compacted",
  "user_message",
]
/** Finished items that are lines too. */
const ITEMS_SAID_TWICE = ["AgentMessage", "ContextCompaction", "Reasoning", "UserMessage"]
const TEXT = String.raw`"[^"\\]*"`
const KINDS = [
  `world_state"`,
  `response_item","payload":{"type":"ghost_snapshot"`,
  `event_msg","payload":{"type":"(?:${EVENTS_SAID_TWICE.join("|")})"`,
  `event_msg","payload":{"type":"item_completed","thread_id":${TEXT},"turn_id":${TEXT},"item":{"type":"(?:${ITEMS_SAID_TWICE.join("|")})"`,
]
const BOOKKEEPING = new RegExp(
  `^{(?:"record_type":"state"}|"timestamp":${TEXT},(?:"ordinal":[0-9]+,)?"type":"(?:${KINDS.join("|")}))`,
)
const ENOUGH = 280

/** Tells lines by their bytes that a fold passes over: states of the client, and all that is said twice. */
export function isBookkeeping(bytes: Uint8Array): boolean {
  return BOOKKEEPING.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, ENOUGH)).toString("latin1"),
  )
}

/**
 * Reads a line's form. Since about 0.44 each is `{timestamp, type, payload}` (fixtures of 0.47 to 0.171). Those of 0.29 are bare:
 * the meta first, then items, and `{record_type: "state"}` between them.
 * @returns `undefined` for bookkeeping, and for what no release writes
 */
export function rolloutLine(value: unknown): RolloutLine | undefined {
  if (!isJsonObject(value)) return undefined
  const { type, payload, timestamp } = value
  if (typeof type === "string" && isJsonObject(payload)) {
    return isPassedOver(type, payload) ? undefined : { type, payload, beside: value, at: timeOf(timestamp) }
  }
  if (typeof type === "string") return { type: "response_item", payload: value, beside: {}, at: 0 }
  if (typeof value.id !== "string" || value.record_type !== undefined) return undefined
  return { type: "session_meta", payload: value, beside: {}, at: timeOf(timestamp) }
}

function isPassedOver(type: string, payload: JsonObject): boolean {
  if (type === "world_state") return true
  const kind = textOf(payload.type) ?? ""
  if (type === "response_item") return kind === "ghost_snapshot"
  if (type !== "event_msg") return false
  if (kind === "item_completed") return ITEMS_SAID_TWICE.includes(textOf(fieldsOf(payload.item).type) ?? "")
  return EVENTS_SAID_TWICE.includes(kind)
}

/** A time as ms since 1970; 0 for what is none. */
export function timeOf(value: unknown): number {
  const time = typeof value === "string" ? Date.parse(value) : 0
  return Number.isNaN(time) ? 0 : Math.max(time, 0)
}

/** A text that says something; `undefined` for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}

/** A number that is one. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** A list's objects; none where it is no list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** Which call of a tool an item or an event is of: its `call_id`, or the id under which older releases and finished items tell it. */
export function callOf(payload: JsonObject): string | undefined {
  return textOf(payload.call_id) ?? textOf(fieldsOf(payload.item).id) ?? textOf(payload.id)
}

/** Calls of tools that get an output of their own. */
export const CALLS: ReadonlySet<unknown> = new Set([
  "function_call",
  "custom_tool_call",
  "local_shell_call",
  "tool_search_call",
])
/** Calls that the model's side carries out: the item is all there is. */
export const CALLS_ELSEWHERE: ReadonlySet<unknown> = new Set(["web_search_call", "image_generation_call"])
/** What tools gave. */
export const OUTPUTS: ReadonlySet<unknown> = new Set([
  "function_call_output",
  "custom_tool_call_output",
  "mcp_tool_call_output",
  "local_shell_call_output",
  "tool_search_output",
])
/** Events that tell of a call what its output does not: its status, its times, its exit code. */
export const ENDS: ReadonlySet<unknown> = new Set([
  "exec_command_end",
  "mcp_tool_call_end",
  "patch_apply_end",
  "item_completed",
])
