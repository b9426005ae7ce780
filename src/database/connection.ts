import { Database } from "bun:sqlite"
import { sql } from "drizzle-orm"
import { drizzle } from "drizzle-orm/bun-sqlite"
import type { Drizzle } from "./drizzle.ts"
import { IndexFailure } from "./failure.ts"
import { FileGuard } from "./file-guard.ts"
import { MIGRATION_NAMES } from "./migration-names.ts"
import {
  checkpoint,
  checkpointEvery,
  configure,
  freePages,
  integrityFaults,
  type JournalMode,
  markOf,
  pageCount,
  vacuum,
} from "./pragmas.ts"
import { soundText } from "./sound.ts"
import { Statements } from "./statements.ts"

const MIGRATION_NAME = /^\d{14}_\w+$/

type Work = (statements: Statements) => unknown

/** An open index: its prepared statements, and transactions over them. */
export class Connection {
  readonly journalMode: JournalMode
  /** Identifies the database: its path, and the random number in its first page. */
  readonly name: string
  readonly #client: Database
  readonly #guard: FileGuard
  readonly #transaction: { deferred(work: Work): unknown; immediate(work: Work): unknown }

  /**
   * Opens or makes the index at `path` and brings its schema up to date. The caller holds a lock, so that two processes never migrate at
   * once.
   * @throws what SQLite throws; IndexFailure `newer`
   */
  static async open(path: string, cacheBytes: number): Promise<Connection> {
    const client = new Database(path, { create: true, readwrite: true })
    let guard: FileGuard | undefined
    try {
      const journalMode = configure(client, cacheBytes)
      const db = drizzle({ client })
      await migrateSchema(db)
      const mark = markOf(client)
      guard = new FileGuard(path, mark)
      const connection = new Connection(client, db, guard, journalMode, `${path} ${mark}`)
      connection.#checkMark()
      return connection
    } catch (error) {
      client.close()
      guard?.close()
      throw error
    }
  }

  private constructor(
    client: Database,
    db: Drizzle,
    guard: FileGuard,
    journalMode: JournalMode,
    name: string,
  ) {
    this.#client = client
    this.#guard = guard
    this.journalMode = journalMode
    this.name = name
    const statements = new Statements(db)
    // Not Drizzle's transaction(): that takes promises, and then commits rows even if the work throws after an await.
    this.#transaction = client.transaction((work: Work) => work(statements))
  }

  /** Whether the files on the disk are still those that were opened. Ask before each use. */
  isIntact(): boolean {
    return this.#guard.isIntact()
  }

  #checkMark(): void {
    // A new mark is still only in the WAL.
    if (!this.#guard.isMarked() && this.journalMode === "wal" && !checkpoint(this.#client))
      throw new IndexFailure("busy", "Another process is in the way of marking the index")
    if (!this.#guard.isMarked())
      throw new IndexFailure("damaged", "The index and its -wal are of two databases")
  }

  /** Runs a synchronous function on one snapshot of the index. */
  read<T>(work: (statements: Statements) => T): T {
    return runSync(this.#transaction.deferred, work)
  }

  /** Runs a synchronous function as one transaction. If it throws, the transaction is rolled back. */
  write<T>(work: (statements: Statements) => T): T {
    return runSync(this.#transaction.immediate, work)
  }

  /** The share of the file's pages that are free and can be given back to the disk, from 0 to 1. */
  freeShare(): number {
    return freePages(this.#client) / Math.max(1, pageCount(this.#client))
  }

  /** Gives up to `pages` free pages back to the disk. Returns whether there are more. */
  vacuum(pages: number): boolean {
    const before = freePages(this.#client)
    if (before > 0) vacuum(this.#client, pages)
    const after = freePages(this.#client)
    return after > 0 && after < before
  }

  /** Moves the WAL into the database and truncates it, if no other connection is in the way. */
  checkpoint(): void {
    if (this.journalMode === "wal") checkpoint(this.#client)
  }

  /** Sets at how many pages of WAL a commit moves it into the database. */
  checkpointEvery(pages: number): void {
    checkpointEvery(this.#client, pages)
  }

  /** The faults that SQLite's own check finds; none if the file is sound. */
  integrity(): string[] {
    return this.read(({ fullText }) => {
      fullText.seeOthers()
      return integrityFaults(this.#client)
    })
  }

  /** Moves the WAL into the database, if no other connection is in the way, and closes. */
  close(): void {
    try {
      // Not if the file was replaced. The check also repairs the -shm, which closing reads.
      if (this.#guard.isIntact() && this.journalMode === "wal") checkpoint(this.#client)
    } finally {
      this.abandon()
    }
  }

  /** Closes, and touches the file no more than SQLite must. */
  abandon(): void {
    try {
      this.#client.close()
    } finally {
      this.#guard.close()
    }
  }
}

function runSync<T>(run: (work: Work) => unknown, work: (statements: Statements) => T): T {
  let result: { readonly value: T } | undefined
  run((statements) => {
    const value = work(statements)
    if (value instanceof Promise) throw new TypeError("A transaction of the index must be synchronous")
    result = { value }
  })
  if (!result) throw new Error("SQLite ran no transaction")
  return result.value
}

async function migrateSchema(db: Drizzle): Promise<void> {
  const applied = appliedMigrations(db)
  const known = new Set<string>(MIGRATION_NAMES)
  const unknown = applied.find((name) => !known.has(name))
  if (unknown !== undefined)
    throw new IndexFailure("newer", `A newer version made this index (its migration ${unknown} is not known)`)
  if (applied.length === MIGRATION_NAMES.length) return
  // Loaded when there is something to migrate.
  const { migrate } = await import("./migrations.ts")
  migrate(db)
}

function appliedMigrations(db: Drizzle): string[] {
  const [table] = db.all<{ name: string }>(
    sql`select name from sqlite_master where type = 'table' and name = '__drizzle_migrations'`,
  )
  if (!table) return []
  const rows = db.all<{ name: unknown }>(sql`select name from __drizzle_migrations`)
  const names = rows.map(({ name }) => soundText("name", name))
  if (names.every((name) => MIGRATION_NAME.test(name))) return names
  throw new IndexFailure("damaged", "The list of applied migrations is not one")
}
