import { isJsonObject, type JsonObject } from "./extract.ts"
import type { CollectionKind, Place } from "./kind.ts"

const OWNER_FIELD: Record<CollectionKind, string> = {
  session: "projectID",
  message: "sessionID",
  part: "messageID",
}

/**
 * Gives a body the ids of its place. A record moved to another folder keeps stale ids in its body, and some never had
 * any; the path is what the store goes by.
 */
export function identify(body: JsonObject, place: Place, id: string): JsonObject {
  const owner = OWNER_FIELD[place.kind]
  if (body.id === id && body[owner] === place.folder) return body
  return { ...body, id, [owner]: place.folder }
}

/** A body from a text that was kept; `undefined` where that is not one, and the file has to be asked. */
export function parseBody(text: string, place: Place, id: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? identify(value, place, id) : undefined
  } catch {
    // A damaged page of the index can spell anything.
    return undefined
  }
}
