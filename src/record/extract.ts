/** The fields of a session that listings filter and order by. */
export interface SessionFields {
  created: number
  updated: number
  parentID: string | null
  directory: string | null
  title: string | null
  archived: boolean
}

/** The fields of a message that listings order by. */
export interface MessageFields {
  created: number
  role: string | null
}

/** The fields of a part that counts and searches need. */
export interface PartFields {
  type: string | null
  tool: string | null
}

/** The top-level fields that the functions below look at. */
export const INDEXED_FIELDS = ["time", "parentID", "directory", "title", "role", "type", "tool"] as const

/** A JSON object whose fields nobody has looked at yet. */
export type JsonObject = { [field: string]: unknown }

/** Tells a JSON object from arrays, `null` and plain values. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The fields of a value that should be an object; none where it is not. */
export function fieldsOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** Well-formed, since half a surrogate pair, which JSON can spell, cannot be stored as UTF-8. */
function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.toWellFormed() : null
}

/** Reads a session's fields; what is missing or of a strange type becomes 0, `null` or `false`. Never throws. */
export function sessionFields(body: JsonObject): SessionFields {
  const time = fieldsOf(body.time)
  const created = finite(time.created) ?? 0
  return {
    created,
    updated: finite(time.updated) ?? created,
    parentID: text(body.parentID),
    directory: text(body.directory),
    title: text(body.title),
    archived: Boolean(finite(time.archived)),
  }
}

/** Reads a message's fields; as tolerant as `sessionFields`. */
export function messageFields(body: JsonObject): MessageFields {
  return { created: finite(fieldsOf(body.time).created) ?? 0, role: text(body.role) }
}

/** The times, ms, at which a message says that it was begun and ended; those it tells. Never throws. */
export function messageTimes(body: JsonObject): number[] {
  const { created, completed } = fieldsOf(body.time)
  return [created, completed].flatMap((time) => finite(time) ?? [])
}

/** Reads a part's fields; as tolerant as `sessionFields`. */
export function partFields(body: JsonObject): PartFields {
  return { type: text(body.type), tool: text(body.tool) }
}
