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

/** The top-level fields that the functions below read. */
export const INDEXED_FIELDS = ["time", "parentID", "directory", "title", "role", "type", "tool"] as const

/** A JSON object whose fields have not been checked. */
export type JsonObject = { [field: string]: unknown }

/** Whether a value is a JSON object: no array, no `null`, no plain value. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The fields of a value that should be an object; an empty object if it is not one. */
export function fieldsOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

/** A text made well-formed: JSON can hold half a surrogate pair, but UTF-8 cannot. */
function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.toWellFormed() : null
}

/** Reads a session's fields; a missing field, or one of the wrong type, becomes 0, `null` or `false`. Never throws. */
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

/** When a message began and ended, in ms since 1970, as far as its body says. Never throws. */
export function messageTimes(body: JsonObject): number[] {
  const { created, completed } = fieldsOf(body.time)
  return [created, completed].flatMap((time) => finite(time) ?? [])
}

/** Reads a part's fields; as tolerant as `sessionFields`. */
export function partFields(body: JsonObject): PartFields {
  return { type: text(body.type), tool: text(body.tool) }
}
