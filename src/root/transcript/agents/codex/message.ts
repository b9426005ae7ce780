import type { JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { OutlinedMessage, TranscriptMessage } from "../../agent.ts"
import { toolPart } from "../../tool-part.ts"
import {
  CALLS,
  CALLS_ELSEWHERE,
  callOf,
  ENDS,
  OUTPUTS,
  objectsOf,
  type RolloutLine,
  rolloutLine,
  textOf,
} from "./line.ts"
import { type CallLine, resultElsewhere, toolCall, toolResult } from "./tools.ts"
import { piecesOf } from "./words.ts"

/** What a message of a rollout says. */
export function rolloutMessage(
  { role, about = {} }: OutlinedMessage,
  values: readonly unknown[],
): TranscriptMessage {
  const lines = values.flatMap((value) => rolloutLine(value) ?? [])
  return role === "user"
    ? { info: { role }, parts: lines.flatMap(({ payload }) => userParts(payload)) }
    : { info: assistantInfo(about), parts: assistantParts(about, lines) }
}

function userParts(payload: JsonObject): JsonObject[] {
  const { author, recipient, content } = payload
  if (textOf(author) === undefined) return piecesOf(payload).map(({ part }) => part)
  // Of another agent.
  const texts =
    typeof content === "string" ? [content] : objectsOf(content).flatMap(({ text }) => textOf(text) ?? [])
  const metadata = present({ author, recipient })
  return texts.map((text) => ({ type: "text", text, synthetic: true, metadata }))
}

function assistantInfo(about: JsonObject): JsonObject {
  const { model, provider, cwd, root, mode, effort, parent, usage, error, isReplayed, summary, completed } =
    about
  const directory = textOf(cwd)
  const metadata = present({
    effort,
    // It was written once more by a fork, so it is the source's, where it is counted.
    tokens: isReplayed ? usage : undefined,
    replayed: isReplayed,
  })
  return present({
    role: "assistant",
    parentID: parent,
    modelID: model,
    providerID: provider,
    mode,
    path: directory === undefined ? undefined : { cwd: directory, root: textOf(root) ?? directory },
    tokens: isReplayed ? undefined : usage,
    summary,
    error,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    time: present({ completed }),
  })
}

function assistantParts(about: JsonObject, lines: readonly RolloutLine[]): JsonObject[] {
  const outputs = new Map<string, CallLine>()
  const ends = new Map<string, CallLine>()
  const calls = new Set<string>()
  for (const line of lines) {
    const { type } = line.payload
    const call = callOf(line.payload)
    if (call === undefined) continue
    if (OUTPUTS.has(type)) outputs.set(call, line)
    else if (ENDS.has(type)) ends.set(call, line)
    else if (CALLS.has(type)) calls.add(call)
  }
  const isSaid = lines.some(({ payload }) => payload.role === "assistant")
  const parts = lines.flatMap((line, at): JsonObject[] => {
    const { payload } = line
    const { type } = payload
    const id = callOf(payload)
    const place = `call_${at}`
    if (type === "message") return payload.role === "user" ? userParts(payload) : texts(payload)
    if (type === "reasoning") return reasoning(line)
    if (CALLS_ELSEWHERE.has(type)) return [toolPart(toolCall(line, place), resultElsewhere(line), false)]
    if (CALLS.has(type)) {
      const result = id === undefined ? undefined : toolResult(outputs.get(id), ends.get(id))
      return [toolPart(toolCall(line, place), result, about.mayRun === true)]
    }
    // An output whose call was lost.
    if (OUTPUTS.has(type) && (id === undefined || !calls.has(id))) {
      const lost = { callID: id ?? place, tool: textOf(payload.name) ?? "unknown", input: {} }
      return [toolPart(lost, toolResult(line, undefined), false)]
    }
    if (line.type !== "compacted") return []
    const text = textOf(payload.message)
    return isSaid || text === undefined ? [] : [{ type: "text", text }]
  })
  return about.summary === true ? [{ type: "compaction", auto: about.auto === true }, ...parts] : parts
}

function texts({ content, phase }: JsonObject): JsonObject[] {
  const metadata = textOf(phase) === undefined ? undefined : { phase }
  const said = typeof content === "string" ? [{ text: content }] : objectsOf(content)
  return said.flatMap((item) => {
    const text = textOf(item.text)
    return text === undefined ? [] : [present({ type: "text", text, metadata })]
  })
}

/** What the model tells of its thoughts; what it keeps in ciphers is left out. */
function reasoning({ payload, at }: RolloutLine): JsonObject[] {
  const time = present({ start: at || undefined, end: at || undefined })
  const texts = (list: unknown): string =>
    objectsOf(list)
      .flatMap((item) => textOf(item.text) ?? [])
      .join("\n\n")
  return [texts(payload.summary), texts(payload.content)].flatMap((text) =>
    text === "" ? [] : [{ type: "reasoning", text, time }],
  )
}
