import { customType } from "drizzle-orm/sqlite-core"
import { IndexFailure } from "./failure.ts"

/**
 * Values from a row have their type checked, because a damaged page can give a value of any type.
 * @throws IndexFailure `damaged`
 */
function unsound(column: string, value: unknown): never {
  throw new IndexFailure(
    "damaged",
    `A row's ${column} is of the wrong type (${value === null ? "null" : typeof value})`,
  )
}

export function soundText(column: string, value: unknown): string {
  return typeof value === "string" ? value : unsound(column, value)
}

export function soundNumber(column: string, value: unknown): number {
  return typeof value === "number" ? value : unsound(column, value)
}

/** A declared field's value. */
export function soundValue(column: string, value: unknown): string | number {
  return typeof value === "string" || typeof value === "number" ? value : unsound(column, value)
}

export function soundBytes(column: string, value: unknown): Uint8Array | null {
  return value === null || value instanceof Uint8Array ? value : unsound(column, value)
}

/** A column that holds numbers and texts as they are: SQLite does not convert values in a column declared BLOB. */
export const value = customType<{ data: string | number; driverData: string | number }>({
  dataType: () => "blob",
})

/** A BLOB that is not decoded, since decoding must not fail on a damaged row. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" })
