import { untilAdmitted } from "../../exhaustion.ts"
import { readFieldsPatiently } from "../../file/fields-reader.ts"
import { recordPath } from "../../file/layout.ts"
import type { JsonObject } from "../../record/extract.ts"
import { messageFields, partFields } from "../../record/extract.ts"
import { fold } from "../../record/fold.ts"
import type { Place } from "../../record/kind.ts"
import { messageTexts, partTexts } from "../../record/search-text.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { MessageDocument, MessageText } from "../text-source.ts"
import { readBody } from "./bodies.ts"
import { bodyOf, partIds, type RecordFiles, readPresent, report } from "./file-catalog.ts"

/** Reads a message with its texts; `undefined` if it cannot be read. Parts that cannot be read are reported. @throws StoreError `EXHAUSTED` */
export async function readMessageDocument(
  files: RecordFiles,
  sessionID: string,
  messageID: string,
): Promise<MessageDocument | undefined> {
  const message = await readMessage(files, { kind: "message", folder: sessionID }, messageID)
  if (!message) return undefined
  const { created, role } = messageFields(message)
  return { created, role, texts: textsOf(files, message, messageID) }
}

async function* textsOf(
  files: RecordFiles,
  message: JsonObject,
  messageID: string,
): AsyncGenerator<MessageText> {
  for (const text of messageTexts(message))
    yield { partID: undefined, type: null, tool: null, text, folded: fold(text) }
  const place: Place = { kind: "part", folder: messageID }
  for (const partID of await untilAdmitted(() => partIds(files, messageID))) {
    const part = await readBody(files, place, partID)
    if (!part) continue
    const { type, tool } = partFields(part)
    for (const text of partTexts(part)) yield { partID, type, tool, text, folded: fold(text) }
  }
}

/** A message's body. If it is too large to be searched, only its fields, since its parts can still be searched. */
async function readMessage(files: RecordFiles, place: Place, id: string): Promise<JsonObject | undefined> {
  const path = recordPath(files.directory, place, id)
  const result = await readPresent(files, path)
  if ("record" in result || result.fault.code !== "TOO_LARGE") return bodyOf(files, path, result)
  const fields = await readFieldsPatiently(files.fs, path, Number.MAX_SAFE_INTEGER, new TimeSlice())
  if ("body" in fields) return fields.body
  report(files, path, fields.fault)
  return undefined
}
