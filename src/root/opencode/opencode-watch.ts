import { basename, dirname } from "node:path"
import { isStoreError } from "../../errors.ts"
import {
  allowed,
  FolderWatches,
  refusalOf,
  type WatchFolder,
  watchFolder,
} from "../../file/folder-watches.ts"
import { fileSystem } from "../../file/system.ts"
import type { Logger } from "../../logger.ts"
import { ANYTHING, type StoreChange } from "../change.ts"
import type { RootWatch, WatchHealth } from "../root-watch.ts"
import type { Access } from "./access.ts"
import { type DatabaseFiles, type FileLook, lookAt, sameLook, sameWal } from "./files.ts"
import type { OpencodeReader } from "./reader.ts"
import { PROVEN_AFTER_MS } from "./stamps.ts"
import { type Look, WatchedSessions } from "./watched-sessions.ts"

export interface OpencodeWatchParts {
  readonly reader: OpencodeReader
  readonly access: Access
  readonly logger: Logger
  /** By default the system's. */
  readonly watch?: WatchFolder | undefined
  readonly tell: (change: StoreChange) => void
}

/** How long a burst of events is gathered, in ms. */
const GATHER_MS = 20
/** The rest after a look: this many ms, or this many times what the look took if that is more. */
const REST_MS = 100
const REST_SHARE = 3
/** The rest after a look at all sessions: this many ms, or this many times what it took if that is more. */
const WHOLE_MS = 2_000
const WHOLE_SHARE = 20
/** How often the files are looked at without an event, in ms: no event tells that a link leads elsewhere now. */
const CHECK_MS = 2_000
/** More changes than this at once are told as one. */
const MAX_TOLD = 1_000
/** Two writes to a file within this time, in ns, may leave the same time: two seconds on FAT. */
const YOUNG_NS = 2_000_000_000n
const NEVER = Number.POSITIVE_INFINITY

/**
 * Tells of changes in a database. It watches the database's folder. Once one of the files was written, it looks at the sessions that were
 * updated last or have changed before, and a little later at all sessions, for at most 5 % of the time. If the system refuses the watch,
 * it looks at the files every two seconds.
 */
export class OpencodeWatch implements RootWatch {
  readonly #parts: OpencodeWatchParts
  readonly #sessions: WatchedSessions
  readonly #folders: FolderWatches
  readonly #abort = new AbortController()
  readonly #ready = Promise.withResolvers<void>()
  readonly #check: ReturnType<typeof setInterval>
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = 0
  #running: Promise<void> | undefined
  #state: WatchHealth["state"] = "starting"
  #reason: string | undefined
  /** The folder that is watched. */
  #folder: string | undefined
  #files: DatabaseFiles | undefined
  /** Whether the database could be read at the last look. */
  #isRead = false
  /** When to look at the sessions that most likely changed and, below, at all sessions, in ms of `performance.now()`. */
  #someAt = NEVER
  #allAt = 0
  /** The earliest time for the next look and, below, for the next look at all sessions, in ms of `performance.now()`. */
  #restUntil = 0
  #wholeUntil = 0

  constructor(parts: OpencodeWatchParts) {
    this.#parts = parts
    this.#sessions = new WatchedSessions(parts.reader)
    this.#folders = new FolderWatches(parts.watch ?? watchFolder)
    this.#check = setInterval(() => this.#someAt === NEVER && this.#checkFiles(), CHECK_MS)
    this.#check.unref()
    this.#wake()
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  health(): WatchHealth {
    const reason = this.#reason
    return { state: this.#state, folders: this.#folders.size, ...(reason !== undefined && { reason }) }
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    clearTimeout(this.#timer)
    clearInterval(this.#check)
    await this.#running
    this.#folders.close()
    this.#state = "stopped"
    this.#ready.resolve()
  }

  /** Schedules looks, because one of the database's files may have changed. */
  #touch(): void {
    this.#someAt = Math.min(this.#someAt, performance.now())
    this.#allAt = Math.min(this.#allAt, this.#wholeUntil)
    this.#wake()
  }

  #wake(): void {
    if (this.#running || this.#abort.signal.aborted) return
    const next = Math.min(this.#someAt, this.#allAt)
    if (next === NEVER) return
    const at = Math.max(next, this.#restUntil, performance.now() + GATHER_MS)
    if (this.#timer && this.#timerAt <= at) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#running = this.#work().finally(() => {
        this.#running = undefined
        this.#wake()
      })
    }, at - performance.now())
    this.#timer.unref()
  }

  async #work(): Promise<void> {
    const begun = performance.now()
    const isWhole = this.#allAt <= begun
    this.#someAt = NEVER
    if (isWhole) this.#allAt = NEVER
    try {
      this.#watchFolder()
      await this.#look(isWhole)
    } catch (error) {
      if (this.#abort.signal.aborted) return
      this.#parts.logger.warn(`Watching ${this.#parts.reader.database.path} failed`, error)
      this.#parts.tell(ANYTHING)
      this.#allAt = performance.now() + WHOLE_MS
    }
    this.#ready.resolve()
    const now = performance.now()
    this.#restUntil = now + Math.max(REST_MS, REST_SHARE * (now - begun))
    if (!isWhole) return
    this.#wholeUntil = now + Math.max(WHOLE_MS, WHOLE_SHARE * (now - begun))
    this.#allAt = Math.max(this.#allAt, this.#wholeUntil)
  }

  async #look(isWhole: boolean): Promise<void> {
    const { access, tell } = this.#parts
    const { signal } = this.#abort
    const isFirst = this.#state === "starting"
    const wasRead = this.#isRead
    this.#files = this.#filesNow()
    const sessions = this.#sessions
    const look = await access.quietly<Look | undefined>(undefined, () =>
      isWhole ? sessions.all(signal) : sessions.some(signal),
    )
    this.#isRead = look !== undefined
    if (!this.#isRead) sessions.forget()
    // Anything may have changed while it could not be read.
    if (!isFirst && wasRead !== this.#isRead) tell(ANYTHING)
    else if ((look?.changes.length ?? 0) > MAX_TOLD) tell(ANYTHING)
    else for (const change of look?.changes ?? []) tell(change)
    if (look?.isYoung) this.#someAt = Math.min(this.#someAt, performance.now() + PROVEN_AFTER_MS)
    this.#state = this.#reason === undefined ? "watching" : "sweeping"
  }

  /** Watches the folder in which the database lies now. */
  #watchFolder(): void {
    const { path } = this.#parts.reader.database
    const file = this.#filesNow()?.path ?? path
    const folder = dirname(file)
    const name = basename(file)
    const stat = allowed(() => fileSystem.stat(folder))
    if (this.#folder !== undefined && this.#folder !== folder) this.#folders.remove(this.#folder)
    this.#folder = folder
    if (stat?.kind !== "directory") {
      this.#folders.remove(folder)
      this.#reason = "there is no such folder"
      return
    }
    try {
      this.#folders.add(folder, stat.inode, (changed) => {
        // If a look is scheduled already, it will see this change.
        if (this.#someAt !== NEVER) return
        if (changed === undefined) this.#touch()
        else if (changed.startsWith(name)) this.#checkFiles()
      })
      this.#reason = undefined
    } catch (error) {
      this.#reason = refusalOf(error)
    }
  }

  /**
   * Schedules looks if the files differ from the last look, or are too young to tell. An event alone says nothing: SQLite, run by root,
   * causes one by opening a WAL, since it sets the WAL's owner.
   */
  #checkFiles(): void {
    const before = this.#files
    const now = this.#filesNow()
    const isSame =
      before?.path === now?.path && sameLook(before?.main, now?.main) && sameWal(before?.wal, now?.wal)
    if (!isSame || isYoung(now?.main, now?.at) || isYoung(now?.wal, now?.at)) this.#touch()
  }

  #filesNow(): DatabaseFiles | undefined {
    try {
      return lookAt(this.#parts.reader.database.path)
    } catch (error) {
      // Reading the database will report it.
      if (isStoreError(error)) return undefined
      throw error
    }
  }
}

/** Whether a file was written so recently that another write may leave the same stat. */
function isYoung(look: FileLook | undefined, at = 0n): boolean {
  return look !== undefined && at - look.mtimeNs < YOUNG_NS
}
