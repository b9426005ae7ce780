import { dirname } from "node:path"
import { isStoreError, systemCode } from "../errors.ts"
import type { Key } from "../record/key.ts"
import { createDraft, makeFolders, openUp } from "./access.ts"
import { flushFolderNow, notDurable } from "./folder-flush.ts"
import { checkFolders } from "./layout.ts"
import type { ProcessLock } from "./lock.ts"
import type { ReadRecord } from "./reader.ts"
import type { FileSystem } from "./system.ts"
import { tempPath } from "./temp-file.ts"
import type { WriteQueue } from "./write-queue.ts"

/** A version of a record that is to be written. */
export interface Version {
  readonly key: Key
  readonly path: string
  readonly content: { readonly text: string; readonly value: unknown }
}

/** What is known of a record that was written with `coalesce` not long ago. */
interface Entry {
  /** The newest version, which no writing has taken up yet. */
  waiting: Version | undefined
  /** The version that is being written. */
  writing: { readonly version: Version; readonly done: Promise<unknown> } | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

/** How long the end of the process waits for another one to let go of the write lock, in ms. */
const EXIT_PATIENCE_MS = 1_000
const EXIT_PAUSE_MS = 2

/**
 * Keeps the newest version of a record that is rewritten again and again, and writes it at most once in so many ms. The
 * first version is written at once, so that the file is there; what is kept in memory after that is given to every reader of
 * this store, and is written out by `flush`, before any other change of the record, and at the end of the process.
 */
export class Coalescer {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #queue: Pick<WriteQueue, "enqueue">
  readonly #lock: ProcessLock
  readonly #entries = new Map<string, Entry>()
  readonly #atExit = (): void => this.#writeNow()
  #listening = false

  constructor(fs: FileSystem, directory: string, queue: Pick<WriteQueue, "enqueue">, lock: ProcessLock) {
    this.#fs = fs
    this.#directory = directory
    this.#queue = queue
    this.#lock = lock
  }

  /**
   * Takes a version. Resolves when it is on the disk if it is the first one in `ms`, or if the one before it could not be
   * written; otherwise at once.
   * @throws as `WriteQueue.enqueue`, for a version that is written at once; it is then kept and tried again
   */
  async write(version: Version, ms: number): Promise<void> {
    this.#listen()
    const entry = this.#entries.get(version.path) ?? {
      waiting: undefined,
      writing: undefined,
      timer: undefined,
    }
    this.#entries.set(version.path, entry)
    entry.waiting = version
    if (entry.timer || entry.writing) return
    // Counted from the start of the writing, so that a slow disk does not stretch it.
    entry.timer = setTimeout(() => this.#lapse(version.path, entry, ms), ms)
    await this.#writeOut(version.path, entry)
  }

  /** The version of a record that is not on the disk yet. */
  newest(path: string): ReadRecord | undefined {
    if (this.#entries.size === 0) return undefined
    const entry = this.#entries.get(path)
    const version = entry?.waiting ?? entry?.writing?.version
    if (!version) return undefined
    const { text } = version.content
    return { text, value: JSON.parse(text), faithful: true }
  }

  /**
   * Hands what waits for a record to the queue, so that a change that is enqueued next comes after it; gives that version, or
   * the one that is being written.
   */
  handOver(path: string): Version | undefined {
    const entry = this.#entries.get(path)
    if (!entry) return undefined
    // Who waits for the change hears of a disk that cannot be written; this version stays until it can.
    this.#writeOut(path, entry).catch(() => {})
    return entry.writing?.version
  }

  /** Tells whether a version that was handed over could not be written, and waits to be tried again. */
  isWaiting(version: Version): boolean {
    return this.#entries.get(version.path)?.waiting === version
  }

  /** Forgets a version that could not be written, since a later change of the record has been. */
  supersede(version: Version): void {
    const entry = this.#entries.get(version.path)
    if (entry?.waiting !== version) return
    entry.waiting = undefined
    this.#forget(version.path, entry)
  }

  /** Resolves when everything is on the disk. @throws the first failure; what could not be written stays */
  async flush(): Promise<void> {
    const results = await Promise.allSettled(
      [...this.#entries].map(([path, entry]) => this.#writeOut(path, entry)),
    )
    for (const result of results) if (result.status === "rejected") throw result.reason
  }

  /** Forgets everything, and the end of the process with it. */
  close(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
    this.#entries.clear()
    process.off("exit", this.#atExit)
    this.#listening = false
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    process.on("exit", this.#atExit)
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

  async #writeOut(path: string, entry: Entry): Promise<void> {
    const version = entry.waiting
    if (!version) {
      await entry.writing?.done
      return
    }
    const done = this.#queue.enqueue({ key: version.key, path, reads: false, decide: () => version.content })
    entry.waiting = undefined
    entry.writing = { version, done }
    try {
      await done
    } catch (error) {
      if (entry.writing?.version === version) entry.waiting ??= version
      throw error
    } finally {
      if (entry.writing?.version === version) entry.writing = undefined
      this.#forget(path, entry)
    }
  }

  #forget(path: string, entry: Entry): void {
    if (!entry.timer && !entry.waiting && !entry.writing) this.#entries.delete(path)
  }

  /** Writes everything synchronously: nothing that is awaited is done any more when a process ends. */
  #writeNow(): void {
    const versions = [...this.#entries.values()].flatMap(
      ({ waiting, writing }) => waiting ?? writing?.version ?? [],
    )
    if (versions.length === 0) return
    const release = this.#acquireNow()
    for (const version of versions)
      try {
        this.#replaceNow(version)
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

  #acquireNow(): (() => void) | undefined {
    for (
      const end = performance.now() + EXIT_PATIENCE_MS;
      performance.now() < end;
      Bun.sleepSync(EXIT_PAUSE_MS)
    )
      try {
        const release = this.#lock.tryAcquire()
        if (release) return release
      } catch {
        // Held by a batch of this very process, which goes no further; or not to be had at all.
        return undefined
      }
    return undefined
  }

  #replaceNow({ key, path, content }: Version): void {
    const folder = dirname(path)
    checkFolders(this.#fs, this.#directory, key)
    makeFolders(this.#fs, folder, this.#directory)
    const temp = tempPath(folder)
    const draft = createDraft(this.#fs, temp, path, content.text)
    try {
      openUp(this.#fs, draft)
      this.#fs.flushSync(draft.descriptor)
    } finally {
      this.#fs.close(draft.descriptor)
    }
    this.#fs.rename(temp, path)
    try {
      flushFolderNow(this.#fs, folder)
    } catch (error) {
      throw notDurable(path, error)
    }
  }
}
