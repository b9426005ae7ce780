import { existsSync } from "node:fs"
import { join } from "node:path"
import { isStoreError } from "../errors.ts"
import { required } from "../exhaustion.ts"
import { createShared, makeSharedFolders } from "../file/access.ts"
import { ProcessLock } from "../file/lock.ts"
import { fileSystem } from "../file/system.ts"
import type { Logger } from "../logger.ts"
import type { IndexHealth } from "../root/health.ts"
import { pause } from "../time-slice.ts"
import { Connection } from "./connection.ts"
import { asFailure, IndexFailure } from "./failure.ts"
import { GenerationFiles } from "./generation-file.ts"
import { CHECKPOINT_PAGES, UNHURRIED_CHECKPOINT_PAGES } from "./pragmas.ts"
import type { Statements } from "./statements.ts"

/** How long a call waits for a busy index before the files answer it, in ms. */
const PATIENCE_MS = 50
const RETRY_MS = 2
/** How long an index that failed is left alone, in ms. */
const COOL_DOWN_MS = 1_000
/** How long one check of the index's files is good for within a batch, in ms. */
const BATCH_CHECK_MS = 2
const OPEN_LOCK = "open.lock"

export interface SqliteIndexOptions {
  /** The folder of the index's files; `undefined` for a private index that is removed when the process ends. */
  readonly folder: string | undefined
  /** A folder above it: whoever may write there may use the index. By default the index's own folder. */
  readonly root?: string | undefined
  /** The limit of the page cache, in bytes. */
  readonly cacheBytes: number
  readonly logger: Logger
  /** Whether the index may be made if there is none; asked until it is open. By default it may. */
  readonly mayBeMade?: (() => boolean) | undefined
}

/**
 * The SQLite index of a store. It is opened when it is first needed, reopened if another generation was begun, and begun anew if it is
 * damaged. Every failure of SQLite is thrown as an `IndexFailure`; then the files must answer.
 */
export class SqliteIndex {
  readonly #options: SqliteIndexOptions
  readonly #files: GenerationFiles
  readonly #privateFolder: string | undefined
  #openLock: ProcessLock | undefined
  #connection: Connection | undefined
  #path: string | undefined
  #pointer: bigint | undefined
  #opening: Promise<Connection> | undefined
  #failure: IndexFailure | undefined
  #retryAt = 0
  #damaged: string | undefined
  #batches = 0
  /** How many of the batches are unhurried. */
  #unhurried = 0
  #checkedAt = Number.NEGATIVE_INFINITY
  #failures = 0
  #closed = false

  constructor(options: SqliteIndexOptions) {
    this.#options = options
    if (options.folder === undefined) this.#privateFolder = privateFolders().newPrivateFolder()
    this.#files = new GenerationFiles(options.folder ?? this.#privateFolder ?? "")
  }

  /** Runs a synchronous function on one snapshot. @throws IndexFailure */
  read<T>(work: (statements: Statements) => T): Promise<T> {
    return this.#run((connection) => connection.read(work))
  }

  /** Runs a synchronous function as one transaction. @throws IndexFailure; what `work` throws, after a rollback */
  write<T>(work: (statements: Statements) => T): Promise<T> {
    return this.#run((connection) => connection.write(work))
  }

  /**
   * Identifies the open database; `undefined` if none is open. What was known about rows of another database need not hold in this one.
   * Within `read` it is the database that is being read.
   */
  get database(): string | undefined {
    return this.#connection?.name
  }

  /** As `database`, but opens the index if it is not open. @throws IndexFailure */
  openDatabase(): Promise<string> {
    return this.#run(({ name }) => name)
  }

  /** The share of the file's pages that are free, from 0 to 1. @throws IndexFailure */
  freeShare(): Promise<number> {
    return this.#run((connection) => connection.freeShare())
  }

  /** Gives up to `pages` free pages back to the disk. Returns whether there are more. @throws IndexFailure */
  vacuum(pages: number): Promise<boolean> {
    return this.#run((connection) => connection.vacuum(pages))
  }

  /** Moves the WAL into the database and truncates it, if no other connection is in the way. @throws IndexFailure */
  checkpoint(): Promise<void> {
    return this.#run((connection) => connection.checkpoint())
  }

  /** The faults that SQLite's own check finds; none if the file is sound. @throws IndexFailure */
  async integrity(): Promise<string[]> {
    try {
      return await this.#run((connection) => connection.integrity(), false)
    } catch (error) {
      // If the check fails because of damage, that is its result.
      if (error instanceof IndexFailure && error.kind === "damaged") return [error.message]
      throw error
    }
  }

  /** Makes the next call try an index that just failed, without the cool-down. For calls that ask for the index itself. */
  tryAgain(): void {
    this.#retryAt = 0
  }

  /** Leaves the current file for inspection; the next call begins the next generation. */
  startAnew(): void {
    this.#damaged = this.#path
    this.#drop()
  }

  health(): IndexHealth {
    return {
      state: this.#closed ? "closed" : this.#connection ? "ready" : this.#failure ? "failing" : "unopened",
      reason: this.#failure?.message,
      kind: this.#failure?.kind,
      path: this.#path,
      journalMode: this.#connection?.journalMode,
      damaged: this.#files.old(),
      failures: this.#failures,
    }
  }

  /** The size of all files of the index, all generations together, in bytes. */
  bytes(): number {
    return this.#files.bytes()
  }

  /** Whether there is a file of the index. If there is none, the index holds nothing. */
  isThere(): boolean {
    if (this.#connection !== undefined || this.#closed) return true
    const path = this.#files.current()
    return path === undefined || existsSync(path)
  }

  /** Whether there is an index, or one may be made. */
  mayBeMade(): boolean {
    return this.#connection !== undefined || this.#closed || (this.#options.mayBeMade?.() ?? true)
  }

  /** Moves the WAL into the index and closes it. A second call does nothing. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    try {
      this.#connection?.close()
    } catch (error) {
      // The index is only a copy, and whoever opens it next will see what is wrong.
      this.#options.logger.warn("The index could not be closed cleanly", error)
    }
    this.#connection = undefined
    this.#openLock?.close()
    if (this.#privateFolder !== undefined) privateFolders().removePrivateFolder(this.#privateFolder)
  }

  async #run<T>(work: (connection: Connection) => T, mayRenew = true): Promise<T> {
    if (!this.mayBeMade()) throw new IndexFailure("unavailable", "There is no store here yet")
    const deadline = performance.now() + PATIENCE_MS
    // A call begins a new generation only once.
    let renewed = !mayRenew
    for (;;) {
      try {
        const connection = this.#live() ?? (await this.#open())
        // It may have been given up while this call waited for it.
        if (connection === this.#connection) return work(connection)
      } catch (error) {
        const failure = asFailure(error)
        if (!(failure instanceof IndexFailure)) throw failure
        if (failure.kind === "busy" && performance.now() < deadline) await pause(RETRY_MS)
        else if (failure.kind === "damaged" && !renewed) {
          this.#fail(failure)
          renewed = true
        } else throw this.#fail(failure)
      }
    }
  }

  /**
   * Runs long work with many calls in a row. While it runs, the files of the index are checked every few ms instead of before each call.
   * @param unhurried whether the WAL may be moved into the database in larger steps too, because the caller waits for all of the work
   */
  async batch<T>(work: () => Promise<T>, unhurried = false): Promise<T> {
    this.#batches++
    if (unhurried && this.#unhurried++ === 0) this.#connection?.checkpointEvery(UNHURRIED_CHECKPOINT_PAGES)
    try {
      return await work()
    } finally {
      this.#batches--
      if (unhurried && --this.#unhurried === 0) this.#connection?.checkpointEvery(CHECKPOINT_PAGES)
    }
  }

  /** The open connection, if its file is still the current index. @throws IndexFailure `damaged` if the file was meddled with */
  #live(): Connection | undefined {
    if (this.#closed) throw new IndexFailure("unavailable", "The store is closed")
    if (!this.#connection || !this.#path) return undefined
    const now = performance.now()
    if (this.#batches > 0 && now - this.#checkedAt < BATCH_CHECK_MS) return this.#connection
    this.#checkedAt = now
    if (this.#files.pointer() !== this.#pointer) {
      this.#drop()
      return undefined
    }
    if (this.#connection.isIntact()) return this.#connection
    throw new IndexFailure("damaged", "Another program removed, replaced or cut the index's files")
  }

  #drop(): void {
    const connection = this.#connection
    this.#connection = undefined
    try {
      connection?.abandon()
    } catch {
      // It is given up anyway; a descriptor that cannot be closed changes no answer.
    }
  }

  #fail(failure: IndexFailure): IndexFailure {
    this.#failures++
    if (this.#closed) return failure
    if (failure.message !== this.#failure?.message)
      this.#options.logger.warn(`The index cannot be used, the files answer instead: ${failure.message}`)
    this.#failure = failure
    if (failure.kind === "busy") return failure
    this.#drop()
    if (failure.kind === "damaged") this.#damaged = this.#path
    // Calls during the cool-down fail the same way, and must not prolong it.
    else if (performance.now() >= this.#retryAt) this.#retryAt = performance.now() + COOL_DOWN_MS
    return failure
  }

  #open(): Promise<Connection> {
    if (performance.now() < this.#retryAt && this.#failure) throw this.#failure
    this.#opening ??= this.#openLocked().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openLocked(): Promise<Connection> {
    if (this.#privateFolder !== undefined) privateFolders().keepPrivateFolder(this.#privateFolder)
    // With setgid, since the files that SQLite makes must get the folder's group too.
    makeSharedFolders(fileSystem, this.#files.folder, this.#options.root ?? this.#files.folder, true)
    this.#openLock ??= new ProcessLock(join(this.#files.folder, OPEN_LOCK))
    let release: () => void
    try {
      release = await this.#openLock.acquire(PATIENCE_MS)
    } catch (error) {
      if (!isStoreError(error)) throw error
      throw new IndexFailure(error.cause === undefined ? "busy" : "unavailable", error.message, error)
    }
    try {
      const connection = await this.#connect()
      if (this.#closed) {
        connection.close()
        throw new IndexFailure("unavailable", "The store is closed")
      }
      this.#connection = connection
      if (this.#unhurried > 0) connection.checkpointEvery(UNHURRIED_CHECKPOINT_PAGES)
      this.#failure = undefined
      return connection
    } finally {
      release()
    }
  }

  async #connect(): Promise<Connection> {
    const current = this.#files.current()
    // Another process may have moved on already.
    const lost = current === undefined || current === this.#damaged
    const path = lost ? this.#files.advance(current ?? this.#damaged) : current
    this.#damaged = undefined
    try {
      return await this.#connectTo(path)
    } catch (error) {
      const failure = asFailure(error)
      if (!(failure instanceof IndexFailure) || failure.kind !== "damaged") throw failure
      this.#options.logger.warn(`The index is damaged, a new one is begun: ${failure.message}`, { path })
      this.#failures++
      return this.#connectTo(this.#files.advance(path))
    }
  }

  async #connectTo(path: string): Promise<Connection> {
    this.#path = path
    // Made here, because SQLite would let everybody read it. The WAL gets the same permissions.
    createShared(fileSystem, path)
    const connection = await Connection.open(path, this.#options.cacheBytes)
    this.#pointer = this.#files.pointer()
    return connection
  }
}

/** Loads the module when it is needed, since few indexes are private. */
function privateFolders(): typeof import("./private-folder.ts") {
  return required(() => require("./private-folder.ts"))
}
