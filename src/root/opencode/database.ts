import { StoreError } from "../../errors.ts"
import { pause, TimeSlice } from "../../time-slice.ts"
import { Connection, Overtaken } from "./connection.ts"
import { type DatabaseFiles, isProven, lookAt, sameLook, sameWal } from "./files.ts"
import { asStoreError, isBusy } from "./trouble.ts"
import type { View } from "./view.ts"

/** How many times a snapshot is tried if its files change meanwhile. */
const MAX_TRIES = 4
/** How long `ask` waits while another program holds the database locked, in ms. */
const PATIENCE_MS = 1000
/** An idle connection is closed after this many ms, or this many times what opening took, so that the agent can remove its WAL when it ends. */
const IDLE_MS = 250
const IDLE_OPENINGS = 20
const MAX_IDLE_MS = 60_000

/** Identifies a state of the database, to ask later whether it is still the same. */
export interface Moment {
  readonly files: DatabaseFiles
  readonly connection: Connection
  readonly version: number
}

/**
 * An opencode database that is read in place. Nothing is created, written or copied, and locks are held only within one synchronous
 * snapshot. The files are looked at for every snapshot, since the agent may start, stop or replace them.
 */
export class OpencodeDatabase {
  /** The path as it was given; problems and errors name it. */
  readonly path: string
  #connection: Connection | undefined
  #idle: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #slice = new TimeSlice()

  constructor(path: string) {
    this.path = path
  }

  /**
   * Runs a synchronous function on one snapshot of the database. If the files change meanwhile it is run again, so it must only read.
   * @throws StoreError `NOT_FOUND`, `NOT_A_FILE`, `UNREADABLE` (refused, locked just now, or changing without end), `CORRUPT`
   *   (damaged, cut off, encrypted, foreign, empty), `CLOSED`; what the function throws
   */
  snapshot<T>(work: (view: View) => T): T {
    try {
      return this.#read(work)
    } catch (error) {
      throw asStoreError(error, this.path)
    }
  }

  /**
   * As `snapshot`, but waits up to a second while another program holds the database locked, and lets other work run between many calls
   * in a row.
   */
  async ask<T>(work: (view: View) => T, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    const turn = this.#slice.pass()
    if (turn) await turn
    const end = performance.now() + PATIENCE_MS
    for (let wait = 1; ; wait = Math.min(50, wait * 2)) {
      signal?.throwIfAborted()
      try {
        return this.#read(work)
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw asStoreError(error, this.path)
      }
      await pause(wait)
    }
  }

  /** The current state of the database. Take it before reading what it is to vouch for. @throws as `snapshot` */
  moment(): Moment {
    return this.snapshot(() => {
      const connection = this.#open()
      return { files: lookAt(this.path), connection, version: connection.dataVersion() }
    })
  }

  /** Whether nothing was committed since; `false` if that cannot be told. @throws as `snapshot` */
  isStill(moment: Moment): boolean {
    const now = this.moment()
    if (now.connection === moment.connection && now.connection.way !== "still")
      return now.version === moment.version
    const { main, wal, at } = moment.files
    return (
      sameLook(main, now.files.main) && sameWal(wal, now.files.wal) && isProven(main, at) && isProven(wal, at)
    )
  }

  /** Closes the files. Later calls fail with `CLOSED`. */
  close(): void {
    this.#closed = true
    this.#letGo()
  }

  #read<T>(work: (view: View) => T): T {
    for (let tries = 1; ; tries++) {
      if (this.#closed)
        throw new StoreError("CLOSED", `The database was closed: ${this.path}`, { path: this.path })
      const before = lookAt(this.path)
      if (before.main.size === 0)
        throw new StoreError("CORRUPT", `The file is empty: ${this.path}`, { path: this.path })
      if (this.#connection && !this.#connection.fits(before)) this.#letGo()
      try {
        this.#connection ??= new Connection(before, this.path)
        const connection = this.#connection
        const { value, sound } = connection.read(before, work)
        this.#rest(connection)
        // A checkpoint during a read changes the file. Where there are locks, they protect the snapshot.
        const locked = connection.way === "shared" || connection.way === "rollback"
        if (sound || (locked && tries === MAX_TRIES)) return value
        if (!locked) this.#letGo()
      } catch (error) {
        this.#letGo()
        // A change during a read without locks can cause any error, so try again if the files have changed.
        if (
          isBusy(error) ||
          tries === MAX_TRIES ||
          (!(error instanceof Overtaken) && this.#isAsBefore(before))
        )
          throw error
      }
      if (tries === MAX_TRIES)
        throw new StoreError("UNREADABLE", `The database went on changing while it was read: ${this.path}`, {
          path: this.path,
        })
    }
  }

  #isAsBefore(before: DatabaseFiles): boolean {
    const now = lookAt(this.path)
    return (
      sameLook(before.main, now.main) &&
      sameWal(before.wal, now.wal) &&
      Boolean(before.shm) === Boolean(now.shm)
    )
  }

  #open(): Connection {
    if (!this.#connection) throw new Error("There is no connection within a snapshot")
    return this.#connection
  }

  #rest({ opening }: Connection): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(
      () => this.#letGo(),
      Math.min(MAX_IDLE_MS, Math.max(IDLE_MS, IDLE_OPENINGS * opening)),
    )
    this.#idle.unref()
  }

  #letGo(): void {
    clearTimeout(this.#idle)
    const connection = this.#connection
    this.#connection = undefined
    connection?.close()
  }
}
