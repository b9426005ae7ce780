import { isJsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"

/** What lies in a column that holds JSON: its value, why it has none, or nothing for NULL. */
export type Parsed = { readonly value: unknown } | { readonly fault: string } | undefined

const decoder = new TextDecoder()

/** Reads the JSON of a column, which may lie there as text or as bytes. */
export function parseColumn(column: unknown): Parsed {
  if (column === null || column === undefined) return undefined
  const text = column instanceof Uint8Array ? decoder.decode(column) : column
  if (typeof text !== "string") return { fault: `is a ${typeof text}` }
  try {
    const value: unknown = JSON.parse(text)
    return { value }
  } catch (error) {
    return {
      fault: text === "" ? "is empty" : `is no JSON (${error instanceof Error ? error.message : error})`,
    }
  }
}

/** An object whose fields of these names come first, in this order. */
export function ordered(value: unknown, names: readonly string[]): unknown {
  if (!isJsonObject(value)) return value
  return present({ ...Object.fromEntries(names.map((name) => [name, value[name]])), ...value })
}
