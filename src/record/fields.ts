import type { JsonObject } from "./extract.ts"
import { compareText, type Position } from "./order.ts"

/** What values of a declared field are of: texts or numbers. */
export type FieldType = "text" | "number"

/** Declared fields of a kind of record: their names, and what their values are of. */
export type FieldTypes = Readonly<Record<string, FieldType>>

/** No declared fields. */
export type NoFields = Readonly<Record<never, FieldType>>

/** A declared field of a record's body. */
export interface Field {
  readonly name: string
  readonly type: FieldType
}

/** A value as listings compare it: numbers before texts, and `MISSING` before all others. */
export type FieldValue = string | number

/** The value of a field that is absent, `null`, of another type, or too long to be compared. */
export const MISSING = Number.NEGATIVE_INFINITY

/**
 * Longer texts count as missing, in UTF-16 units. However they are escaped, texts up to here are kept whole where a large record is
 * read in pieces, and longer ones stay longer.
 */
export const LONGEST_TEXT = 512

/** Only values of a field from `least` to `most`, both included; of texts there need not be a greatest. */
export interface FieldCondition {
  readonly field: Field
  readonly least: FieldValue
  readonly most: FieldValue | undefined
}

/** The fields that a store's sessions are listed by, beside those that all have. */
export class DeclaredFields {
  /** By name. */
  readonly all: readonly Field[]
  readonly names: readonly string[]
  /** Tells it from any other declaration. */
  readonly mark: string

  constructor(types: FieldTypes) {
    this.names = Object.keys(types).sort()
    this.all = this.names.flatMap((name) => {
      const type = types[name]
      return type ? [{ name, type }] : []
    })
    this.mark = JSON.stringify(this.all.map(({ name, type }) => [name, type]))
  }

  /** The declaration of that mark; `undefined` where it is none. */
  static ofMark(mark: string): DeclaredFields | undefined {
    try {
      const declared = new DeclaredFields(Object.fromEntries(JSON.parse(mark)))
      return declared.mark === mark ? declared : undefined
    } catch {
      return undefined
    }
  }

  find(name: string): Field | undefined {
    return this.all.find((field) => field.name === name)
  }

  /** The values of all of them in a body, by name. */
  valuesOf(body: JsonObject): [name: string, value: FieldValue][] {
    return this.all.map((field) => [field.name, fieldValue(body, field)])
  }
}

/** A field's value in a body. Never throws. */
export function fieldValue(body: JsonObject, { name, type }: Field): FieldValue {
  const value = body[name]
  if (type === "number") return typeof value === "number" && Number.isFinite(value) ? value : MISSING
  // Well-formed, since half a surrogate pair cannot be stored as UTF-8.
  return typeof value === "string" && value.length <= LONGEST_TEXT ? value.toWellFormed() : MISSING
}

/** Whether a value is one that a condition asks for. */
export function isWithin(value: FieldValue, { least, most }: Omit<FieldCondition, "field">): boolean {
  return compareValues(value, least) >= 0 && (most === undefined || compareValues(value, most) <= 0)
}

/** As SQLite compares them: numbers before texts, these by code point. */
function compareValues(a: FieldValue, b: FieldValue): number {
  if (typeof a === "number") return typeof b === "number" ? (a === b ? 0 : a - b) : -1
  return typeof b === "number" ? 1 : compareText(a, b)
}

/** Where a record of that value and id stands in a listing by the field. */
export function positionOf(value: FieldValue, id: string): Position {
  return typeof value === "number" ? { time: value, id } : { time: 0, text: value, id }
}

/** The value that a position in a listing by a field stands for. */
export function valueAt({ time, text }: Omit<Position, "id">): FieldValue {
  return text ?? time
}
