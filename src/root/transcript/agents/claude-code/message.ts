import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { OutlinedMessage, TranscriptMessage } from "../../agent.ts"
import { toolPart } from "../../tool-part.ts"
import { answeredBy, blocksOf, callOf, isInjected, saidIn, textOf, timeOf } from "./content.ts"
import { filePart } from "./file-part.ts"
import { type Answered, toolResult } from "./tool-result.ts"
import { piecesOf } from "./words.ts"

/** The model of answers that no model gave: errors, and "No response requested." after a resume. */
const NO_MODEL = "<synthetic>"

/** Fields of a line that have a place of their own, or say how it lies among others. What else there is becomes metadata. */
const PLACED: ReadonlySet<string> = new Set(
  [
    "type uuid parentUuid logicalParentUuid sessionId session_id timestamp message content attachment toolUseResult",
    "cwd version gitBranch slug requestId promptId userType entrypoint agentId forkedFrom subtype level",
    "isSidechain isMeta isCompactSummary isVisibleInTranscriptOnly sourceToolAssistantUUID sourceToolUseID",
  ].flatMap((names) => names.split(" ")),
)

/** A message's body and parts. @param values the values of its spans */
export function messageOf(message: OutlinedMessage, values: readonly unknown[]): TranscriptMessage {
  const lines = values.filter(isJsonObject)
  const first = lines[0] ?? {}
  if (first.type === "assistant" || (message.role === "assistant" && first.isCompactSummary !== true))
    return answer(message, lines)
  if (first.isCompactSummary === true) return summary(message, first)
  if (first.type === "system") return notice(first)
  return said(message, first)
}

function said({ about }: OutlinedMessage, line: JsonObject): TranscriptMessage {
  const unasked = new Set(listOf(about?.unasked))
  const parts: JsonObject[] = []
  for (const block of blocksOf(saidIn(line))) {
    const call = answeredBy(block)
    if (call === undefined) parts.push(...contentParts(block, isInjected(line)))
    else if (unasked.delete(call)) {
      const result = toolResult({ block, line, isAlone: true }, undefined, undefined)
      parts.push(toolPart({ callID: call, tool: "unknown", input: {} }, result, false))
    }
  }
  return { info: present({ role: "user", metadata: restOf([line]) }), parts }
}

/** What the agent tells between messages: where the conversation was compacted, and what a command of its own printed. */
function notice(line: JsonObject): TranscriptMessage {
  const info = present({ role: "user", metadata: restOf([line]) })
  if (line.subtype !== "compact_boundary")
    return { info, parts: [{ type: "text", text: textOf(line.content) ?? "", synthetic: true }] }
  return { info, parts: [{ type: "compaction", auto: fieldsOf(line.compactMetadata).trigger !== "manual" }] }
}

function summary({ about }: OutlinedMessage, line: JsonObject): TranscriptMessage {
  const time = timeOf(line)
  const info = present({
    role: "assistant",
    summary: true,
    parentID: about?.prompt,
    path: pathOf(line, about?.root),
    time: time > 0 ? { completed: time } : undefined,
    metadata: restOf([line]),
  })
  return {
    info,
    parts: blocksOf(fieldsOf(line.message).content).flatMap((block) => contentParts(block, false, true)),
  }
}

function answer({ about }: OutlinedMessage, lines: readonly JsonObject[]): TranscriptMessage {
  const own = lines.filter(({ type }) => type === "assistant")
  const first = own[0] ?? {}
  const message = fieldsOf(first.message)
  const isReal = message.model !== NO_MODEL
  const results = resultsOf(lines)
  const children = new Map(listOf(about?.children).map((pair) => [listOf(pair)[0], textOf(listOf(pair)[1])]))
  const calls = new Set<string>()
  const parts: JsonObject[] = []
  let before = timeOf(first)
  for (const line of own) {
    const time = timeOf(line)
    for (const block of blocksOf(fieldsOf(line.message).content)) {
      const callID = callOf(block)
      if (callID === undefined) parts.push(...answerParts(block, before, time, isReal))
      else if (!calls.has(callID)) {
        calls.add(callID)
        const answered = results.get(callID)
        const result = answered && toolResult(answered, block.input, children.get(callID))
        const call = {
          callID,
          tool: textOf(block.name) ?? "unknown",
          input: block.input ?? {},
          start: time || undefined,
        }
        parts.push(toolPart(call, result, about?.mayRun === true))
      }
    }
    if (time > 0) before = time
  }
  const usage = usageOf(own)
  const requestID = own.map(({ requestId }) => textOf(requestId)).find((id) => id !== undefined)
  const completed = timeOf(own.findLast((line) => timeOf(line) > 0) ?? {})
  const metadata = present({
    ...restOf(own),
    responseID: isReal ? textOf(message.id) : undefined,
    requestID,
    usage: isReal ? restOfUsage(usage) : undefined,
  })
  const info = present({
    role: "assistant",
    time: completed > 0 ? { completed } : undefined,
    parentID: about?.prompt,
    modelID: isReal ? textOf(message.model) : undefined,
    providerID: isReal && textOf(message.model) ? "anthropic" : undefined,
    path: pathOf(first, about?.root),
    tokens: isReal ? tokensOf(usage) : undefined,
    finish: own
      .map((line) => textOf(fieldsOf(line.message).stop_reason))
      .findLast((reason) => reason !== undefined),
    error: errorOf(own, parts),
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  })
  return { info, parts }
}

/** Blocks of an answer's content. What a model thought lies open or encrypted; signatures and encrypted thoughts stay where they are. */
function answerParts(block: JsonObject, start: number, end: number, isReal: boolean): JsonObject[] {
  if (block.type === "redacted_thinking" || answeredBy(block) !== undefined) return []
  if (block.type !== "thinking") return contentParts(block, !isReal, true)
  const text = textOf(block.thinking)
  return text === undefined ? [] : [{ type: "reasoning", text, time: { start, end: Math.max(start, end) } }]
}

/** @param isWhole the text is no person's: nothing in it is taken for a wrapper */
function contentParts(block: JsonObject, isSynthetic: boolean, isWhole = false): JsonObject[] {
  const file = filePart(block)
  if (file) return [file]
  if (block.type === "text") {
    const text = textOf(block.text)
    if (text === undefined) return []
    const pieces = isWhole ? [{ text, isWrapper: false }] : piecesOf(text)
    return pieces.map((piece) =>
      present({ type: "text", text: piece.text, synthetic: isSynthetic || piece.isWrapper || undefined }),
    )
  }
  // Of another release: as it is, so that nothing is lost.
  return typeof block.type === "string" ? [open(block)] : []
}

/** A block without what is encrypted. */
function open(block: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(block).filter(([name]) => !/^(?:signature$|encrypted)/.test(name)))
}

/** Results by the calls that they answer; of several the last. */
function resultsOf(lines: readonly JsonObject[]): Map<string, Answered> {
  const results = new Map<string, Answered>()
  for (const line of lines) {
    const blocks = blocksOf(fieldsOf(line.message).content).filter((block) => answeredBy(block) !== undefined)
    for (const block of blocks) {
      const call = answeredBy(block)
      if (call !== undefined) results.set(call, { block, line, isAlone: blocks.length === 1 })
    }
  }
  return results
}

/** The largest usage that the lines tell: each repeats it, while the output grows (reports of 2.0.50 and later). */
function usageOf(lines: readonly JsonObject[]): JsonObject {
  let largest: JsonObject = {}
  for (const line of lines) {
    const { usage } = fieldsOf(line.message)
    if (isJsonObject(usage) && amountOf(usage.output_tokens) >= amountOf(largest.output_tokens))
      largest = usage
  }
  return largest
}

function tokensOf(usage: JsonObject): JsonObject | undefined {
  if (Object.keys(usage).length === 0) return undefined
  return {
    input: amountOf(usage.input_tokens),
    output: amountOf(usage.output_tokens),
    // Thoughts are among the output.
    reasoning: 0,
    cache: {
      read: amountOf(usage.cache_read_input_tokens),
      write: amountOf(usage.cache_creation_input_tokens),
    },
  }
}

/** What a price may depend on besides the tokens: how long a cache is kept, the service's tier, searches. */
function restOfUsage(usage: JsonObject): JsonObject | undefined {
  const placed = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
  const rest = Object.entries(usage).filter(([name, value]) => !placed.includes(name) && !saysNothing(value))
  return rest.length > 0 ? Object.fromEntries(rest) : undefined
}

function saysNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isJsonObject(value)) return Object.values(value).every((inner) => inner === 0 || inner === null)
  return value === 0 || value === "" || value === null
}

function amountOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0
}

/** An error of the service is told as an answer of no model. */
function errorOf(lines: readonly JsonObject[], parts: readonly JsonObject[]): JsonObject | undefined {
  if (!lines.some(({ isApiErrorMessage }) => isApiErrorMessage === true)) return undefined
  const message = parts.map(({ text }) => textOf(text)).find((text) => text !== undefined)
  return { name: "APIError", data: present({ message }) }
}

function pathOf(line: JsonObject, root: unknown): JsonObject | undefined {
  const cwd = textOf(line.cwd)
  return cwd === undefined ? undefined : { cwd, root: textOf(root) ?? cwd }
}

function restOf(lines: readonly JsonObject[]): JsonObject | undefined {
  const rest = lines.flatMap((line) =>
    Object.entries(line).filter(([name, value]) => !PLACED.has(name) && value !== null),
  )
  return rest.length > 0 ? Object.fromEntries(rest) : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
