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

/** Changes that come in a burst are taken together, in ms. */
const GATHER_MS = 20
/** After a look it is rested so long, in ms, and so many times what the look took. */
const REST_MS = 100
const REST_SHARE = 3
/** Looks at all sessions are so far apart, in ms, and so many times what the last one took. */
const WHOLE_MS = 2_000
const WHOLE_SHARE = 20
/** How often the files are looked at without an event, in ms: none tells of a link that is turned. */
const CHECK_MS = 2_000
/** More changes at once are told of as one. */
const MAX_TOLD = 1_000
/** Two writings of a file within so many ns may leave it the same time: two seconds on FAT. */
const YOUNG_NS = 2_000_000_000n
const NEVER = Number.POSITIVE_INFINITY

/**
 * Tells of what becomes of a database. The folder that it lies in is watched, and once one of its files was written those sessions are looked
 * at that were updated last or changed before; all of them a little later, at most 5 % of the time. Where the system refuses the watch, its
 * files are looked at every two seconds.
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
  /** Whether it could be read when it was looked at last. */
  #isRead = false
  /** When the sessions that most likely changed are to be looked at, and when all are, ms of `performance.now()`. */
  #someAt = NEVER
  #allAt = 0
  /** Until when neither may be, ms of `performance.now()`. */
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

  /** One of the database's files may be another one. */
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
    // Nobody knows what changed while it could not be read.
    if (!isFirst && wasRead !== this.#isRead) tell(ANYTHING)
    else if ((look?.changes.length ?? 0) > MAX_TOLD) tell(ANYTHING)
    else for (const change of look?.changes ?? []) tell(change)
    if (look?.isYoung) this.#someAt = Math.min(this.#someAt, performance.now() + PROVEN_AFTER_MS)
    this.#state = this.#reason === undefined ? "watching" : "sweeping"
  }

  /** Watches the folder that the database lies in now. */
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
        // Whatever is heard before that look is in it.
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
   * Touches it where its files are not those that were looked at last, or may be others. An event alone says nothing: to open a WAL is one,
   * where SQLite, run by root, gives it to the database's owner.
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
      // Whoever reads it tells of that.
      if (isStoreError(error)) return undefined
      throw error
    }
  }
}

/** Whether a file was written so lately that another writing of it may look the same. */
function isYoung(look: FileLook | undefined, at = 0n): boolean {
  return look !== undefined && at - look.mtimeNs < YOUNG_NS
}
