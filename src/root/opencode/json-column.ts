import { isJsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"

/** The content of a JSON column: its value, or why it cannot be parsed; `undefined` for NULL. */
export type Parsed = { readonly value: unknown } | { readonly fault: string } | undefined

const decoder = new TextDecoder()

/** Parses the JSON of a column, which may be text or bytes. */
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

/** An object with the fields of these names first, in this order. */
export function ordered(value: unknown, names: readonly string[]): unknown {
  if (!isJsonObject(value)) return value
  return present({ ...Object.fromEntries(names.map((name) => [name, value[name]])), ...value })
}
