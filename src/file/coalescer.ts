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

/** A version of a record to be written. */
export interface Version {
  readonly key: Key
  readonly path: string
  readonly content: { readonly text: string; readonly value: unknown }
  /** Whether it may overwrite what another program has made of the record meanwhile. */
  readonly replaces?: boolean | undefined
}

/** The state of a record that was written with `coalesce` recently. */
interface Entry {
  /** The newest version, if it is not being written yet. */
  waiting: Version | undefined
  /** The version that is being written. */
  writing: { readonly version: Version; readonly done: Promise<unknown> } | undefined
  timer: ReturnType<typeof setTimeout> | undefined
  /** What the file may hold if nobody else has changed it; `undefined` before the first write. */
  known: readonly Digest[] | undefined
  /** What a caller has read from the file since then. The next version was made from that. */
  seen: Digest | undefined
  /** Set while a version is held back because another program changed the file. `told`: the app has got the error. */
  conflict: { readonly error: StoreError; told: boolean } | undefined
  /** The version that another change of this store follows, while that change is decided but not written yet. */
  overtaken: Version | undefined
}

/** For how many idle records the last written digest is remembered. */
const MAX_RESTING = 1_000
/** How many characters of conflicting versions are kept altogether. Beyond that the oldest are given up. */
const MAX_CONFLICTING = 16 * 1024 * 1024

/**
 * Keeps the newest version of a record that is rewritten again and again, and writes it at most once in a number of ms. The first
 * version is written at once, so that the file exists. Later versions are kept in memory, where all readers of this store find them.
 * They are written when the time is up, by `flush`, before any other change of the record, and at the end of the process.
 *
 * A version is made from what this store last wrote or read. So before it is written the file is compared, under the lock. If
 * another program has changed or removed the file, the version is set aside, readers get the file, and `flush` and the next write of
 * the record report the conflict, until the record is written in another way.
 */
export class Coalescer {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #queue: Pick<Writes, "enqueue">
  readonly #lock: ProcessLock
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  /** Idle records, the one that was written last at the end. */
  readonly #resting = new Map<string, Entry>()
  /** Versions that must not be written any more, because a later change of the record was. */
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
   * Takes a version. Resolves when it is on the disk if it is the first in `ms`, or if the version before could not be written;
   * otherwise at once.
   * @throws as `WriteQueue.enqueue` for a version that is written at once; it is then kept and tried again. StoreError `CONFLICT` if
   * another program has changed the record; the version is then set aside
   */
  async write(version: Version, ms: number): Promise<void> {
    this.#listen()
    const { path } = version
    const entry = this.#take(path)
    entry.waiting = version
    if (entry.seen !== undefined && entry.conflict?.told !== false) {
      // The version was made from what was read, not from what was written before.
      entry.known = [entry.seen]
      entry.conflict = undefined
    }
    entry.seen = undefined
    if (version.replaces) entry.conflict = undefined
    const isBusy = entry.timer !== undefined || entry.writing !== undefined
    // The time counts from the start of the write, so that a slow disk does not prolong it.
    entry.timer ??= setTimeout(() => this.#lapse(path, entry, ms), ms)
    if (isBusy && !entry.conflict) return
    try {
      await this.#writeOut(path, entry)
    } catch (error) {
      this.#noteTold(error)
      throw error
    }
  }

  /** The version of a record that is not on the disk yet; `undefined` if there is none or if it is in conflict. */
  newest(path: string): ReadRecord | undefined {
    const entry = this.#entries.get(path)
    if (!entry || entry.conflict) return undefined
    const version = entry.waiting ?? entry.writing?.version
    if (!version) return undefined
    const { text } = version.content
    return { text, value: JSON.parse(text), faithful: true }
  }

  /** Notes that a caller has read this very record (`undefined`: there is no file), so that its next version is made from that. */
  noteRead(path: string, text: string | undefined): void {
    const entry = this.#entries.get(path) ?? this.#resting.get(path)
    if (entry) entry.seen = text === undefined ? ABSENT : digestOfText(text)
  }

  /** Notes changes of this store that have reached the disk: the next version may overwrite them. Called under the lock. */
  noteWritten(changes: readonly Change[]): void {
    for (const { path, content } of changes) {
      const entry = this.#entries.get(path) ?? this.#resting.get(path)
      // The content of a copy is not known here, so it counts as another program's change.
      if (!entry || (content && !("text" in content))) continue
      entry.known = [content ? digestOfText(content.text) : ABSENT]
      entry.seen = undefined
      if (entry.overtaken) this.supersede(entry.overtaken)
      entry.overtaken = undefined
    }
  }

  /**
   * Hands a record's waiting version to the queue, so that a change that is enqueued next comes after it. Returns that version, or the
   * one that is being written.
   */
  handOver(path: string, queue: Pick<Writes, "enqueue">): Version | undefined {
    const entry = this.#entries.get(path)
    if (!entry) return undefined
    // If the disk cannot be written, the change that follows fails too and tells its caller. This version is kept.
    this.#writeOut(path, entry, queue).catch(() => {})
    return entry.writing?.version
  }

  /** Whether a version that was handed over could not be written and waits for another try. */
  isWaiting(version: Version): boolean {
    const entry = this.#entries.get(version.path)
    return entry?.waiting === version && !entry.conflict
  }

  /**
   * Checks before an update that the app has been told about a version that was set aside.
   * @throws StoreError `CONFLICT` if it has not, once
   */
  checkTold(path: string): void {
    const conflict = this.#entries.get(path)?.conflict
    if (!conflict || conflict.told) return
    conflict.told = true
    throw conflict.error
  }

  /** Notes that a later change of the record is decided. Once it is written it supersedes this version, which was handed over. */
  overtake(version: Version): void {
    const entry = this.#entries.get(version.path)
    if (entry) entry.overtaken = version
  }

  /** Drops a version that was handed over and not written, because a later change of the record was written. */
  supersede(version: Version): void {
    const entry = this.#entries.get(version.path)
    if (!entry) return
    entry.conflict = undefined
    // If it is still in the queue, it would overwrite the change.
    if (entry.writing?.version === version) this.#overtaken.add(version)
    if (entry.waiting !== version) return
    entry.waiting = undefined
    this.#forget(version.path, entry)
  }

  /** Resolves when everything is on the disk. @throws the first failure; what could not be written is kept */
  async flush(): Promise<void> {
    const [failure] = await this.attempt()
    if (failure === undefined) return
    this.#noteTold(failure)
    throw failure
  }

  /** Tries to write everything and returns the failures. What could not be written is kept. */
  async attempt(): Promise<unknown[]> {
    const results = await Promise.allSettled(
      [...this.#entries].map(([path, entry]) => this.#writeOut(path, entry)),
    )
    return results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []))
  }

  /** Drops everything, and no longer writes at the end of the process. */
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
    // The version is kept; `flush` and the next write of this record report the failure. Without the timer a process with a full
    // disk can end.
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
      // A conflict that is not about the content: the name is another record's, and no later try would succeed.
      const isRefused = isStoreError(error, "CONFLICT") && !entry.conflict
      if (isRefused) entry.known = undefined
      else if (entry.writing?.version === version) entry.waiting ??= version
      throw error
    } finally {
      if (entry.writing?.version === version) entry.writing = undefined
      this.#forget(path, entry)
    }
  }

  /** Looks at the file and decides what it becomes. @throws StoreError `CONFLICT`, `UNREADABLE` */
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

  /** Checks that nobody else has changed the file, and notes what it may hold from now on. @throws StoreError `CONFLICT`, `UNREADABLE` */
  #compare(entry: Entry, { path, content, replaces }: Version): void {
    const present = this.#look(path)
    const own = digestOfText(content.text)
    if (entry.known && !replaces && present !== own && !entry.known.includes(present)) {
      const newest = entry.waiting ?? entry.writing?.version
      throw changedMeanwhile(path, present === ABSENT, (newest?.content ?? content).text)
    }
    // Both, until it is certain that the version was written.
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

  /** Gives up the oldest conflicting versions if there are too many. They were reported when they were set aside. */
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

  /** Writes everything synchronously, since nothing can be awaited when a process exits. */
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
