import { type JsonObject, messageFields, partFields, sessionFields } from "../record/extract.ts"
import { fold } from "../record/fold.ts"
import { messageTexts, partTexts } from "../record/search-text.ts"
import { storable } from "./storable.ts"

/** The columns of a session's row that are derived from its body. */
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

/** The columns of a message's row that are derived from its body. */
export function messageColumns(body: JsonObject) {
  const { created, role } = messageFields(body)
  return { created, role: orNull(role) }
}

/** The columns of a part's row that are derived from its body. */
export function partColumns(body: JsonObject) {
  const { type, tool } = partFields(body)
  return { type: orNull(type), tool: orNull(tool) }
}

/** The searchable texts of a message, folded: its own, then those of its parts in order. `textPieces` makes rows of them. */
export function foldedTexts(message: JsonObject, parts: readonly JsonObject[]): string[] {
  return [...messageTexts(message), ...parts.flatMap(partTexts)].map(fold)
}

function orNull(text: string | null): string | null {
  return text === null ? null : storable(text)
}
