import { isStoreError, StoreError } from "../errors.ts"

function fault(value: unknown, seen: Set<object>, where: string): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined
    case "number":
      return Number.isFinite(value) ? undefined : `${where} is ${value}`
    case "undefined":
    case "function":
    case "symbol":
    case "bigint":
      return `${where} is a ${typeof value}`
    default:
      break
  }
  if (value === null) return undefined
  if (typeof value !== "object") return `${where} is of an unknown type`
  if ("toJSON" in value && typeof value.toJSON === "function") return undefined
  if (seen.has(value)) return `${where} refers back to an object around it`
  seen.add(value)
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value)
  for (const [name, child] of entries) {
    // JSON leaves out fields that are undefined, and callers rely on that; in an array they would become null.
    if (child === undefined && !Array.isArray(value)) continue
    const found = fault(child, seen, `${where}${typeof name === "number" ? `[${name}]` : `.${name}`}`)
    if (found) return found
  }
  seen.delete(value)
  return undefined
}

/**
 * The text of a record, laid out as opencode writes it: two spaces of indentation, no newline at the end.
 * @throws StoreError `INVALID_RECORD` for what JSON cannot hold (undefined, functions, bigints, NaN, circles, too deep a nesting)
 */
export function encodeRecord(value: unknown, path?: string): string {
  let encoded: string | undefined
  try {
    const reason = fault(value, new Set(), "the record")
    if (reason)
      throw new StoreError("INVALID_RECORD", `JSON cannot hold this value: ${reason}`, {
        path,
        hint: "Records may hold objects, arrays, strings, finite numbers, booleans and null.",
      })
    encoded = JSON.stringify(value, null, 2)
  } catch (cause) {
    if (isStoreError(cause)) throw cause
    // The engine parses values that are nested too deep for it to write.
    const why = cause instanceof RangeError ? ": it is nested too deep, or its text is too long" : ""
    throw new StoreError("INVALID_RECORD", `JSON cannot hold this value${why}`, { path, cause })
  }
  if (encoded !== undefined) return encoded
  throw new StoreError("INVALID_RECORD", "JSON cannot hold this value: it encodes to nothing", { path })
}
