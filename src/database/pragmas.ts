import type { Database } from "bun:sqlite"

/** The WAL is cut back to this size after a checkpoint, in bytes. */
const JOURNAL_SIZE_LIMIT = 16 * 1024 * 1024
/**
 * At this many pages of WAL a commit moves it into the database and flushes both, while the event loop waits. A quarter of SQLite's
 * default takes a quarter of the time.
 */
export const CHECKPOINT_PAGES = 256
/** The same for long work whose caller waits for all of it: it needs a quarter of the flushes. */
export const UNHURRIED_CHECKPOINT_PAGES = 4 * CHECKPOINT_PAGES

/** How the index keeps its journal. It is `delete` if the file system has no shared memory, which a WAL needs. */
export type JournalMode = "wal" | "delete"

interface PragmaRow {
  [name: string]: unknown
}

function pragma(database: Database, text: string): unknown {
  const row = database.query<PragmaRow, []>(`PRAGMA ${text}`).get()
  return row ? Object.values(row)[0] : undefined
}

/**
 * Sets up a connection. Pragmas are the only raw SQL besides FTS5's (sqlite.org/pragma.html).
 * @param cacheBytes the limit of the page cache
 */
export function configure(database: Database, cacheBytes: number): JournalMode {
  // Waiting inside SQLite would hold the event loop. Callers that find the index busy retry or read the files.
  database.run("PRAGMA busy_timeout = 0")
  database.run(`PRAGMA cache_size = ${-Math.max(1, Math.floor(cacheBytes / 1024))}`)
  // It has an effect only before the first page is written. Not set again later, since that would write to the index: it would take
  // the write lock at every start and cost five flushes.
  if (pageCount(database) === 0) database.run("PRAGMA auto_vacuum = INCREMENTAL")
  const mode = pragma(database, "journal_mode = WAL") === "wal" ? "wal" : "delete"
  database.run(`PRAGMA journal_size_limit = ${JOURNAL_SIZE_LIMIT}`)
  checkpointEvery(database, CHECKPOINT_PAGES)
  // A power cut may lose the last rows, which the stamps then show; it must not damage the index.
  database.run(`PRAGMA synchronous = ${mode === "wal" ? "NORMAL" : "FULL"}`)
  database.run("PRAGMA foreign_keys = ON")
  database.run("PRAGMA temp_store = MEMORY")
  return mode
}

/**
 * The random number in the first page that tells this database from every other. Made here for a new database.
 * @throws what SQLite throws
 */
export function markOf(database: Database): number {
  const mark = Number(pragma(database, "user_version"))
  if (mark !== 0) return mark
  database.run(`PRAGMA user_version = ${1 + Math.floor(Math.random() * 0x7fff_fffe)}`)
  return Number(pragma(database, "user_version"))
}

/** Sets at how many pages of WAL a commit moves it into the database. */
export function checkpointEvery(database: Database, pages: number): void {
  database.run(`PRAGMA wal_autocheckpoint = ${pages}`)
}

/** Moves the WAL into the database and empties it. Returns whether it could: a reader or writer may be in the way. */
export function checkpoint(database: Database): boolean {
  return pragma(database, "wal_checkpoint(TRUNCATE)") === 0
}

/** How many pages of the file are free; 0 if the file cannot be made smaller. */
export function freePages(database: Database): number {
  return pragma(database, "auto_vacuum") === 2 ? Number(pragma(database, "freelist_count")) : 0
}

/** How many pages the file has. */
export function pageCount(database: Database): number {
  return Number(pragma(database, "page_count"))
}

/** Gives up to `pages` free pages back to the disk. */
export function vacuum(database: Database, pages: number): void {
  // `all`, since each step of the statement frees only one page.
  database.query(`PRAGMA incremental_vacuum(${pages})`).all()
}

/** The faults that SQLite's own checks find, in the file and in foreign keys; none if it is sound. */
export function integrityFaults(database: Database): string[] {
  const rows = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all()
  const faults = rows.map((row) => row.integrity_check).filter((fault) => fault !== "ok")
  if (faults.length > 0) return faults
  const orphans = database.query<{ table: string; rowid: number; parent: string }, []>(
    "PRAGMA foreign_key_check",
  )
  // A document without a message is harmless: nothing finds it.
  const found = orphans.all().filter(({ table }) => table !== "documents")
  return found.map(({ table, rowid, parent }) => `row ${rowid} of ${table} has no row in ${parent}`)
}
