import type { Database } from "bun:sqlite"

interface PragmaRow {
  readonly [name: string]: unknown
}

/** The first column of a pragma's first row. */
function pragma(database: Database, text: string): unknown {
  const row = database.query<PragmaRow, []>(`PRAGMA ${text}`).get()
  return row ? Object.values(row)[0] : undefined
}

/** Bound of the page cache, in KiB: the system's own cache holds the rest. */
const CACHE_KIB = 4096

/**
 * Sets a connection up before it reads anything (sqlite.org/pragma.html).
 * @param exclusive whether the WAL's index is to be kept in memory
 */
export function configure(database: Database, exclusive: boolean): void {
  if (exclusive) pragma(database, "locking_mode = EXCLUSIVE")
  // Never wait inside SQLite: that would hold the event loop.
  pragma(database, "busy_timeout = 0")
  pragma(database, `cache_size = -${CACHE_KIB}`)
  pragma(database, "temp_store = MEMORY")
  pragma(database, "query_only = ON")
  // A damaged page is found out when it is read, and the schema's own functions are not run.
  pragma(database, "cell_size_check = ON")
  pragma(database, "trusted_schema = OFF")
}

/** Changes with the schema, and costs a look at the first page. */
export function schemaVersion(database: Database): number {
  return Number(pragma(database, "schema_version"))
}

/** Changes with every commit of anybody else, for as long as the connection is open. */
export function dataVersion(database: Database): number {
  return Number(pragma(database, "data_version"))
}

/** How texts lie in the file, as `TextDecoder` names it. */
export function encodingOf(database: Database): "utf-8" | "utf-16le" | "utf-16be" {
  const encoding = pragma(database, "encoding")
  return encoding === "UTF-16le" ? "utf-16le" : encoding === "UTF-16be" ? "utf-16be" : "utf-8"
}

/** The names of a table's columns, none where there is no such table; `table` is one of ours, and never a caller's. */
export function columnsOf(database: Database, table: string): Set<string> {
  const rows = database.query<{ name: unknown }, []>(`PRAGMA table_xinfo("${table}")`).all()
  return new Set(rows.flatMap(({ name }) => (typeof name === "string" ? [name] : [])))
}
