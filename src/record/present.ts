import type { JsonObject } from "./extract.ts"

/** An object without its undefined fields. */
export function present(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
