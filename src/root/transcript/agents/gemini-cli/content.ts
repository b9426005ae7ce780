import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"

/** Who or what says a message: the person or the model, else the agent's own notices (`info`, `warning`, `error`). */
export type Speaker = "user" | "gemini" | "notice"

/** @param type as the line has it; a line without one that carries content is taken for a notice, so that it is not lost */
export function speakerOf(type: unknown): Speaker {
  return type === "user" || type === "gemini" ? type : "notice"
}

/** What a message's content is made of, as objects of Gemini's API: `{text}`, `{functionCall}`, `{inlineData}`, … */
export function piecesOf(content: unknown): readonly JsonObject[] {
  if (Array.isArray(content)) return content.flatMap(onePiece)
  return onePiece(content)
}

function onePiece(value: unknown): readonly JsonObject[] {
  if (typeof value === "string") return value === "" ? [] : [{ text: value }]
  return isJsonObject(value) ? [value] : []
}

/** The text of a piece that is the model's answer or the person's words, not a thought; `undefined` for all others. */
export function spokenText(piece: JsonObject): string | undefined {
  return typeof piece.text === "string" && !isThought(piece) ? piece.text : undefined
}

/** A text that the model thought. A resume puts them into the content (`$set` of release 0.61). */
export function isThought(piece: JsonObject): boolean {
  return piece.thought === true && typeof piece.text === "string"
}

/** The calls that a `gemini` line lists apart from its content, with their results. */
export function toolCallsOf(record: JsonObject): readonly JsonObject[] {
  return Array.isArray(record.toolCalls) ? record.toolCalls.filter(isJsonObject) : []
}

/** The name of a call by which its result is found. */
export function callIDOf(call: JsonObject): string | undefined {
  return typeof call.id === "string" && call.id !== "" ? call.id : undefined
}

/** The calls in the content itself: all that the lossy `$set` of a resume keeps of them. */
export function callsIn(pieces: readonly JsonObject[]): readonly JsonObject[] {
  return pieces.flatMap(({ functionCall }) => (isJsonObject(functionCall) ? [functionCall] : []))
}

/** What tools gave, where it lies in the content. */
export function responsesIn(pieces: readonly JsonObject[]): readonly JsonObject[] {
  return pieces.flatMap(({ functionResponse }) => (isJsonObject(functionResponse) ? [functionResponse] : []))
}

/** What the agent itself puts before the conversation, by the release's own test (`isIgnoredUserContent` of 0.61); 0.20 wrote none. */
const FRAME =
  /^\s*(?:<session_context>|<hook_context>|This is the Gemini CLI\. We are setting up the context for our chat\.)/

export function isFrame(text: string): boolean {
  return FRAME.test(text)
}

/** What the client lets the model say after its own summary of what came before (0.61: `ChatCompressionService`). */
const ACKNOWLEDGEMENT = /^\s*Got it\. Thanks for the additional context!\s*$/

export function isAcknowledgement(text: string): boolean {
  return ACKNOWLEDGEMENT.test(text)
}

/** Time of a line, ms since 1970; 0 where it says none that can be read. */
export function timeOf(timestamp: unknown): number {
  if (typeof timestamp !== "string") return 0
  const time = Date.parse(timestamp)
  return Number.isFinite(time) && time > 0 ? time : 0
}

/** The person's own words of a user's line: as they stood on the screen, without the files that the agent put behind them. */
export function wordsOf(record: JsonObject): string | undefined {
  const shown = piecesOf(record.displayContent).map(spokenText)
  const texts = (shown.length > 0 ? shown : piecesOf(record.content).map(spokenText)).filter(
    (text) => text !== undefined && text.trim() !== "" && !isFrame(text),
  )
  return texts[0]
}

/** The elements of a line that gives all messages anew, `$set` or an old header; `undefined` for other lines. */
export function elementsOf(value: unknown): readonly unknown[] | undefined {
  const line = fieldsOf(value)
  const holder = isJsonObject(line.$set) ? line.$set : line
  return Array.isArray(holder.messages) ? holder.messages : undefined
}
