import { Database } from "bun:sqlite"
import { type BigIntStats, existsSync, statSync, truncateSync } from "node:fs"
import { dirname } from "node:path"
import { isDiskFull, StoreError, systemCode } from "../errors.ts"
import { EXHAUSTED_HINT, isForTheMoment, isNothingLeft, untilAdmitted } from "../exhaustion.ts"
import { pause } from "../time-slice.ts"
import { createShared, makeSharedFolders } from "./access.ts"
import type { FileSystem } from "./system.ts"
import { fileSystem } from "./system.ts"

/** How long a writer waits for others before it gives up, in ms. If a holder dies, the lock is free at once. */
const PATIENCE_MS = 30_000
const MAX_PAUSE_MS = 8

/** Releases the lock. */
export type Release = () => void

/**
 * A lock between processes: an empty SQLite database, held with BEGIN IMMEDIATE. The operating system frees it when its holder dies,
 * taking it costs about 10 µs, and it works when the index does not. One object has one holder at a time.
 */
export class ProcessLock {
  readonly #path: string
  readonly #root: string
  readonly #fs: FileSystem
  #database: Database | undefined
  #inode: bigint | undefined

  /** @param root the folder whose writers may take the lock: the store's, by default the lock's own */
  constructor(path: string, root: string = dirname(path), fs: FileSystem = fileSystem) {
    this.#path = path
    this.#root = root
    this.#fs = fs
  }

  /**
   * Waits for the lock without holding the event loop.
   * @throws StoreError `LOCKED` after `patienceMs` (by default 30 s), or at once if the lock's file cannot be used; `WRITE_FAILED` if it
   * does not exist yet and the disk is too full to make it; `EXHAUSTED`
   */
  async acquire(patienceMs = PATIENCE_MS): Promise<Release> {
    const deadline = performance.now() + patienceMs
    for (let attempt = 0; ; attempt++) {
      const release = await untilAdmitted(() => this.tryAcquire())
      if (release) return release
      if (performance.now() > deadline)
        throw new StoreError("LOCKED", "Another process held the lock for too long", {
          path: this.#path,
          hint: "Look for a stopped process that is writing to this store.",
        })
      await pause(Math.random() * Math.min(MAX_PAUSE_MS, 1 + attempt))
    }
  }

  /**
   * Takes the lock if it is free; otherwise returns `undefined`.
   * @throws StoreError `LOCKED` if the lock's file cannot be used, `WRITE_FAILED` if the disk is too full to make it, `EXHAUSTED`
   */
  tryAcquire(): Release | undefined {
    try {
      const database = this.#open()
      database.run("BEGIN IMMEDIATE")
      if (this.#isReplaced()) {
        this.close()
        return undefined
      }
      return () => {
        // If it was closed meanwhile, it is free already.
        if (this.#database === database) database.run("ROLLBACK")
      }
    } catch (error) {
      return this.#recover(error)
    }
  }

  close(): void {
    this.#database?.close()
    this.#database = undefined
  }

  #open(): Database {
    if (this.#database && !this.#isReplaced()) return this.#database
    this.close()
    makeSharedFolders(this.#fs, dirname(this.#path), this.#root)
    if (!existsSync(this.#path)) createShared(fileSystem, this.#path)
    const database = new Database(this.#path)
    try {
      this.#inode = this.#stat()?.ino
      // Waiting inside SQLite would hold the event loop.
      database.run("PRAGMA busy_timeout = 0")
      // A journal file needs room, which a full disk does not have. If a kill damages the database, it is emptied and used on.
      database.run("PRAGMA journal_mode = MEMORY")
      giveFirstPage(database)
    } catch (error) {
      database.close()
      throw error
    }
    this.#database = database
    return database
  }

  #stat(): BigIntStats | undefined {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })
  }

  /** Whether the file was removed or replaced, so that a lock on it excludes nobody. */
  #isReplaced(): boolean {
    return this.#stat()?.ino !== this.#inode
  }

  #recover(error: unknown): undefined {
    let code = systemCode(error) ?? ""
    if (code.startsWith("SQLITE_BUSY")) return undefined
    this.close()
    if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT"))
      try {
        // Nothing is stored here, so nothing is lost. The inode stays, so all processes keep the same lock.
        truncateSync(this.#path, 0)
        return undefined
      } catch (failure) {
        code = systemCode(failure) ?? code
      }
    // SQLite does not say why it could not open a file.
    if (isForTheMoment(error) || (code.startsWith("SQLITE_CANTOPEN") && isNothingLeft()))
      throw new StoreError("EXHAUSTED", `The lock's file cannot be opened (${code})`, {
        path: this.#path,
        cause: error,
        hint: EXHAUSTED_HINT,
      })
    if (isDiskFull(error))
      throw new StoreError("WRITE_FAILED", `The lock's file cannot be made (${code})`, {
        path: this.#path,
        cause: error,
        hint: "The disk is full; nothing was changed.",
      })
    throw new StoreError("LOCKED", `The lock cannot be used (${code || "error"})`, {
      path: this.#path,
      cause: error,
      hint: "The folder that holds the lock must be writable.",
    })
  }
}

/** Writes the first page. Without it, every BEGIN IMMEDIATE would write it again; with it, that only takes the lock. */
function giveFirstPage(database: Database): void {
  if (database.query<{ page_count: number }, []>("PRAGMA page_count").get()?.page_count !== 0) return
  try {
    database.run("PRAGMA user_version = 1")
  } catch (error) {
    // On a full disk the lock works without it. If another process is doing the same, the caller waits for it.
    if ((systemCode(error) ?? "").startsWith("SQLITE_BUSY")) throw error
  }
}
