import { fieldsOf, isJsonObject, type JsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"
import { partIdOf } from "../part-id.ts"
import { contentPart } from "./part-v2.ts"

/** Types of rows between messages with which opencode 2 notes switches and idle times: bookkeeping, not history. */
export const MARKS = ["agent-switched", "model-switched", "idle"] as const

/** The roles of types that are no roles themselves: a person runs a `shell` command, and a model writes the summary of a compaction. */
const ROLES: Readonly<Record<string, string>> = { synthetic: "user", shell: "user", compaction: "assistant" }

/** A message of opencode 2 with its parts, in our shapes. */
export interface Converted {
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/** Fields of any message's data that have a place in its body or parts. */
const PLACED = ["time", "agent", "model", "finish", "cost", "tokens", "error", "text", "files", "content"]
/** Further fields with a place, by type of message. */
const PLACED_IN: Readonly<Record<string, readonly string[]>> = {
  compaction: ["reason", "summary"],
  shell: ["callID", "shellID", "command", "output"],
}

/**
 * Converts a message of opencode 2 to the records that 1.x would have: the role comes from its type, and each piece of content becomes a
 * part with a stable id. Fields that have no place there are kept under `metadata`.
 */
export function convertMessage(id: string, sessionID: string, type: string, data: JsonObject): Converted {
  const model = fieldsOf(data.model)
  const role = ROLES[type] ?? type
  const placed = new Set([...PLACED, ...(PLACED_IN[type] ?? [])])
  const rest = Object.entries(data).filter(([name]) => !placed.has(name))
  const metadata = present({ ...(ROLES[type] !== undefined && { type }), ...Object.fromEntries(rest) })
  const info = present({
    role,
    time: data.time,
    agent: data.agent,
    ...(role === "assistant"
      ? { mode: data.agent, modelID: model.id, providerID: model.providerID, variant: model.variant }
      : { model: modelOf(data.model) }),
    cost: data.cost,
    tokens: data.tokens,
    summary: type === "compaction" ? true : undefined,
    finish: data.finish,
    error: errorOf(data.error),
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    id,
    sessionID,
  })
  const parts = piecesOf(type, data).map((part, at) => ({
    ...part,
    id: partIdOf(id, at),
    sessionID,
    messageID: id,
  }))
  return { info, parts }
}

function piecesOf(type: string, data: JsonObject): JsonObject[] {
  const pieces: JsonObject[] = []
  if (type === "compaction") pieces.push(present({ type: "compaction", auto: data.reason !== "manual" }))
  if (type === "shell") pieces.push(shellPart(data))
  // The agent wrote it, not the person.
  const synthetic = type === "synthetic" || type === "system" ? true : undefined
  const text = type === "compaction" ? (data.summary ?? data.text) : data.text
  if (typeof text === "string") pieces.push(present({ type: "text", text, synthetic }))
  for (const file of listOf(data.files)) pieces.push(filePart(file))
  for (const content of listOf(data.content)) pieces.push(contentPart(content))
  return pieces
}

function shellPart(data: JsonObject): JsonObject {
  const { created, completed } = fieldsOf(data.time)
  return {
    type: "tool",
    callID: data.callID ?? data.shellID,
    tool: "shell",
    state: present({
      status: completed === undefined ? "running" : "completed",
      input: { command: data.command },
      output: data.output,
      time: present({ start: created, end: completed }),
    }),
  }
}

/** An attached file. The names of its fields changed between releases. */
function filePart(file: unknown): JsonObject {
  const { uri, url, mime, mimeType, name, filename, source, ...rest } = fieldsOf(file)
  return present({
    type: "file",
    mime: mime ?? mimeType,
    url: url ?? uri,
    filename: filename ?? name,
    source,
    metadata: Object.keys(rest).length > 0 ? rest : undefined,
  })
}

/** A model, with the field names that 1.x uses in a person's messages. */
function modelOf(model: unknown): unknown {
  if (!isJsonObject(model)) return undefined
  const { id, ...rest } = model
  return present({ ...rest, modelID: id ?? rest.modelID })
}

function errorOf(error: unknown): unknown {
  if (!isJsonObject(error) || error.name !== undefined) return error
  const { type, ...data } = error
  return { name: type ?? "UnknownError", data }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
