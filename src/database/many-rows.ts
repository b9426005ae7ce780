import { type SQL, sql } from "drizzle-orm"
import { lazy } from "./lazy.ts"

/** Rows put by one statement: SQLite and Drizzle take as long to begin one as to put a row. */
const ROWS_AT_ONCE = 16

/** A row as Drizzle is to insert it: a parameter for each column. */
export type RowOfParameters = Readonly<Record<string, SQL>>

/** One prepared insertion for any number of rows: many a statement while there are so many, then one by one. */
export class ManyRows<Statement> {
  readonly #columns: readonly string[]
  /** The names of the parameters of `#many`, by row and column. */
  readonly #names: readonly (readonly string[])[]
  readonly #many: () => Statement
  readonly #one: () => Statement

  /** @param prepare prepares the insertion of such rows; called when it is first needed */
  constructor(columns: readonly string[], prepare: (rows: RowOfParameters[]) => Statement) {
    this.#columns = columns
    this.#names = Array.from({ length: ROWS_AT_ONCE }, (_, row) => columns.map((column) => `${column}${row}`))
    this.#many = lazy(() => prepare(this.#names.map((names) => parametersOf(columns, names))))
    this.#one = lazy(() => prepare([parametersOf(columns)]))
  }

  /** Yields the statements that put these rows, in their order, each with its parameters; every row names every column. */
  *of(
    rows: readonly Readonly<Record<string, unknown>>[],
  ): Generator<[statement: Statement, parameters: Readonly<Record<string, unknown>>]> {
    let at = 0
    for (; at + ROWS_AT_ONCE <= rows.length; at += ROWS_AT_ONCE) {
      const parameters: Record<string, unknown> = {}
      for (const [i, names] of this.#names.entries())
        for (const [j, column] of this.#columns.entries())
          parameters[names[j] ?? column] = rows[at + i]?.[column]
      yield [this.#many(), parameters]
    }
    for (const row of rows.slice(at)) yield [this.#one(), row]
  }
}

/**
 * A row of parameters for these columns, of the same names unless others are given. By themselves, each within SQL: one that Drizzle
 * takes for a column's value it asks three questions about, each time.
 */
export function parametersOf(
  columns: readonly string[],
  names: readonly string[] = columns,
): RowOfParameters {
  return Object.fromEntries(
    columns.map((column, at) => [column, sql`${sql.placeholder(names[at] ?? column)}`]),
  )
}
