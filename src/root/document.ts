import { type JsonObject, messageFields, partFields } from "../record/extract.ts"
import { fold } from "../record/fold.ts"
import { partsInOrder } from "../record/part-order.ts"
import { messageTexts, partTexts } from "../record/search-text.ts"
import type { RecordSource } from "./record-source.ts"
import type { MessageDocument, MessageText } from "./text-source.ts"

/** The part of a `RecordSource` that a message's texts are read from. */
type Readable = Pick<RecordSource, "ids" | "read">

/** Reads a message with its texts; `undefined` if it cannot be read. Parts that cannot be read are reported. */
export async function readDocument(
  records: Readable,
  sessionID: string,
  messageID: string,
): Promise<MessageDocument | undefined> {
  const [message] = await records.read("message", sessionID, [messageID])
  return message && documentOf(records, message, messageID)
}

/** The texts of a message whose body is at hand; its parts are read as their texts are asked for. */
export function documentOf(records: Readable, message: JsonObject, messageID: string): MessageDocument {
  const { created, role } = messageFields(message)
  return { created, role, texts: textsOf(records, message, messageID) }
}

/** The texts of a message that is at hand together with its readable parts. */
export function wholeDocument(message: JsonObject, parts: readonly JsonObject[]): MessageDocument {
  const { created, role } = messageFields(message)
  return { created, role, texts: oneByOne(textsAtHand(message, parts)) }
}

async function* oneByOne(texts: Iterable<MessageText>): AsyncGenerator<MessageText> {
  yield* texts
}

/** As `wholeDocument`, synchronously: the message's own texts, then those of its parts in the order they were made. */
export function* textsAtHand(message: JsonObject, parts: readonly JsonObject[]): Generator<MessageText> {
  yield* ownTexts(message)
  const byID = new Map(parts.map((part) => [String(part.id), part]))
  for (const id of partsInOrder([...byID.keys()])) {
    const part = byID.get(id)
    if (part) yield* textsOfPart(id, part)
  }
}

async function* textsOf(
  records: Readable,
  message: JsonObject,
  messageID: string,
): AsyncGenerator<MessageText> {
  yield* ownTexts(message)
  for (const partID of await records.ids("part", messageID)) {
    const [part] = await records.read("part", messageID, [partID])
    if (part) yield* textsOfPart(partID, part)
  }
}

function* ownTexts(message: JsonObject): Generator<MessageText> {
  for (const text of messageTexts(message))
    yield { partID: undefined, type: null, tool: null, text, folded: fold(text) }
}

function* textsOfPart(partID: string, part: JsonObject): Generator<MessageText> {
  const { type, tool } = partFields(part)
  for (const text of partTexts(part)) yield { partID, type, tool, text, folded: fold(text) }
}
