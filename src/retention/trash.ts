import { join } from "node:path"
import { isStoreError, StoreError } from "../errors.ts"
import { eachAtOnce } from "../file/at-once.ts"
import { TRASH_FOLDER } from "../file/layout.ts"
import { checkKey } from "../record/key.ts"
import { placesOf } from "../root/json/bodies.ts"
import { findSharedMessages, type SharedMessages } from "../root/json/shared-messages.ts"
import { TimeSlice } from "../time-slice.ts"
import { type Extent, sessionFiles } from "./belongings.ts"
import {
  type Entry,
  entryNames,
  entryPath,
  type Manifest,
  manifestPath,
  readEntry,
  roomsOf,
} from "./entry.ts"
import { asStoreError, EntryFiles, type FillOutcome, type TrashContext, withLock } from "./entry-files.ts"

/** Something to be put into the trash. */
export interface Doomed {
  readonly manifest: Omit<Manifest, "removed">
  /** Whether it is still what was to be removed; asked under the write lock, just before. */
  isStill(): Promise<boolean>
}

/** What `trash.list` yields. */
export interface TrashEntry extends Manifest {
  /** `false` for what a killed process left half moved or half deleted; the next call that changes the trash finishes it. */
  readonly whole: boolean
  /** The entry's folder. */
  readonly path: string
}

/** What an app may do with the trash. */
export type Trash = Pick<TrashFolder, "list" | "restore" | "empty">

/** What was brought back. */
export interface Restored {
  readonly id: string
  readonly kind: Manifest["kind"]
  /** Files that came back, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** What stays in the trash, by path, because a file that has come back meanwhile lies in its place. */
  readonly left: readonly string[]
}

/** What of the trash is deleted. */
export interface EmptyOptions {
  /** Only what was removed longer ago than this, in ms. */
  olderThan?: number | undefined
  /** Only what was removed under these ids. */
  ids?: readonly string[] | undefined
  signal?: AbortSignal | undefined
}

/**
 * Removed sessions, each in a folder of its own, with all files at their paths below the store's folder, moved by renames.
 *
 * What is moved is not read, so a record that cannot be read moves like any other, and memory does not grow with a session. A
 * session's own file goes first and comes back last: a session that is listed is whole. Killed at any moment everything is in
 * the store or in the trash; the next call that changes the trash finishes what was begun, under a lock of the trash.
 */
export class TrashFolder {
  readonly #context: TrashContext
  readonly #files: EntryFiles
  readonly #directory: string

  constructor(context: TrashContext) {
    this.#context = context
    this.#files = new EntryFiles(context)
    this.#directory = context.files.directory
  }

  /** Yields what lies in the trash, removed last first. An entry that cannot be read is skipped and reported. */
  async *list(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<TrashEntry> {
    for await (const { name, state, manifest } of this.#entries(options.signal))
      yield { ...manifest, whole: state === "trashed", path: entryPath(this.#directory, name) }
  }

  /**
   * Brings back everything that was removed under these ids, a session's own file last, and yields what came back, removed
   * last first. A file that has come back meanwhile is never overwritten: what was to take its place stays in the trash.
   * @throws StoreError `NOT_FOUND`, `READ_ONLY`, `INVALID_KEY`, `LOCKED`, `WRITE_FAILED`, `NOT_DURABLE`; the signal's reason
   */
  async *restore(
    ids: string | readonly string[],
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Restored> {
    const wanted = new Set(typeof ids === "string" ? [ids] : ids)
    for (const id of wanted) checkKey([id])
    await this.finish(options.signal)
    const slice = new TimeSlice(options.signal)
    const found = new Set<string>()
    const projects = new Set<string>()
    let failed: StoreError | undefined
    try {
      for await (const { name, manifest } of this.#entries(options.signal)) {
        const { id, kind } = manifest
        if (!wanted.has(id)) continue
        found.add(id)
        const { left, places, files, bytes, undurable } = await this.#exclusively(async () => {
          // Counted, since the manifest does not know what stayed at an earlier try, or was lost.
          const held = await this.#files.extent(name, slice)
          const back = await this.#files.bringBack(name, slice)
          const stayed = await this.#files.extent(name, slice)
          return { ...back, files: held.files - stayed.files, bytes: held.bytes - stayed.bytes }
        })
        failed ??= undurable
        for (const place of places) if (place.kind === "session") projects.add(place.folder)
        await this.#context.publishFolders(places.filter((place) => place.kind !== "session"))
        yield { id, kind, files, bytes, left }
      }
    } finally {
      await this.#context.publishFolders([...projects].map((folder) => ({ kind: "session", folder })))
    }
    const missing = [...wanted].filter((id) => !found.has(id))
    if (missing.length > 0)
      throw new StoreError("NOT_FOUND", `The trash holds nothing of ${missing.join(", ")}`, {
        path: join(this.#directory, TRASH_FOLDER),
      })
    if (failed) throw failed
  }

  /**
   * Deletes what lies in the trash, for good, and yields what is gone, removed first first. Cut short, the next call that
   * changes the trash deletes the rest of what it was at. What cannot be deleted is told of when all else is gone.
   * @throws StoreError `READ_ONLY`, `LOCKED`, `WRITE_FAILED`, `NOT_DURABLE`; TypeError; the signal's reason
   */
  async *empty(options: EmptyOptions = {}): AsyncGenerator<Manifest> {
    const { olderThan, ids, signal } = options
    if (olderThan !== undefined && !(olderThan >= 0))
      throw new TypeError(`olderThan must be a number of ms from 0, not ${olderThan}`)
    const wanted = ids && new Set(ids)
    const latest = olderThan === undefined ? Number.POSITIVE_INFINITY : Date.now() - olderThan
    await this.finish(signal)
    let failed: StoreError | undefined
    for (const entry of (await Array.fromAsync(this.#entries(signal))).reverse()) {
      if (entry.manifest.removed > latest || (wanted && !wanted.has(entry.manifest.id))) continue
      try {
        await this.purge(entry, { signal })
      } catch (error) {
        const isGone = isStoreError(error, "NOT_DURABLE")
        if (!isGone && !isStoreError(error, "WRITE_FAILED")) throw error
        failed ??= error
        if (!isGone) continue
      }
      yield entry.manifest
    }
    if (failed) throw failed
  }

  /** Finishes what killed processes left half moved or half deleted; does nothing where there is no trash. */
  async finish(signal?: AbortSignal): Promise<void> {
    this.#mustBeWritable()
    if (!this.#context.files.fs.lstat(join(this.#directory, TRASH_FOLDER))) return
    await this.#exclusively(() => this.#recover(new TimeSlice(signal)), true)
  }

  /**
   * Puts a group of sessions or orphans into the trash, sharing flushes, and gives what became of each. With `signal` it ends
   * before the next of them; none is left half moved.
   * @throws StoreError `READ_ONLY`, `LOCKED`, `WRITE_FAILED`, `NOT_DURABLE`
   */
  async put(
    group: readonly Doomed[],
    shared: SharedMessages,
    signal?: AbortSignal,
  ): Promise<{ entry: Entry; result: FillOutcome }[]> {
    this.#mustBeWritable()
    return this.#exclusively(async () => {
      const folders = new Set<string>()
      const done: { entry: Entry; result: FillOutcome }[] = []
      // In the order of the group, whichever is made first.
      const entries: { doomed: Doomed; entry: Entry }[] = []
      try {
        await eachAtOnce(group.entries(), async ([at, doomed]) => {
          entries[at] = { doomed, entry: await this.#files.begin(doomed.manifest, folders) }
        })
      } catch (error) {
        // There are gaps where one could not be begun.
        for (const begun of entries) if (begun) this.#files.forgetEmpty(begun.entry.name)
        throw error
      }
      await this.#files.flushBefore(folders)
      for (const { doomed, entry } of entries) {
        const isStill = async (): Promise<boolean> => !signal?.aborted && (await doomed.isStill())
        done.push({ entry, result: await this.#files.fill(entry, isStill, shared, folders) })
      }
      await this.#files.flush(folders)
      for (const { entry, result } of done)
        if (result.outcome === "trashed") this.#files.advance(entry, "trashed")
      return done
    })
  }

  /**
   * Deletes one entry for good, and tells that it did. @param unless whether it is rather to be brought back, by what it holds
   */
  async purge(
    { name }: Entry,
    {
      unless,
      signal,
    }: { unless?: (held: Extent) => Promise<boolean>; signal?: AbortSignal | undefined } = {},
  ): Promise<boolean> {
    this.#mustBeWritable()
    const slice = new TimeSlice(signal)
    return this.#exclusively(async () => {
      const { fs } = this.#context.files
      const now = await readEntry(fs, this.#directory, name)
      if (now && (await unless?.(await this.#files.extent(name, slice)))) {
        const { places } = await this.#files.bringBack(name, slice)
        await this.#context.publishFolders(places)
        return false
      }
      // Another process may have brought it back, or deleted it.
      if (now) await this.#files.destroy(now, slice)
      return true
    }, true)
  }

  /**
   * Deletes something for good where it lies, for a disk too full to move it to the trash first; tells whether it was still what was
   * to be removed. @throws StoreError `READ_ONLY`, `LOCKED`, `WRITE_FAILED`
   */
  async destroyInPlace({ manifest, isStill }: Doomed, shared: SharedMessages): Promise<boolean> {
    this.#mustBeWritable()
    try {
      return await this.#files.destroyInPlace(manifest, isStill, shared)
    } catch (error) {
      throw asStoreError(error)
    } finally {
      this.#files.close()
    }
  }

  /** Entries, removed last first, read one by one. */
  async *#entries(signal?: AbortSignal): AsyncGenerator<Entry> {
    const { fs } = this.#context.files
    for (const name of entryNames(fs, this.#directory).reverse()) {
      signal?.throwIfAborted()
      const entry = await this.#read(name)
      if (entry) yield entry
    }
  }

  /** An entry; one that cannot be read is reported, and left as it is. */
  async #read(name: string): Promise<Entry | undefined> {
    const { fs } = this.#context.files
    try {
      const entry = await readEntry(fs, this.#directory, name)
      if (!entry && !this.#files.isEmpty(name)) throw noManifest(entryPath(this.#directory, name))
      return entry
    } catch (error) {
      this.#report(name, asStoreError(error))
      return undefined
    }
  }

  #report(name: string, { path = entryPath(this.#directory, name), code, message }: StoreError): void {
    this.#context.files.problems.report({ path, code, message })
  }

  /**
   * Finishes what a killed process left: it held the lock, so what is not whole now is nobody's. An entry that cannot be
   * finished is reported and tried again by the next call; it hinders no other.
   */
  async #recover(slice: TimeSlice): Promise<void> {
    const { fs } = this.#context.files
    for (const name of entryNames(fs, this.#directory)) {
      await slice.pass()
      if (fs.lstat(manifestPath(this.#directory, name, "trashed"))) continue
      try {
        await this.#finishEntry(name, slice)
      } catch (error) {
        this.#report(name, asStoreError(error))
      }
    }
  }

  async #finishEntry(name: string, slice: TimeSlice): Promise<void> {
    const entry = await readEntry(this.#context.files.fs, this.#directory, name)
    if (!entry && this.#files.isEmpty(name)) this.#files.forgetEmpty(name)
    else if (!entry) throw noManifest(entryPath(this.#directory, name))
    else if (entry.state === "emptying") await this.#files.destroy(entry, slice)
    else {
      const folders = new Set<string>()
      const shared = await findSharedMessages(this.#context.files, slice)
      const result = await this.#files.fill(entry, () => this.#mayGoOn(entry), shared, folders)
      await this.#files.flush(folders)
      if (result.outcome === "trashed") this.#files.advance(entry, "trashed")
      if (result.outcome === "failed") throw result.error
    }
  }

  /** Whether a move that was cut short is still wanted: not where its session was never touched, or has come back. */
  async #mayGoOn({ name, manifest: { id, kind } }: Entry): Promise<boolean> {
    const { files } = this.#context
    if (kind === "parts") return placesOf(files, "message", id).length === 0
    return sessionFiles(files, id).every(([, ...names]) => {
      const here = files.fs.lstat(join(this.#directory, "session", ...names))
      return roomsOf(this.#directory, name, "session").some((room) => {
        const there = files.fs.lstat(join(room, ...names))
        return there !== undefined && there.inode === here?.inode && there.device === here.device
      })
    })
  }

  /** Runs work while no other process changes the trash. @param givesRoom as `withLock` */
  async #exclusively<T>(work: () => Promise<T>, givesRoom = false): Promise<T> {
    const path = join(this.#directory, TRASH_FOLDER, "lock")
    return withLock(path, this.#directory, this.#context.files.fs, givesRoom, async () => {
      try {
        return await work()
      } catch (error) {
        // A signal's reason, or a bug of ours, passes as it is.
        throw asStoreError(error)
      } finally {
        this.#files.close()
      }
    })
  }

  #mustBeWritable(): void {
    this.#context.mustBeOpen()
    if (this.#context.readOnly)
      throw new StoreError("READ_ONLY", "The store was opened with readOnly: true", { path: this.#directory })
  }
}

function noManifest(path: string): StoreError {
  return new StoreError("CORRUPT", `An entry of the trash has lost its manifest: ${path}`, {
    path,
    hint: "Its records are in it: move them back by hand, or delete the entry's folder.",
  })
}
