import type { Database } from "bun:sqlite"

/** The WAL is cut back to this size after a checkpoint, in bytes. */
const JOURNAL_SIZE_LIMIT = 16 * 1024 * 1024
/**
 * From so many pages on a commit moves the WAL into the database, flushing both, while the event loop waits: a quarter of
 * SQLite's default takes a quarter of its time.
 */
export const CHECKPOINT_PAGES = 256
/** The same for long work that its caller waits for: a quarter of the flushes. */
export const UNHURRIED_CHECKPOINT_PAGES = 4 * CHECKPOINT_PAGES

/** How the index keeps its journal; `delete` where the file system has no shared memory for a WAL. */
export type JournalMode = "wal" | "delete"

interface PragmaRow {
  [name: string]: unknown
}

function pragma(database: Database, text: string): unknown {
  const row = database.query<PragmaRow, []>(`PRAGMA ${text}`).get()
  return row ? Object.values(row)[0] : undefined
}

/**
 * Sets a connection up; the only raw SQL besides FTS5's (sqlite.org/pragma.html).
 * @param cacheBytes bound of the page cache
 */
export function configure(database: Database, cacheBytes: number): JournalMode {
  // Never wait inside SQLite: that would hold the event loop. Who finds it busy retries or reads the files.
  database.run("PRAGMA busy_timeout = 0")
  database.run(`PRAGMA cache_size = ${-Math.max(1, Math.floor(cacheBytes / 1024))}`)
  // Only heeded before the first page is written; an index without it stays as large as it was. One that has it would be
  // written to: that takes its write lock with every start, and five flushes until it is closed.
  if (pageCount(database) === 0) database.run("PRAGMA auto_vacuum = INCREMENTAL")
  const mode = pragma(database, "journal_mode = WAL") === "wal" ? "wal" : "delete"
  database.run(`PRAGMA journal_size_limit = ${JOURNAL_SIZE_LIMIT}`)
  checkpointEvery(database, CHECKPOINT_PAGES)
  // A power cut may cost the last rows, which their stamps then miss; it must not cost the index.
  database.run(`PRAGMA synchronous = ${mode === "wal" ? "NORMAL" : "FULL"}`)
  database.run("PRAGMA foreign_keys = ON")
  database.run("PRAGMA temp_store = MEMORY")
  return mode
}

/**
 * The number that tells this database from every other one, kept in its first page; made with the database.
 * @throws what SQLite throws
 */
export function markOf(database: Database): number {
  const mark = Number(pragma(database, "user_version"))
  if (mark !== 0) return mark
  database.run(`PRAGMA user_version = ${1 + Math.floor(Math.random() * 0x7fff_fffe)}`)
  return Number(pragma(database, "user_version"))
}

/** Sets from how many pages on a commit moves the WAL into the database. */
export function checkpointEvery(database: Database, pages: number): void {
  database.run(`PRAGMA wal_autocheckpoint = ${pages}`)
}

/** Moves the WAL into the database and empties it; tells whether no reader or writer was in the way. */
export function checkpoint(database: Database): boolean {
  return pragma(database, "wal_checkpoint(TRUNCATE)") === 0
}

/** Pages that hold nothing any more but still take up the file; 0 where the file cannot be made smaller. */
export function freePages(database: Database): number {
  return pragma(database, "auto_vacuum") === 2 ? Number(pragma(database, "freelist_count")) : 0
}

/** How many pages the file has. */
export function pageCount(database: Database): number {
  return Number(pragma(database, "page_count"))
}

/** Gives up to so many free pages at the end of the file back to the disk. */
export function vacuum(database: Database, pages: number): void {
  // Each page is a step of the statement.
  database.query(`PRAGMA incremental_vacuum(${pages})`).all()
}

/** The faults that SQLite's own checks name, of the file and of rows whose owner is gone; none where it is sound. */
export function integrityFaults(database: Database): string[] {
  const rows = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all()
  const faults = rows.map((row) => row.integrity_check).filter((fault) => fault !== "ok")
  if (faults.length > 0) return faults
  const orphans = database.query<{ table: string; rowid: number; parent: string }, []>(
    "PRAGMA foreign_key_check",
  )
  // A document whose message is gone is found by nothing.
  const found = orphans.all().filter(({ table }) => table !== "documents")
  return found.map(({ table, rowid, parent }) => `row ${rowid} of ${table} has no row in ${parent}`)
}
