import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { OutlinedMessage, TranscriptMessage } from "../../agent.ts"
import { toolPart } from "../../tool-part.ts"
import {
  callIDOf,
  callsIn,
  elementsOf,
  isAcknowledgement,
  isFrame,
  isThought,
  piecesOf,
  responsesIn,
  speakerOf,
  spokenText,
  timeOf,
  toolCallsOf,
} from "./content.ts"
import type { About } from "./message-outlines.ts"
import { attachmentOf, resultOf } from "./tool-result.ts"

/** Fields of a message's line that have a place of their own. `type` tells the role. */
const PLACED = new Set([
  "id",
  "timestamp",
  "type",
  "content",
  "displayContent",
  "thoughts",
  "tokens",
  "model",
  "toolCalls",
  "thoughtSignature",
])

/** What a message's lines say. */
export function messageOf(outlinedMessage: OutlinedMessage, lines: readonly unknown[]): TranscriptMessage {
  const about: About = outlinedMessage.about ?? {}
  const records = lines.map((line, place) => {
    const at = about.at?.[place] ?? null
    return fieldsOf(at === null ? line : elementsOf(line)?.[at])
  })
  const [record = {}, ...results] = records
  const responses = results.flatMap(({ content }) => piecesOf(content))
  const time = outlinedMessage.created
  if (outlinedMessage.role === "user")
    return { info: present({ role: "user", metadata: restOf(record) }), parts: userParts(record) }
  const { directory, parent } = about
  return {
    info: present({
      role: "assistant",
      parentID: parent,
      ...(record.type === "gemini" && {
        modelID: isText(record.model) ? record.model : undefined,
        providerID: isText(record.model) ? "google" : undefined,
        tokens: tokensOf(record.tokens),
        time: { completed: completionOf(record) },
      }),
      path: directory === undefined ? undefined : { cwd: directory, root: directory },
      summary: about.isSummary,
      error: record.type === "error" ? errorOf(record) : undefined,
      metadata: restOf(record),
    }),
    parts: assistantParts(record, responses, time, about),
  }
}

function assistantParts(
  record: JsonObject,
  responses: readonly JsonObject[],
  time: number,
  about: About,
): JsonObject[] {
  const pieces = piecesOf(record.content)
  if (about.isSummary) return [{ type: "compaction" }, ...pieces.flatMap((piece) => contentPart(piece))]
  const speaker = speakerOf(record.type)
  // Results without the calls they belong to.
  if (speaker === "user") return strayParts(pieces)
  if (speaker === "notice") return pieces.flatMap((piece) => contentPart(piece, true))
  return [
    ...thoughtParts(record, pieces),
    ...pieces.flatMap((piece) => contentPart(piece, isAcknowledgement(spokenText(piece) ?? ""))),
    ...callParts(record, pieces, responses, time, about.mayRun ?? false),
  ]
}

function userParts(record: JsonObject): JsonObject[] {
  const shown = piecesOf(record.displayContent).flatMap((piece) => spokenText(piece) ?? [])
  const pieces = piecesOf(record.content)
  // What stood on the screen is the person's; what else the model was given, as the files that were named, the agent put there.
  const extra = shown.length > 0 ? pieces.filter((piece) => !shown.includes(spokenText(piece) ?? "")) : pieces
  let isInserted = false
  return [
    ...shown.map((text) => ({ type: "text", text })),
    ...extra.flatMap((piece) => {
      const text = spokenText(piece)
      isInserted ||= text !== undefined && INSERTED.test(text)
      return contentPart(piece, text !== undefined && (shown.length > 0 || isInserted || isFrame(text)))
    }),
  ]
}

/** What stands before the contents of files that a person named with `@`: all that follows is the agent's. */
const INSERTED = /^\s*--- Content from referenced files ---/

/** The thoughts that the line lists; else those in the content, where a resume puts them. */
function thoughtParts({ thoughts }: JsonObject, pieces: readonly JsonObject[]): JsonObject[] {
  const listed = Array.isArray(thoughts) ? thoughts.filter(isJsonObject) : []
  if (listed.length === 0) return pieces.filter(isThought).map(({ text }) => ({ type: "reasoning", text }))
  return listed.map(({ subject, description, timestamp, thoughtSignature: _, ...rest }) => {
    const time = timeOf(timestamp)
    const text = [isText(subject) ? `**${subject}**` : "", isText(description) ? description : ""]
    return present({
      type: "reasoning",
      text: text.filter((piece) => piece !== "").join("\n\n"),
      time: time > 0 ? { start: time, end: time } : undefined,
      metadata: Object.keys(rest).length > 0 ? rest : undefined,
    })
  })
}

/** Texts and files; calls, their results and thoughts have parts of their own. What no release we know of writes is kept as it is. */
function contentPart(piece: JsonObject, isSynthetic = false): JsonObject[] {
  const synthetic = isSynthetic || undefined
  const { text, functionCall, functionResponse, thoughtSignature: _, ...rest } = piece
  if (isThought(piece) || functionCall !== undefined || functionResponse !== undefined) return []
  if (typeof text === "string") return text === "" ? [] : [present({ type: "text", text, synthetic })]
  const file = attachmentOf(piece)
  if (file) return [file]
  return Object.keys(rest).length === 0 ? [] : [{ type: "unknown", value: rest }]
}

function callParts(
  record: JsonObject,
  pieces: readonly JsonObject[],
  responses: readonly JsonObject[],
  time: number,
  mayRun: boolean,
): JsonObject[] {
  const calls = callsOf(record, pieces)
  const byID = responsesByID(responses)
  return calls.map((call, at) => {
    const id = callIDOf(call)
    const { start, result } = resultOf(call, (id === undefined ? undefined : byID.get(id)) ?? [], time)
    const tool = isText(call.name) ? call.name : "unknown"
    return toolPart({ callID: id ?? `call_${at}`, tool, input: call.args ?? {}, start }, result, mayRun)
  })
}

/** The calls that the line lists, and of those in its content the ones that it does not; a call said twice counts once. */
function callsOf(record: JsonObject, pieces: readonly JsonObject[]): readonly JsonObject[] {
  const calls = new Map<unknown, JsonObject>()
  for (const call of [...callsIn(pieces), ...toolCallsOf(record)]) calls.set(callIDOf(call) ?? call, call)
  return [...calls.values()]
}

/** A call's result and the files beside it: those that follow it, up to the next result. */
function responsesByID(pieces: readonly JsonObject[]): ReadonlyMap<string, readonly JsonObject[]> {
  const byID = new Map<string, JsonObject[]>()
  let current: JsonObject[] | undefined
  for (const piece of pieces) {
    const response = piece.functionResponse
    if (isJsonObject(response)) {
      const id = callIDOf(response) ?? ""
      // Said before: by another copy of the message.
      current = byID.has(id) ? undefined : []
      if (current) byID.set(id, current)
    }
    current?.push(piece)
  }
  return byID
}

function strayParts(pieces: readonly JsonObject[]): JsonObject[] {
  return responsesIn(pieces).map((response, at) => {
    const { result } = resultOf({}, [{ functionResponse: response }], 0)
    const tool = isText(response.name) ? response.name : "unknown"
    return toolPart({ callID: callIDOf(response) ?? `call_${at}`, tool, input: {} }, result, false)
  })
}

/**
 * Gemini counts cached tokens in the input, and thoughts apart from the output; what a tool put into the request is input too.
 * Proof: `usageMetadata` of the API and `recordMessageTokens` of 0.61.
 */
function tokensOf(tokens: unknown): JsonObject | undefined {
  if (!isJsonObject(tokens)) return undefined
  const count = (value: unknown) =>
    typeof value === "number" && Number.isFinite(value) ? Math.max(value, 0) : 0
  const read = count(tokens.cached)
  return {
    input: Math.max(count(tokens.input) - read, 0) + count(tokens.tool),
    output: count(tokens.output),
    reasoning: count(tokens.thoughts),
    cache: { read, write: 0 },
  }
}

/** A line is written when the answer is there, and again with the results of its calls. */
function completionOf(record: JsonObject): number | undefined {
  const times = [record, ...toolCallsOf(record)].map(({ timestamp }) => timeOf(timestamp))
  const last = times.reduce((a, b) => Math.max(a, b), 0)
  return last > 0 ? last : undefined
}

function errorOf({ content }: JsonObject): JsonObject {
  const message = piecesOf(content).flatMap((piece) => spokenText(piece) ?? [])
  return { name: "UnknownError", data: { message: message.join("\n") } }
}

function restOf(record: JsonObject): JsonObject | undefined {
  const rest = Object.fromEntries(Object.entries(record).filter(([name]) => !PLACED.has(name)))
  const type = speakerOf(record.type) === "notice" ? record.type : undefined
  const metadata = present({ ...rest, type })
  return Object.keys(metadata).length > 0 ? metadata : undefined
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}
