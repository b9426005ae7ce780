import { isJsonObject, type JsonObject } from "./extract.ts"
import type { CollectionKind, Place } from "./kind.ts"

const OWNER_FIELD: Record<CollectionKind, string> = {
  session: "projectID",
  message: "sessionID",
  part: "messageID",
}

/**
 * Gives a body the ids of its path. The path decides: a record that was moved has stale ids in its body, and some bodies never
 * had any.
 */
export function identify(body: JsonObject, place: Place, id: string): JsonObject {
  const owner = OWNER_FIELD[place.kind]
  if (body.id === id && body[owner] === place.folder) return body
  return { ...body, id, [owner]: place.folder }
}

/** Parses a body that the index kept; `undefined` if the text is no body, so that the file has to be read. */
export function parseBody(text: string, place: Place, id: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? identify(value, place, id) : undefined
  } catch {
    // A damaged page of the index can spell anything.
    return undefined
  }
}
