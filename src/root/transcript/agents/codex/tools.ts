import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { jsonLine } from "../../../../record/json-text.ts"
import { present } from "../../../../record/present.ts"
import type { ToolCall, ToolResult } from "../../tool-part.ts"
import { callOf, numberOf, objectsOf, textOf } from "./line.ts"
import { fileOf } from "./words.ts"

/** A line of a call, and when it was written. */
export interface CallLine {
  readonly payload: JsonObject
  readonly at: number
}

/** Of the heads that releases put before an output: what they tell of it. */
const EXIT = /^(?:Process exited with code|Exit code:) (-?\d+)$/m
const HEAD = 400
/** What the model is told of a call that the person stopped (0.100 to 0.171). */
const ABORTED = /^(?:Wall time: .*\n)?aborted(?: by user.*)?\s*$/

/** What a call of a tool says. @param place a name for one that has none */
export function toolCall({ payload, at }: CallLine, place: string): ToolCall {
  const { type, name, namespace } = payload
  const callID = callOf(payload) ?? place
  const start = at || undefined
  if (type === "local_shell_call")
    return { callID, tool: "local_shell", input: withoutType(payload.action), start }
  if (type === "web_search_call")
    return {
      callID,
      tool: "web_search",
      input: withoutType(payload.action),
      start,
      metadata: kindOf(payload.action),
    }
  if (type === "image_generation_call")
    return { callID, tool: "image_generation", input: present({ prompt: payload.revised_prompt }), start }
  if (type === "tool_search_call")
    return { callID, tool: "tool_search", input: parsed(payload.arguments), start }
  const server = textOf(namespace)
  const tool = textOf(name) ?? "unknown"
  return {
    callID,
    // A server's tools are named by both, as releases did that wrote it all into the name.
    tool: server?.startsWith("mcp__") ? `${server.replace(/_+$/, "")}__${tool}` : tool,
    input: type === "custom_tool_call" ? payload.input : parsed(payload.arguments),
    start,
    metadata: server === undefined ? undefined : { namespace: server },
  }
}

/** What a call gave that the model's side carried out. */
export function resultElsewhere({ payload, at }: CallLine): ToolResult {
  const end = at || undefined
  if (payload.status === "failed") return { error: "failed", end }
  const image = textOf(payload.result)
  const isImage = payload.type === "image_generation_call" && image !== undefined
  const url = isImage && image.startsWith("data:") ? image : `data:image/png;base64,${image}`
  return { end, ...(isImage && { attachments: [{ type: "file", mime: "image/png", url }] }) }
}

/** What a tool gave, by its output, by the event of its end, or both; `undefined` where neither was written. */
export function toolResult(output: CallLine | undefined, end: CallLine | undefined): ToolResult | undefined {
  if (!output && !end) return undefined
  const said = outputOf(output?.payload)
  const told = endOf(end?.payload)
  const text = said.text ?? told.text
  const exit = told.exit ?? said.exit
  const isAborted = text !== undefined && ABORTED.test(text.slice(0, HEAD))
  const failed = said.failed || told.failed || isAborted
  const error = exit !== undefined && exit !== 0 && !isAborted ? `Exited with code ${exit}` : undefined
  const metadata = present({ exit, duration: said.duration, ...told.metadata })
  return present({
    output: error === undefined && failed ? undefined : text,
    error: error ?? (failed ? (told.error ?? (text || "failed")) : undefined),
    start: numberOf(end?.payload.started_at_ms),
    end: numberOf(end?.payload.completed_at_ms) ?? (output?.at || end?.at || undefined),
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    attachments: said.files.length > 0 ? said.files : undefined,
  }) as ToolResult
}

interface Output {
  readonly text: string | undefined
  readonly files: JsonObject[]
  readonly failed: boolean
  readonly exit?: number | undefined
  /** ms */
  readonly duration?: number | undefined
}

/** The output that the model saw: a text, pieces, or a text in JSON with the exit code beside (0.29 to 0.58). */
function outputOf(payload: JsonObject | undefined): Output {
  if (payload?.type === "tool_search_output")
    return { text: payload.tools === undefined ? "" : jsonLine(payload.tools), files: [], failed: false }
  const body = payload?.output
  const wrapped = fieldsOf(body)
  const failed = wrapped.success === false
  if (body === undefined || body === null) return { text: undefined, files: [], failed }
  if (typeof body !== "string") {
    const items = objectsOf(isJsonObject(body) ? body.content : body)
    const texts = items.flatMap(({ text }) => textOf(text) ?? [])
    const files = items.flatMap((item): JsonObject[] => {
      const file = fileOf(item)
      return file ? [file] : []
    })
    return { text: textOf(wrapped.content) ?? texts.join("\n"), files, failed }
  }
  const inner = body.startsWith('{"output":') ? fieldsOf(parsed(body)) : {}
  if (typeof inner.output === "string") {
    const { exit_code, duration_seconds } = fieldsOf(inner.metadata)
    const seconds = numberOf(duration_seconds)
    return {
      text: inner.output,
      files: [],
      failed,
      exit: numberOf(exit_code),
      duration: seconds === undefined ? undefined : Math.round(seconds * 1000),
    }
  }
  const head = body.slice(0, HEAD).split("Output:\n", 1)[0] ?? ""
  const exit = /^(?:Chunk ID|Wall time|Exit code)/.test(head) ? head.match(EXIT)?.[1] : undefined
  return { text: body, files: [], failed, exit: exit === undefined ? undefined : Number(exit) }
}

interface End {
  readonly text?: string | undefined
  readonly exit?: number | undefined
  readonly failed: boolean
  readonly error?: string | undefined
  readonly metadata?: JsonObject
}

/** What the event of a call's end tells: the finished item (since about 0.16x), or an event of its kind before that. */
function endOf(payload: JsonObject | undefined): End {
  if (!payload) return { failed: false }
  const item = isJsonObject(payload.item) ? payload.item : payload
  const { status, success, result, changes, server, invocation, receiver_thread_ids: children } = item
  const called = fieldsOf(invocation)
  const outcome = fieldsOf(fieldsOf(result).Ok ?? result)
  const error = textOf(fieldsOf(result).Err) ?? textOf(fieldsOf(item.error).message) ?? textOf(item.error)
  const contents = objectsOf(outcome.content).flatMap(({ text }) => textOf(text) ?? [])
  return {
    text:
      textOf(item.aggregated_output) ??
      textOf(item.stdout) ??
      (contents.length > 0 ? contents.join("\n") : undefined),
    exit: numberOf(item.exit_code),
    failed:
      status === "failed" ||
      status === "declined" ||
      success === false ||
      error !== undefined ||
      outcome.isError === true ||
      outcome.is_error === true,
    error: error ?? (status === "declined" ? "declined" : undefined),
    metadata: present({
      cwd: textOf(item.cwd)?.replace(/^file:\/\//, ""),
      server: textOf(server) ?? textOf(called.server),
      files: isJsonObject(changes) ? Object.keys(changes) : undefined,
      sessionIDs: Array.isArray(children) ? children : undefined,
    }),
  }
}

/** A call's input, which is JSON in a text as a rule; the text where it is not. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text ?? {}
  try {
    return JSON.parse(text)
  } catch {
    // A patch, or a program, is no JSON.
    return text
  }
}

function withoutType(action: unknown): JsonObject {
  const { type: _, ...rest } = fieldsOf(action)
  return rest
}

function kindOf(action: unknown): JsonObject | undefined {
  const kind = textOf(fieldsOf(action).type)
  return kind === undefined ? undefined : { action: kind }
}
