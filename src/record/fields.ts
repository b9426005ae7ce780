import type { JsonObject } from "./extract.ts"
import { compareText, type Position } from "./order.ts"

/** The type of a declared field's values. */
export type FieldType = "text" | "number"

/** Declared fields: their types, by name. */
export type FieldTypes = Readonly<Record<string, FieldType>>

/** No declared fields. */
export type NoFields = Readonly<Record<never, FieldType>>

/** A declared field of a record's body. */
export interface Field {
  readonly name: string
  readonly type: FieldType
}

/** A value as listings compare it: numbers come before texts, and `MISSING` before everything. */
export type FieldValue = string | number

/** The value of a field that is absent, `null`, of another type, or too long to be compared. */
export const MISSING = Number.NEGATIVE_INFINITY

/**
 * Longer texts count as missing (in UTF-16 units). Where a large record is read in pieces, texts up to this length are kept whole,
 * however they are escaped, and longer ones stay longer than this.
 */
export const LONGEST_TEXT = 512

/** A range of a field's values, both ends included. A range of texts may have no upper end. */
export interface FieldCondition {
  readonly field: Field
  readonly least: FieldValue
  readonly most: FieldValue | undefined
}

/** The fields that an app declared, so that sessions can be filtered and ordered by them. */
export class DeclaredFields {
  /** By name. */
  readonly all: readonly Field[]
  readonly names: readonly string[]
  /** A text that is different for every different declaration. */
  readonly mark: string

  constructor(types: FieldTypes) {
    this.names = Object.keys(types).sort()
    this.all = this.names.flatMap((name) => {
      const type = types[name]
      return type ? [{ name, type }] : []
    })
    this.mark = JSON.stringify(this.all.map(({ name, type }) => [name, type]))
  }

  /** The declaration with that mark; `undefined` if the mark is not one. */
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

  /** The values of all declared fields in a body, with their names. */
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

/** Whether a value meets a condition. */
export function isWithin(value: FieldValue, { least, most }: Omit<FieldCondition, "field">): boolean {
  return compareValues(value, least) >= 0 && (most === undefined || compareValues(value, most) <= 0)
}

/** Compares as SQLite does: numbers before texts, texts by code point. */
function compareValues(a: FieldValue, b: FieldValue): number {
  if (typeof a === "number") return typeof b === "number" ? (a === b ? 0 : a - b) : -1
  return typeof b === "number" ? 1 : compareText(a, b)
}

/** The position of a record with that value and id in a listing by the field. */
export function positionOf(value: FieldValue, id: string): Position {
  return typeof value === "number" ? { time: value, id } : { time: 0, text: value, id }
}

/** The value at a position in a listing by a field; the reverse of `positionOf`. */
export function valueAt({ time, text }: Omit<Position, "id">): FieldValue {
  return text ?? time
}
