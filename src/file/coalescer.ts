import { isStoreError, StoreError, systemCode } from "../errors.ts"
import type { Logger } from "../logger.ts"
import { silentLogger } from "../logger.ts"
import type { Key } from "../record/key.ts"
import type { Digest } from "./digest.ts"
import { ABSENT, digestOf, digestOfText } from "./digest.ts"
import type { ProcessLock } from "./lock.ts"
import type { ReadRecord } from "./reader.ts"
import type { FileSystem } from "./system.ts"
import { acquireNow, replaceNow } from "./write-now.ts"
import type { Change, Content, Writes } from "./write-queue.ts"

/** A version of a record that is to be written. */
export interface Version {
  readonly key: Key
  readonly path: string
  readonly content: { readonly text: string; readonly value: unknown }
  /** Whether it may go over what another program has made of the record meanwhile. */
  readonly replaces?: boolean | undefined
}

/** What is known of a record that was written with `coalesce` not long ago. */
interface Entry {
  /** The newest version, which no writing has taken up yet. */
  waiting: Version | undefined
  /** The version that is being written. */
  writing: { readonly version: Version; readonly done: Promise<unknown> } | undefined
  timer: ReturnType<typeof setTimeout> | undefined
  /** What the file may hold without anybody else having changed it; `undefined` before the first writing. */
  known: readonly Digest[] | undefined
  /** What a caller was given of the file since then: what is written next was made in the knowledge of it. */
  seen: Digest | undefined
  /** Set while another program's change keeps a version from being written. */
  conflict: { readonly error: StoreError; told: boolean } | undefined
  /** The version before another change of this store, which is decided and not yet written. */
  overtaken: Version | undefined
}

/** Of so many records that rest it is remembered what was written last. */
const MAX_RESTING = 1_000
/** Versions that conflict and nobody deals with are given up beyond so many characters together, the oldest first. */
const MAX_CONFLICTING = 16 * 1024 * 1024

/**
 * Keeps the newest version of a record that is rewritten again and again, and writes it at most once in so many ms. The
 * first version is written at once, so that the file is there; what is kept in memory after that is given to every reader of
 * this store, and is written out by `flush`, before any other change of the record, and at the end of the process.
 *
 * A version was made of what this store last wrote or read of the record. Before it is written the file is looked at, under the
 * lock: where another program has changed or removed it, the version is set aside, readers are given the file, and
 * `flush` and the next write of the record tell of it, until the record is written in another way.
 */
export class Coalescer {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #queue: Pick<Writes, "enqueue">
  readonly #lock: ProcessLock
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  /** Records of which nothing waits any more, the one that was written last at the end. */
  readonly #resting = new Map<string, Entry>()
  /** Versions that a later change has overtaken. */
  readonly #overtaken = new WeakSet<Version>()
  readonly #atExit = (): void => this.#writeNow()
  #listening = false

  constructor(
    fs: FileSystem,
    directory: string,
    queue: Pick<Writes, "enqueue">,
    lock: ProcessLock,
    logger: Logger = silentLogger,
  ) {
    this.#fs = fs
    this.#directory = directory
    this.#queue = queue
    this.#lock = lock
    this.#logger = logger
  }

  /**
   * Takes a version. Resolves when it is on the disk if it is the first one in `ms`, or if the one before it could not be
   * written; otherwise at once.
   * @throws as `WriteQueue.enqueue`, for a version that is written at once; it is then kept and tried again. StoreError `CONFLICT`
   * where another program has changed the record; the version is then set aside
   */
  async write(version: Version, ms: number): Promise<void> {
    this.#listen()
    const { path } = version
    const entry = this.#take(path)
    entry.waiting = version
    if (entry.seen !== undefined && entry.conflict?.told !== false) {
      // It was made of what was read, not of what was written before that.
      entry.known = [entry.seen]
      entry.conflict = undefined
    }
    entry.seen = undefined
    if (version.replaces) entry.conflict = undefined
    const isBusy = entry.timer !== undefined || entry.writing !== undefined
    // Counted from the start of the writing, so that a slow disk does not stretch it.
    entry.timer ??= setTimeout(() => this.#lapse(path, entry, ms), ms)
    if (isBusy && !entry.conflict) return
    try {
      await this.#writeOut(path, entry)
    } catch (error) {
      this.#noteTold(error)
      throw error
    }
  }

  /** The version of a record that is not on the disk yet; none of a record that another program has changed. */
  newest(path: string): ReadRecord | undefined {
    const entry = this.#entries.get(path)
    if (!entry || entry.conflict) return undefined
    const version = entry.waiting ?? entry.writing?.version
    if (!version) return undefined
    const { text } = version.content
    return { text, value: JSON.parse(text), faithful: true }
  }

  /** A caller was given a record's file by name, `undefined` where there is none: what it writes next was made of that. */
  noteRead(path: string, text: string | undefined): void {
    const entry = this.#entries.get(path) ?? this.#resting.get(path)
    if (entry) entry.seen = text === undefined ? ABSENT : digestOfText(text)
  }

  /** Changes of this store have reached the disk: what is written next may go over them. Called under the lock. */
  noteWritten(changes: readonly Change[]): void {
    for (const { path, content } of changes) {
      const entry = this.#entries.get(path) ?? this.#resting.get(path)
      // What was copied is not known, and counts as another's change.
      if (!entry || (content && !("text" in content))) continue
      entry.known = [content ? digestOfText(content.text) : ABSENT]
      entry.seen = undefined
      if (entry.overtaken) this.supersede(entry.overtaken)
      entry.overtaken = undefined
    }
  }

  /**
   * Hands what waits for a record to the queue, so that a change that is enqueued next comes after it; gives that version, or
   * the one that is being written.
   */
  handOver(path: string, queue: Pick<Writes, "enqueue">): Version | undefined {
    const entry = this.#entries.get(path)
    if (!entry) return undefined
    // Who waits for the change hears of a disk that cannot be written; this version stays until it can.
    this.#writeOut(path, entry, queue).catch(() => {})
    return entry.writing?.version
  }

  /** Tells whether a version that was handed over could not be written, and waits to be tried again. */
  isWaiting(version: Version): boolean {
    const entry = this.#entries.get(version.path)
    return entry?.waiting === version && !entry.conflict
  }

  /**
   * Checks that the app knows what an update would be of: not where a version was set aside that it wrote, and nobody told it.
   * @throws StoreError `CONFLICT`, once
   */
  checkTold(path: string): void {
    const conflict = this.#entries.get(path)?.conflict
    if (!conflict || conflict.told) return
    conflict.told = true
    throw conflict.error
  }

  /** A later change of the record than a version that was handed over is decided: written, it supersedes that. */
  overtake(version: Version): void {
    const entry = this.#entries.get(version.path)
    if (entry) entry.overtaken = version
  }

  /** Forgets a version that was handed over and is not written, since a later change of the record has been. */
  supersede(version: Version): void {
    const entry = this.#entries.get(version.path)
    if (!entry) return
    entry.conflict = undefined
    // One that is still behind would come over the change.
    if (entry.writing?.version === version) this.#overtaken.add(version)
    if (entry.waiting !== version) return
    entry.waiting = undefined
    this.#forget(version.path, entry)
  }

  /** Resolves when everything is on the disk. @throws the first failure; what could not be written stays */
  async flush(): Promise<void> {
    const [failure] = await this.attempt()
    if (failure === undefined) return
    this.#noteTold(failure)
    throw failure
  }

  /** Tries to write everything, and gives what failed; what could not be written stays. */
  async attempt(): Promise<unknown[]> {
    const results = await Promise.allSettled(
      [...this.#entries].map(([path, entry]) => this.#writeOut(path, entry)),
    )
    return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []))
  }

  /** Forgets everything, and the end of the process with it. */
  close(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
    this.#entries.clear()
    this.#resting.clear()
    process.off("exit", this.#atExit)
    this.#listening = false
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    process.on("exit", this.#atExit)
  }

  #take(path: string): Entry {
    const entry: Entry = this.#entries.get(path) ??
      this.#resting.get(path) ?? {
        waiting: undefined,
        writing: undefined,
        timer: undefined,
        known: undefined,
        seen: undefined,
        conflict: undefined,
        overtaken: undefined,
      }
    this.#resting.delete(path)
    this.#entries.set(path, entry)
    return entry
  }

  #lapse(path: string, entry: Entry, ms: number): void {
    entry.timer = undefined
    if (!entry.waiting) {
      this.#forget(path, entry)
      return
    }
    entry.timer = setTimeout(() => this.#lapse(path, entry, ms), ms)
    // It stays, and `flush` and the next write of this record tell of it. No timer keeps a process with a full disk alive.
    this.#writeOut(path, entry).catch(() => {
      clearTimeout(entry.timer)
      entry.timer = undefined
    })
  }

  async #writeOut(path: string, entry: Entry, queue = this.#queue): Promise<void> {
    const version = entry.waiting
    if (!version) {
      await entry.writing?.done
      return
    }
    const decide = (): Content | undefined => this.#decide(entry, version)
    const done = queue.enqueue({ key: version.key, path, reads: false, decide })
    entry.waiting = undefined
    entry.writing = { version, done }
    try {
      await done
    } catch (error) {
      // Its name is another record's: no later try would write it.
      const isRefused = isStoreError(error, "CONFLICT") && !entry.conflict
      if (isRefused) entry.known = undefined
      else if (entry.writing?.version === version) entry.waiting ??= version
      throw error
    } finally {
      if (entry.writing?.version === version) entry.writing = undefined
      this.#forget(path, entry)
    }
  }

  /** What the file is to become, after a look at it. @throws StoreError `CONFLICT`, `UNREADABLE` */
  #decide(entry: Entry, version: Version): Content | undefined {
    if (this.#overtaken.has(version)) return undefined
    try {
      this.#compare(entry, version)
    } catch (error) {
      if (isStoreError(error, "CONFLICT")) this.#setAside(entry, version, error)
      throw error
    }
    entry.conflict = undefined
    return version.content
  }

  /** Checks that nobody else has changed the file, and notes what it may hold from now on. */
  #compare(entry: Entry, { path, content, replaces }: Version): void {
    const present = this.#look(path)
    const own = digestOfText(content.text)
    if (entry.known && !replaces && present !== own && !entry.known.includes(present)) {
      const newest = entry.waiting ?? entry.writing?.version
      throw changedMeanwhile(path, present === ABSENT, (newest?.content ?? content).text)
    }
    // Either, as long as it is not certain that it was written.
    entry.known = [present, own]
  }

  #look(path: string): Digest {
    try {
      return digestOf(this.#fs, path)
    } catch (cause) {
      const code = systemCode(cause)
      if (code === undefined) throw cause
      throw new StoreError("UNREADABLE", `The record cannot be looked at (${code}): ${path}`, { path, cause })
    }
  }

  #setAside(entry: Entry, version: Version, error: StoreError): void {
    const isNew = entry.conflict === undefined
    if (entry.writing?.version === version) {
      entry.writing = undefined
      entry.waiting ??= version
    }
    entry.conflict = { error, told: entry.conflict?.told ?? false }
    clearTimeout(entry.timer)
    entry.timer = undefined
    if (isNew) this.#logger.warn(error.message, error)
    this.#giveUp(entry)
  }

  /** Lets go of the oldest versions that conflict where they become too much; told of when they were set aside. */
  #giveUp(latest: Entry): void {
    const conflicting = [...this.#entries].filter(([, { conflict }]) => conflict)
    let size = conflicting.reduce((sum, [, { waiting }]) => sum + (waiting?.content.text.length ?? 0), 0)
    for (const [path, entry] of conflicting) {
      if (size <= MAX_CONFLICTING) return
      if (entry === latest || !entry.conflict) continue
      size -= entry.waiting?.content.text.length ?? 0
      this.#logger.warn(`Given up, since nobody dealt with it: ${entry.conflict.error.message}`)
      entry.waiting = undefined
      entry.conflict = undefined
      this.#forget(path, entry)
    }
  }

  #noteTold(error: unknown): void {
    for (const { conflict } of this.#entries.values())
      if (conflict && conflict.error === error) conflict.told = true
  }

  #forget(path: string, entry: Entry): void {
    if (entry.timer || entry.waiting || entry.writing || this.#entries.get(path) !== entry) return
    this.#entries.delete(path)
    if (!entry.known) return
    this.#resting.set(path, entry)
    for (const oldest of this.#resting.keys()) {
      if (this.#resting.size <= MAX_RESTING) return
      this.#resting.delete(oldest)
    }
  }

  /** Writes everything synchronously: nothing that is awaited is done any more when a process ends. */
  #writeNow(): void {
    const entries = [...this.#entries.values()].flatMap((entry) => {
      const version = entry.waiting ?? entry.writing?.version
      return version && !this.#overtaken.has(version) ? [{ entry, version }] : []
    })
    if (entries.length === 0) return
    const release = acquireNow(this.#lock)
    for (const { entry, version } of entries)
      try {
        this.#compare(entry, version)
        replaceNow(this.#fs, this.#directory, version)
      } catch (error) {
        const told = isStoreError(error) ? error.message : (systemCode(error) ?? error)
        console.error(
          isStoreError(error, "NOT_DURABLE")
            ? `sessiondex: ${version.path} at exit: ${told}`
            : `sessiondex: ${version.path} could not be written at exit (${told})`,
        )
      }
    release?.()
  }
}

function changedMeanwhile(path: string, isGone: boolean, text: string): StoreError {
  return new StoreError(
    "CONFLICT",
    `The record was ${isGone ? "removed" : "changed"} by another program while a version of it waited to be written: ${path}`,
    {
      path,
      hint: 'Read it and write what is to stay, without coalesce or with onConflict: "replace". The error\'s `unwritten` is what waited.',
      unwritten: JSON.parse(text),
    },
  )
}
