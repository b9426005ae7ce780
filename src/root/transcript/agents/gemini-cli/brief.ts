import type { JsonObject } from "../../../../record/extract.ts"
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
}

/** Looks at a message. Never throws. */
export function briefOf(record: JsonObject): Brief {
  const speaker = speakerOf(record.type)
  const pieces = piecesOf(record.content)
  const text = pieces
    .flatMap((piece) => spokenText(piece) ?? [])
    .join("")
    .trim()
  const listed = toolCallsOf(record)
  const made = [...new Set([...listed, ...callsIn(pieces)].flatMap((call) => callIDOf(call) ?? []))]
  const closed = new Set(listed.filter(hasResult).map(callIDOf))
  const answers =
    speaker === "user" ? responsesIn(pieces).flatMap((response) => callIDOf(response) ?? []) : []
  return {
    speaker,
    nature: natureOf(speaker, pieces, text),
    time: timeOf(record.timestamp),
    worth: worthOf(record, pieces, text, listed),
    calls: made,
    open: made.filter((id) => !closed.has(id)),
    answers: [...new Set(answers)],
    mark: Bun.hash.wyhash(`${speaker} ${made[0] ?? answers[0] ?? text}`).toString(36),
  }
}

function hasResult({ result }: JsonObject): boolean {
  return result !== undefined && result !== null
}

function natureOf(speaker: Speaker, pieces: readonly JsonObject[], text: string): Nature {
  if (speaker === "notice") return "aside"
  if (speaker === "gemini") return isAcknowledgement(text) ? "frame" : "said"
  if (responsesIn(pieces).length > 0 && text === "") return "result"
  if (isFrame(text)) return "frame"
  const isOnlyText = pieces.every(({ text }) => typeof text === "string")
  return isOnlyText && (text === "" || /^[/?]/.test(text)) ? "aside" : "said"
}

/** The lossy `$set` of a resume has no calls, tokens, model and thoughts, and says the thoughts as content instead. */
function worthOf(
  { tokens, model, thoughts, displayContent }: JsonObject,
  pieces: readonly JsonObject[],
  text: string,
  calls: readonly JsonObject[],
): number {
  const has = [tokens, model, displayContent, text].filter(Boolean).length
  const said = pieces.some(
    ({ functionResponse, inlineData, fileData }) => functionResponse ?? inlineData ?? fileData,
  )
  const thought = Array.isArray(thoughts) && thoughts.length > 0
  return has + Number(said) + Number(thought) + calls.length + calls.filter(hasResult).length
}
