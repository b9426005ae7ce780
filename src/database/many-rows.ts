import { type SQL, sql } from "drizzle-orm"
import { lazy } from "./lazy.ts"

/** How many rows one statement inserts. Starting a statement takes SQLite and Drizzle as long as inserting a row. */
const ROWS_AT_ONCE = 16

/** A row of parameters, one for each column, that Drizzle makes an insert from. */
export type RowOfParameters = Readonly<Record<string, SQL>>

/** A prepared insert for any number of rows: `ROWS_AT_ONCE` with each statement, and the rest one by one. */
export class ManyRows<Statement> {
  readonly #columns: readonly string[]
  /** The names of the parameters of `#many`, by row and column. */
  readonly #names: readonly (readonly string[])[]
  readonly #many: () => Statement
  readonly #one: () => Statement

  /** @param prepare prepares an insert of these rows; called when it is first needed */
  constructor(columns: readonly string[], prepare: (rows: RowOfParameters[]) => Statement) {
    this.#columns = columns
    this.#names = Array.from({ length: ROWS_AT_ONCE }, (_, row) => columns.map((column) => `${column}${row}`))
    this.#many = lazy(() => prepare(this.#names.map((names) => parametersOf(columns, names))))
    this.#one = lazy(() => prepare([parametersOf(columns)]))
  }

  /** Yields the statements that insert these rows, in order, each with its parameters. Every row must name every column. */
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
 * A row of parameters for these columns; the parameters have the columns' names unless others are given. Each is wrapped in `sql`,
 * since Drizzle examines a bare placeholder as a column's value at each run.
 */
export function parametersOf(
  columns: readonly string[],
  names: readonly string[] = columns,
): RowOfParameters {
  return Object.fromEntries(
    columns.map((column, at) => [column, sql`${sql.placeholder(names[at] ?? column)}`]),
  )
}
