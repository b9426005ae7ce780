import type { Database } from "bun:sqlite"

interface PragmaRow {
  readonly [name: string]: unknown
}

/** The first column of a pragma's first row. */
function pragma(database: Database, text: string): unknown {
  const row = database.query<PragmaRow, []>(`PRAGMA ${text}`).get()
  return row ? Object.values(row)[0] : undefined
}

/** The limit of the page cache, in KiB; the system's own cache holds the rest. */
const CACHE_KIB = 4096

/**
 * Sets up a connection before it reads anything (sqlite.org/pragma.html).
 * @param exclusive whether to keep the WAL's index in memory
 */
export function configure(database: Database, exclusive: boolean): void {
  if (exclusive) pragma(database, "locking_mode = EXCLUSIVE")
  // Waiting inside SQLite would hold the event loop.
  pragma(database, "busy_timeout = 0")
  pragma(database, `cache_size = -${CACHE_KIB}`)
  pragma(database, "temp_store = MEMORY")
  pragma(database, "query_only = ON")
  // Finds damaged pages when they are read, and does not run functions that the schema names.
  pragma(database, "cell_size_check = ON")
  pragma(database, "trusted_schema = OFF")
}

/** A number that changes with the schema. Reading it costs a look at the first page. */
export function schemaVersion(database: Database): number {
  return Number(pragma(database, "schema_version"))
}

/** A number that changes with every commit of another connection, as long as this one is open. */
export function dataVersion(database: Database): number {
  return Number(pragma(database, "data_version"))
}

/** The encoding of texts in the file, as `TextDecoder` names it. */
export function encodingOf(database: Database): "utf-8" | "utf-16le" | "utf-16be" {
  const encoding = pragma(database, "encoding")
  return encoding === "UTF-16le" ? "utf-16le" : encoding === "UTF-16be" ? "utf-16be" : "utf-8"
}

/** The names of a table's columns; none if there is no such table. `table` is a constant of ours, never a caller's text. */
export function columnsOf(database: Database, table: string): Set<string> {
  const rows = database.query<{ name: unknown }, []>(`PRAGMA table_xinfo("${table}")`).all()
  return new Set(rows.flatMap(({ name }) => (typeof name === "string" ? [name] : [])))
}
