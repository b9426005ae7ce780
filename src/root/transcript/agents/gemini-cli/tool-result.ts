import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import { firstWords } from "../../first-words.ts"
import type { ToolResult } from "../../tool-part.ts"
import { callIDOf, piecesOf, responsesIn, spokenText, timeOf } from "./content.ts"

/** Fields of a call that have a place of their own, or tell only how its result is drawn. */
const PLACED = new Set([
  "id",
  "name",
  "args",
  "result",
  "status",
  "timestamp",
  "description",
  "resultDisplay",
  "agentId",
  "renderOutputAsMarkdown",
  "thoughtSignature",
])

/** Statuses of a call that did not do what it should (`CoreToolCallStatus` of 0.61; `canceled` is not written by it). */
const FAILED = new Set(["error", "cancelled", "canceled"])

/**
 * What a call gave: by its own `result`, else by a message that carries it. A call is written down when it has ended, with that time.
 * @param elsewhere its result, and the files beside it, from another message
 * @param start when the model was done with asking for it, ms
 * @returns without a result where it has none
 */
export function resultOf(
  call: JsonObject,
  elsewhere: readonly JsonObject[],
  start: number,
): { start: number | undefined; result: ToolResult | undefined } {
  const began = start > 0 ? start : undefined
  const own = piecesOf(call.result)
  const isFailed = typeof call.status === "string" && FAILED.has(call.status)
  const pieces = own.length > 0 ? own : elsewhere
  if (pieces.length === 0 && !isFailed && call.status !== "success")
    return { start: began, result: undefined }
  const { output, error, attachments, response } = said(pieces, callIDOf(call))
  const display = call.resultDisplay
  const shown = typeof display === "string" && display !== "" ? display : undefined
  const failure = isFailed ? (error ?? output ?? shown ?? String(call.status)) : error
  const isSaid = shown !== undefined && (shown === output || shown === failure)
  const end = timeOf(call.timestamp)
  return {
    start: began,
    result: {
      output: failure === output && failure !== undefined ? undefined : output,
      error: failure,
      title: typeof call.description === "string" ? firstWords(call.description) : undefined,
      end: end > 0 ? end : undefined,
      attachments: attachments.length > 0 ? attachments : undefined,
      metadata: kept(call, isSaid ? undefined : display, response),
    },
  }
}

/** A file in the content, as a part. */
export function attachmentOf({ inlineData, fileData }: JsonObject): JsonObject | undefined {
  if (isJsonObject(inlineData)) {
    const { mimeType, data, displayName } = inlineData
    if (typeof data !== "string") return undefined
    const mime = typeof mimeType === "string" ? mimeType : "application/octet-stream"
    return present({ type: "file", mime, url: `data:${mime};base64,${data}`, filename: displayName })
  }
  if (!isJsonObject(fileData)) return undefined
  const { mimeType, fileUri, displayName } = fileData
  return present({
    type: "file",
    mime: mimeType ?? "application/octet-stream",
    url: fileUri,
    filename: displayName,
  })
}

/**
 * What the model was told. A result of several parallel calls may hold those of the others (`updateMessagesFromHistory` of 0.61 gives
 * each call the whole message): where one bears the call's id only that counts.
 */
function said(
  pieces: readonly JsonObject[],
  id: string | undefined,
): { output?: string; error?: string; attachments: JsonObject[]; response?: JsonObject } {
  const responses = responsesIn(pieces)
  const own = id === undefined ? undefined : responses.find((response) => response.id === id)
  const parts = own ? [own] : responses
  const answers = parts.map(({ response }) => fieldsOf(response))
  const outputs = [...answers.map(({ output }) => output), ...pieces.map(spokenText)].filter(isString)
  const errors = answers.map(({ error }) => error).filter(isString)
  const files = [...pieces, ...parts.flatMap((part) => piecesOf(part.parts))]
  const isPlain = outputs.length > 0 || errors.length > 0
  const response = isPlain ? undefined : answers.find((answer) => Object.keys(answer).length > 0)
  return {
    ...(outputs.length > 0 && { output: outputs.join("\n") }),
    ...(errors.length > 0 && { error: errors.join("\n") }),
    attachments: files.map(attachmentOf).filter((file) => file !== undefined),
    ...(response && { response }),
  }
}

/** What else a call's line says; of a subagent the session that it is. */
function kept(
  call: JsonObject,
  resultDisplay: unknown,
  response: JsonObject | undefined,
): JsonObject | undefined {
  const rest = Object.entries(call).filter(([name]) => !PLACED.has(name))
  const metadata = present({
    ...Object.fromEntries(rest),
    status: call.status === "success" || call.status === "error" ? undefined : call.status,
    sessionId: call.agentId,
    resultDisplay,
    response,
  })
  return Object.keys(metadata).length > 0 ? metadata : undefined
}

function isString(value: unknown): value is string {
  return typeof value === "string"
}
