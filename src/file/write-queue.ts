// Over 400 lines, because the order of a batch's steps makes writing safe, and they should be read in one place.
import { dirname } from "node:path"
import { isDiskFull, StoreError, systemCode } from "../errors.ts"
import type { Key } from "../record/key.ts"
import { keyPath } from "../record/key.ts"
import { TimeSlice } from "../time-slice.ts"
import type { Draft, NewFiles } from "./access.ts"
import { createDraft, makeFolders, openUp } from "./access.ts"
import { eachAtOnce } from "./at-once.ts"
import { flushFolder, notDurable } from "./folder-flush.ts"
import { checkFolders } from "./layout.ts"
import type { ProcessLock, Release } from "./lock.ts"
import { type ReadResult, readRecord } from "./reader.ts"
import { checkSpelling } from "./spelling.ts"
import type { FileSystem } from "./system.ts"
import { tempPath } from "./temp-file.ts"

/** Bytes to be written as they are, piece by piece, so that memory does not grow with the record. */
export interface Copy {
  /** Each piece is valid until the next is asked for. What it throws rejects the job, and nothing is changed. */
  pieces(): Iterable<Uint8Array>
}

/** What a record's file is to become: a text, the bytes of another file, or nothing. */
export type Content = { readonly text: string; readonly value: unknown } | Copy | null

/** A request to change one record. It sees the record as the jobs before it will leave it. */
export type WriteJob = Wish & (Placed | Sought)

/** A record whose place is known. */
interface Placed {
  readonly key: Key
  readonly path: string
}

/** A record that may be moved meanwhile, so its place is looked for under the lock. */
interface Sought {
  /** What it throws rejects the job. */
  find(): Promise<Key>
}

interface Wish {
  /** Whether `decide` needs the record's current content. */
  readonly reads: boolean
  /** Returns, synchronously, what the file is to become; `undefined` leaves it alone. What it throws rejects only this job. */
  decide(current: ReadResult | undefined): Content | undefined
}

/** Takes changes: the queue that all writers of a store share, or within `exclusively` a queue under the same hold of the lock. */
export interface Writes {
  /** As `WriteQueue.enqueue`. */
  enqueue(job: WriteJob): Promise<boolean>
  /** As `WriteQueue.exclusively`. */
  exclusively<T>(work: (held: Writes) => Promise<T>): Promise<T>
}

/** A change that has reached the disk. */
export interface Change {
  readonly key: Key
  readonly path: string
  readonly content: Content
}

export interface WriteQueueOptions {
  readonly fs: FileSystem
  /** The store's folder. */
  readonly directory: string
  readonly lock: Pick<ProcessLock, "acquire">
  readonly maxRecordBytes: number
  /** "relaxed" leaves out the flushes: a power cut may lose or tear what was written last. */
  readonly durability: "full" | "relaxed"
  /** Brings the index up to date with files that were just changed. Called under the lock; must not throw. */
  readonly publish: (changes: readonly Change[]) => Promise<void>
}

const MAX_BATCH_JOBS = 128
const MAX_FOLDER_TRIES = 5
const MAX_SPELLED = 1_000
const REMOVED: ReadResult = { fault: { code: "NOT_FOUND", message: "There is no such record" } }

/** Stands in for the lock where it is held already. */
const HELD: WriteQueueOptions["lock"] = { acquire: async () => () => {} }

interface Pending {
  readonly job: WriteJob
  resolve(existed: boolean): void
  reject(reason: unknown): void
}

/** Work that has the lock to itself. It settles its own promise and never rejects. */
interface Exclusive {
  /** @param noRoom set if the lock could not be made because the disk is full; then nobody has it, and only removals go on */
  work(noRoom: unknown): Promise<void>
  reject(reason: unknown): void
}

/** One file that a batch changes. */
interface Target {
  readonly key: Key
  readonly path: string
  readonly waiting: Pending[]
  content: Content
  /** The temp file that holds the new content, until it is renamed. */
  temp?: string | undefined
  /** The folders in which folders were made for it; they have to be flushed too. */
  readonly made: string[]
  existed?: boolean
  /** Why it was not changed. */
  failure?: unknown
  /** Why the change may not survive a power cut, though it was made. */
  undurable?: unknown
}

/**
 * The queue that all writers of a store share. Jobs that arrive while a batch is being written form the next batch. The files of a
 * batch are flushed together and published together (group commit), under one hold of the write lock.
 *
 * Every file is replaced atomically: a temp file in the same folder is written, flushed, and renamed over the old file; then the
 * folder is flushed; only then the index is changed.
 */
export class WriteQueue implements Writes {
  readonly #options: WriteQueueOptions
  #pending: (Pending | Exclusive)[] = []
  #running: Promise<void> | undefined
  /** Paths of folders that were checked to have exactly these names (`checkSpelling`). */
  readonly #spelled: Set<string>

  constructor(options: WriteQueueOptions, spelled = new Set<string>()) {
    this.#options = options
    this.#spelled = spelled
  }

  /**
   * Changes a record. Resolves when the change is safely on the disk, with whether the job changed something (for a removal: whether
   * there was such a file).
   * @throws what `decide` threw; StoreError `WRITE_FAILED`, `LOCKED`, `CONFLICT` if the name is another record's, `NOT_DURABLE` if the
   * change was made but could not be flushed
   */
  enqueue(job: WriteJob): Promise<boolean> {
    return new Promise((resolve, reject) => this.#push({ job, resolve, reject }))
  }

  /**
   * Runs work that reads and writes in several steps, all under one hold of the write lock, so that no other writer comes between.
   * What it enqueues on `held` is written at once. It must not wait for anything enqueued elsewhere, which would deadlock.
   * @throws what `work` throws; StoreError `LOCKED`
   */
  exclusively<T>(work: (held: Writes) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = async (noRoom: unknown): Promise<void> => {
        const lock = noRoom === undefined ? HELD : { acquire: () => Promise.reject(noRoom) }
        const held = new WriteQueue({ ...this.#options, lock }, this.#spelled)
        try {
          resolve(await work(held))
        } catch (error) {
          reject(error)
        }
        // What the work enqueued without waiting for it needs the lock as well.
        await held.idle()
      }
      this.#push({ work: run, reject })
    })
  }

  /** Resolves when nothing is waiting to be written. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  #push(next: Pending | Exclusive): void {
    this.#pending.push(next)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // Lets the other callers of this turn of the event loop join the first batch.
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const batch = this.#next()
      const behind = this.#pending.length
      let release: Release | undefined
      let noRoom: unknown
      try {
        release = await this.#options.lock.acquire()
      } catch (error) {
        if (isDiskFull(error)) noRoom = error
        else {
          // What waited behind it has waited as long, so it fails too.
          for (const { reject } of [...batch, ...this.#pending.splice(0, behind)]) reject(error)
          continue
        }
      }
      let targets: Target[] = []
      try {
        if (isExclusive(batch)) await batch[0].work(noRoom)
        else targets = await this.#write(batch, noRoom)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      } finally {
        release?.()
      }
      settle(targets)
    }
    this.#running = undefined
  }

  /** Takes what comes next: one exclusive work, or the jobs up to the next one. */
  #next(): [Exclusive] | Pending[] {
    const [first] = this.#pending
    if (first && "work" in first) {
      this.#pending.shift()
      return [first]
    }
    const jobs: Pending[] = []
    for (const next of this.#pending) {
      if ("work" in next || jobs.length === MAX_BATCH_JOBS) break
      jobs.push(next)
    }
    this.#pending.splice(0, jobs.length)
    return jobs
  }

  /** @param noRoom as in `Exclusive.work` */
  async #write(batch: readonly Pending[], noRoom: unknown): Promise<Target[]> {
    const targets = await this.#decide(batch)
    if (noRoom !== undefined)
      for (const target of targets) if (target.content !== null) target.failure = noRoom
    const flushed = this.#options.durability === "full"
    const made: NewFiles = new Map()
    await eachAtOnce(targets, (target) => attempt(target, () => this.#stage(target, flushed, made)))
    const folders = new Set<string>()
    for (const target of targets) {
      await attempt(target, () => this.#replace(target, flushed))
      if (target.temp !== undefined) this.#discard(target.temp)
      for (const folder of target.made) folders.add(folder)
      folders.add(dirname(target.path))
    }
    if (flushed) await this.#flushFolders(targets, folders)
    const done = targets.filter(
      (target) => target.failure === undefined && (target.content !== null || target.existed),
    )
    if (done.length > 0) await this.#options.publish(done)
    return targets
  }

  async #decide(batch: readonly Pending[]): Promise<Target[]> {
    const targets = new Map<string, Target>()
    const deferred = new Map<Pending, string>()
    for (const pending of batch) {
      const { job } = pending
      try {
        const { key, path } = "find" in job ? await this.#find(job) : job
        const earlier = targets.get(path)
        if (
          (job.reads && isCopy(earlier?.content)) ||
          isAmong(deferred, path) ||
          ("find" in job && movesAmong(targets, key, path))
        ) {
          deferred.set(pending, path)
          continue
        }
        const current = job.reads ? await this.#current(path, earlier) : undefined
        const content = job.decide(current)
        if (content === undefined) pending.resolve(false)
        else if (earlier) {
          earlier.content = content
          earlier.waiting.push(pending)
        } else targets.set(path, { key, path, content, waiting: [pending], made: [] })
      } catch (error) {
        pending.reject(error)
      }
    }
    // A job that needs what this batch copies or moves waits for the next batch. Jobs for one record keep their order.
    this.#pending.unshift(...deferred.keys())
    return [...targets.values()]
  }

  async #find(job: Sought): Promise<Placed> {
    const key = await job.find()
    return { key, path: keyPath(this.#options.directory, key) }
  }

  async #current(path: string, earlier: Target | undefined): Promise<ReadResult> {
    if (!earlier) return readRecord(this.#options.fs, path, this.#options.maxRecordBytes)
    if (earlier.content === null) return REMOVED
    if (isCopy(earlier.content)) throw new Error("A job that reads what is being copied must wait for it")
    const { text } = earlier.content
    return { record: { text, value: JSON.parse(text), faithful: true } }
  }

  /** Writes and flushes the temp file. */
  async #stage(target: Target, flushed: boolean, made?: NewFiles): Promise<void> {
    if (target.content === null) return
    const { fs } = this.#options
    const { content } = target
    const draft = this.#createTemp(target, isCopy(content) ? "" : content.text, made)
    const { descriptor } = draft
    try {
      if (isCopy(content)) await appendPieces(fs, descriptor, content)
      openUp(fs, draft)
      if (flushed) await fs.flush(descriptor)
    } finally {
      fs.close(descriptor)
    }
  }

  #createTemp(target: Target, text: string, made?: NewFiles): Draft {
    const { fs, directory } = this.#options
    const folder = dirname(target.path)
    for (let tries = 1; ; tries++) {
      const seen = checkFolders(fs, directory, target.key)
      // First without making the folder, since it nearly always exists.
      const topmost = tries === 1 ? undefined : makeFolders(fs, folder, directory)
      if (topmost !== undefined)
        for (let made = folder; made.length >= topmost.length; made = dirname(made))
          target.made.push(dirname(made))
      target.temp = tempPath(folder)
      try {
        return createDraft(fs, target.temp, target.path, text, seen, made)
      } catch (error) {
        // There is no folder yet, or another program removed the one that was just made.
        if (systemCode(error) !== "ENOENT" || tries === MAX_FOLDER_TRIES) throw error
      }
    }
  }

  /** Puts the temp file in its place, or removes the file. */
  async #replace(target: Target, flushed: boolean): Promise<void> {
    const { fs, directory } = this.#options
    if (this.#spelled.size > MAX_SPELLED) this.#spelled.clear()
    checkSpelling(fs, directory, target.key, this.#spelled)
    if (target.content === null) {
      checkFolders(fs, directory, target.key)
      target.existed = fs.removeFile(target.path)
      return
    }
    for (let tries = 1; target.temp !== undefined; tries++)
      try {
        fs.rename(target.temp, target.path)
        target.temp = undefined
      } catch (error) {
        if (systemCode(error) !== "ENOENT" || tries === MAX_FOLDER_TRIES) throw error
        // Another program removed the folder, and the temp file with it: start again.
        await this.#stage(target, flushed)
      }
  }

  #discard(temp: string): void {
    try {
      this.#options.fs.removeFile(temp)
    } catch {
      // The caller gets the target's own failure. The sweep of old temp files will remove this one.
    }
  }

  async #flushFolders(targets: readonly Target[], folders: ReadonlySet<string>): Promise<void> {
    await eachAtOnce(folders, async (folder) => {
      try {
        await flushFolder(this.#options.fs, folder)
      } catch (error) {
        for (const target of targets)
          if (dirname(target.path) === folder || target.made.includes(folder)) target.undurable ??= error
      }
    })
  }
}

function isExclusive(batch: [Exclusive] | Pending[]): batch is [Exclusive] {
  return batch.length === 1 && batch[0] !== undefined && "work" in batch[0]
}

/** Whether a batch changes a record of the same kind and id elsewhere, so that its final place is not known yet. */
function movesAmong(targets: ReadonlyMap<string, Target>, key: Key, path: string): boolean {
  for (const other of targets.values())
    if (other.path !== path && other.key[0] === key[0] && other.key.at(-1) === key.at(-1)) return true
  return false
}

function isCopy(content: Content | undefined): content is Copy {
  return content !== null && content !== undefined && "pieces" in content
}

function isAmong(deferred: ReadonlyMap<Pending, string>, path: string): boolean {
  for (const other of deferred.values()) if (other === path) return true
  return false
}

async function appendPieces(fs: FileSystem, descriptor: number, copy: Copy): Promise<void> {
  const slice = new TimeSlice()
  for (const piece of copy.pieces()) {
    fs.append(descriptor, piece)
    const turn = slice.pass()
    if (turn) await turn
  }
}

async function attempt(target: Target, step: () => Promise<void>): Promise<void> {
  if (target.failure !== undefined) return
  try {
    await step()
  } catch (error) {
    target.failure = error
  }
}

function settle(targets: readonly Target[]): void {
  for (const target of targets)
    for (const pending of target.waiting)
      if (target.failure !== undefined) pending.reject(writeError(target.path, target.failure))
      else if (target.undurable !== undefined) pending.reject(notDurable(target.path, target.undurable))
      else pending.resolve(target.content !== null || target.existed === true)
}

function writeError(path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const code = systemCode(cause)
  return new StoreError("WRITE_FAILED", `The record cannot be written (${code ?? "error"})`, {
    path,
    cause,
    hint: isDiskFull(cause)
      ? "The disk is full; nothing was changed."
      : "Check that the store's folder can be written.",
  })
}
