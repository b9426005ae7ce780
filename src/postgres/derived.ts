import { type JsonObject, messageFields, partFields, sessionFields } from "../record/extract.ts"
import { fold } from "../record/fold.ts"
import { messageTexts, partTexts } from "../record/search-text.ts"
import { storable } from "./storable.ts"

/** What a session's row has beside its body, by that body. */
export function sessionColumns(body: JsonObject) {
  const { parentID, directory, title, created, updated, archived } = sessionFields(body)
  return {
    parent: orNull(parentID),
    directory: orNull(directory),
    title: orNull(title),
    folded: title === null ? null : storable(fold(title)),
    created,
    updated,
    archived,
  }
}

/** What a message's row has beside its body, by that body. */
export function messageColumns(body: JsonObject) {
  const { created, role } = messageFields(body)
  return { created, role: orNull(role) }
}

/** What a part's row has beside its body and its place, by that body. */
export function partColumns(body: JsonObject) {
  const { type, tool } = partFields(body)
  return { type: orNull(type), tool: orNull(tool) }
}

/** What a message is found by: its own texts and those of its parts in their order, folded. `textPieces` makes rows of them. */
export function foldedTexts(message: JsonObject, parts: readonly JsonObject[]): string[] {
  return [...messageTexts(message), ...parts.flatMap(partTexts)].map(fold)
}

function orNull(text: string | null): string | null {
  return text === null ? null : storable(text)
}
