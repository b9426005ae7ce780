import type { JsonObject } from "../../../../record/extract.ts"
import { firstWords } from "../../first-words.ts"
import {
  callIDOf,
  callsIn,
  isAcknowledgement,
  isFrame,
  piecesOf,
  responsesIn,
  type Speaker,
  speakerOf,
  spokenText,
  timeOf,
  toolCallsOf,
  wordsOf,
} from "./content.ts"

/**
 * What a message is to the conversation.
 * - `said`: by the person or the model
 * - `result`: it only carries what tools gave, which belongs to the calls
 * - `frame`: the agent's own words around the conversation
 * - `aside`: a notice, or a command to the agent: the model never gets to see it, so a resume leaves it out
 */
export type Nature = "said" | "result" | "frame" | "aside"

/** What is kept of one version of a message. */
export interface Brief {
  readonly speaker: Speaker
  readonly nature: Nature
  /** ms since 1970; 0 for none. */
  readonly time: number
  /** How much it says: of two versions the one that says more counts. */
  readonly worth: number
  /** Ids of the calls it makes; of those, the ones without a result of their own. */
  readonly calls: readonly string[]
  readonly open: readonly string[]
  /** Ids of the calls whose results it carries. */
  readonly answers: readonly string[]
  /** The same for copies of a message under other ids, as a compaction makes them. */
  readonly mark: string
  /** The beginning of what the person said, to call a branch by. */
  readonly words?: string | undefined
}

/** Looks at a message. Never throws. */
export function briefOf(record: JsonObject): Brief {
  const speaker = speakerOf(record.type)
  const said = lookedThrough(piecesOf(record.content))
  const listed = toolCallsOf(record)
  const calls = idsOf(said.calls.length === 0 ? listed : [...listed, ...said.calls])
  const closed = calls.length === 0 ? NONE : idsOf(listed.filter(hasResult))
  const answers = speaker === "user" ? idsOf(said.responses) : NONE
  const nature = natureOf(speaker, said)
  return {
    speaker,
    nature,
    time: timeOf(record.timestamp),
    worth: worthOf(record, said, listed),
    calls,
    open: calls.length === closed.length ? NONE : without(calls, closed),
    answers,
    mark: Bun.hash.wyhash(`${speaker} ${calls[0] ?? answers[0] ?? said.text}`).toString(36),
    words: speaker === "user" && nature === "said" ? firstWords(wordsOf(record) ?? "") : undefined,
  }
}

const NONE: readonly string[] = []

/** What a content is made of. */
interface Said {
  /** All that is spoken, without blanks around it. */
  readonly text: string
  readonly calls: readonly JsonObject[]
  readonly responses: readonly JsonObject[]
  /** Whether there is anything but texts. */
  readonly hasOther: boolean
  readonly hasFile: boolean
}

function lookedThrough(pieces: readonly JsonObject[]): Said {
  let text = ""
  for (const piece of pieces) text += spokenText(piece) ?? ""
  const hasOther = pieces.some((piece) => typeof piece.text !== "string")
  const hasFile = hasOther && pieces.some(({ inlineData, fileData }) => Boolean(inlineData ?? fileData))
  const [calls, responses] = hasOther ? [callsIn(pieces), responsesIn(pieces)] : [[], []]
  return { text: text.trim(), calls, responses, hasOther, hasFile }
}

/** Of calls or their results, each once. */
function idsOf(calls: readonly JsonObject[]): readonly string[] {
  if (calls.length === 0) return NONE
  return [...new Set(calls.flatMap((call) => callIDOf(call) ?? []))]
}

function without(ids: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Set(ids)
  for (const id of others) left.delete(id)
  return [...left]
}

function hasResult({ result }: JsonObject): boolean {
  return result !== undefined && result !== null
}

function natureOf(speaker: Speaker, { text, responses, hasOther }: Said): Nature {
  if (speaker === "notice") return "aside"
  if (speaker === "gemini") return isAcknowledgement(text) ? "frame" : "said"
  if (responses.length > 0 && text === "") return "result"
  if (isFrame(text)) return "frame"
  return !hasOther && (text === "" || /^[/?]/.test(text)) ? "aside" : "said"
}

/** The lossy `$set` of a resume has no calls, tokens, model and thoughts, and says the thoughts as content instead. */
function worthOf(
  { tokens, model, thoughts, displayContent }: JsonObject,
  { text, responses, hasFile }: Said,
  calls: readonly JsonObject[],
): number {
  const thought = Array.isArray(thoughts) && thoughts.length > 0
  let worth = Number(thought) + Number(responses.length > 0 || hasFile) + calls.length
  for (const field of [tokens, model, displayContent, text]) if (field) worth++
  for (const call of calls) if (hasResult(call)) worth++
  return worth
}
