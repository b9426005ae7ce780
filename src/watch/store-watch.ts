import { join } from "node:path"
import { IndexFailure } from "../database/failure.ts"
import { systemCode } from "../errors.ts"
import { isForTheMoment } from "../exhaustion.ts"
import { allowed, FolderWatches, refusalOf, type WatchFolder, watchFolder } from "../file/folder-watches.ts"
import type { Logger } from "../logger.ts"
import { placeName, type Reconciler, reconcile, Unsettled } from "../migrator/reconcile.ts"
import { walk } from "../migrator/walk.ts"
import { idOfFile, type Key, keyPath, segmentFault } from "../record/key.ts"
import { COLLECTION_KINDS, type CollectionKind, type Place } from "../record/kind.ts"
import { ANYTHING, changeOf, type StoreChange } from "../root/change.ts"
import type { WatchHealth } from "../root/root-watch.ts"
import { rest, TimeSlice } from "../time-slice.ts"
import type { OwnWrites } from "./own-writes.ts"

export interface StoreWatchParts {
  readonly within: Reconciler
  /** By default the system's. */
  readonly watch?: WatchFolder | undefined
  readonly own: OwnWrites
  readonly logger: Logger
  /** Told of every change by others, after its folder's rows are right again. */
  readonly publish: (change: StoreChange) => void
  /** Told when rows may have changed, and whether the whole store was looked at. */
  readonly onIndexed: (whole: boolean) => void
  /** The session a message lies in, where the index knows it. */
  readonly sessionOf: (messageID: string) => Promise<string | undefined>
  /** Whether someone else indexes the whole store once the watch is set up. */
  readonly indexedByOthers: boolean
}

/** Changes that come in a burst are taken together, in ms. */
const GATHER_MS = 20
/** How often it is made sure that the watched folders are still the store's, in ms. */
const CHECK_MS = 2_000
/** What cannot be watched is swept after this many ms, and after this many times what the last sweep took. */
const SWEEP_MS = 2_000
const SWEEP_SHARE = 20
/** More paths than that at once, or records in one new folder, are looked at by a sweep, or told of as one. */
const MAX_PATHS = 4_096
const MAX_TOLD = 100

/** The store's folder, or one in it. */
interface FirstLevel {
  readonly key: Key
  readonly path: string
  readonly inode: bigint
}

/** What is to be reconciled and told of one folder. */
interface Dirty {
  readonly place: Place | undefined
  readonly changes: { readonly key: Key; readonly type: StoreChange["type"] }[]
}

/**
 * Keeps the index right while other programs change the files, and tells of their changes: every folder is watched, one that
 * changed is reconciled. Where the system refuses or loses watches the whole store is swept, by the walk that indexes it.
 */
export class StoreWatch {
  readonly #parts: StoreWatchParts
  readonly #watches: FolderWatches
  readonly #abort = new AbortController()
  readonly #ready = Promise.withResolvers<void>()
  /** Keys of records and of folders that something happened to, by their paths. */
  #pending = new Map<string, Key>()
  /** Folders that went on changing while they were reconciled. */
  #unsettled: Place[] = []
  #mustSweep = true
  /** When to sweep though no event asks for it (ms of `performance.now()`). */
  #sweepAt: number | undefined
  #swept = false
  #state: WatchHealth["state"] = "starting"
  #reason: string | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #check: ReturnType<typeof setInterval>
  #running: Promise<void> | undefined

  constructor(parts: StoreWatchParts) {
    this.#parts = parts
    this.#watches = new FolderWatches(parts.watch ?? watchFolder)
    this.#check = setInterval(() => this.#checkFirstLevels(), CHECK_MS)
    this.#check.unref()
    this.#wake(0)
  }

  /** Resolves when every folder is watched, or is known not to be. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  health(): WatchHealth {
    const reason = this.#reason
    return { state: this.#state, folders: this.#watches.size, ...(reason !== undefined && { reason }) }
  }

  /** Ends it; resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#abort.abort()
    clearTimeout(this.#timer)
    clearInterval(this.#check)
    await this.#running
    this.#watches.close()
    this.#state = "stopped"
    this.#ready.resolve()
  }

  #wake(ms = GATHER_MS): void {
    if (this.#timer || this.#running || this.#abort.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // Not begun at once: what it notices while it begins must not begin another.
      this.#running = Promise.resolve()
        .then(() => this.#work())
        .finally(() => {
          this.#running = undefined
          if (this.#isBehind) this.#wake()
        })
    }, ms)
    this.#timer.unref()
  }

  get #isBehind(): boolean {
    return this.#mustSweep || this.#pending.size + this.#unsettled.length > 0
  }

  async #work(): Promise<void> {
    try {
      if (this.#mustSweep) await this.#sweep()
      if (this.#isBehind) await this.#takePending()
    } catch (error) {
      if (this.#abort.signal.aborted) return
      if (!(error instanceof IndexFailure)) this.#parts.logger.warn("Watching the store failed", error)
      // Nobody may wait for a watch that never comes.
      if (this.#state === "starting") {
        this.#state = "sweeping"
        this.#reason = "setting it up failed"
        this.#ready.resolve()
      }
      this.#sweepLater()
    }
  }

  #sweepLater(ms = SWEEP_MS): void {
    this.#sweepAt = performance.now() + ms
  }

  /** Something happened to a name in a watched folder; without a name, to anything. */
  #onName(folder: Key, name: string | undefined): void {
    if (name === undefined || this.#pending.size >= MAX_PATHS) {
      this.#lose("changes came faster than they could be told")
      return
    }
    const named = isFolderKey([...folder, name])
    const segment = named ? (segmentFault(name) === undefined ? name : undefined) : idOfFile(name)
    if (segment === undefined) return
    this.#note([...folder, segment])
    this.#wake()
  }

  #note(key: Key): void {
    this.#pending.set(key.join("/"), key)
  }

  #lose(reason: string): void {
    if (!this.#mustSweep) this.#parts.logger.warn(`The whole store is looked at again: ${reason}`)
    this.#mustSweep = true
    this.#pending.clear()
    this.#wake()
  }

  /** The store's folder and those in it can be links, and others can be put in their place without an event. */
  #checkFirstLevels(): void {
    if (this.#running || this.#state === "starting") return
    let levels: FirstLevel[]
    try {
      levels = this.#firstLevels()
    } catch (error) {
      // Looked at again in a moment.
      if (isForTheMoment(error)) return
      throw error
    }
    if (this.#state === "watching" && !levels.every(({ path, inode }) => this.#watches.has(path, inode)))
      this.#lose("its folders are no longer those that were watched")
    else if (this.#state === "watching" && levels.length === 0) this.#lose("its folder is gone")
    else if (this.#sweepAt !== undefined && performance.now() >= this.#sweepAt) {
      this.#mustSweep = true
      this.#wake()
    }
  }

  /** The store's folder and those in it. */
  #firstLevels(): FirstLevel[] {
    const { fs, directory } = this.#parts.within
    const root = allowed(() => fs.stat(directory))
    if (root?.kind !== "directory") return []
    const levels: FirstLevel[] = [{ key: [], path: directory, inode: root.inode }]
    for (const name of allowed(() => fs.readNames(directory)) ?? []) {
      if (segmentFault(name) !== undefined) continue
      const path = join(directory, name)
      const stat = allowed(() => fs.stat(path))
      if (stat?.kind === "directory") levels.push({ key: [name], path, inode: stat.inode })
    }
    return levels
  }

  /** Watches what is not watched yet, and looks at everything. */
  async #sweep(): Promise<void> {
    const begun = performance.now()
    this.#mustSweep = false
    this.#sweepAt = undefined
    const { within, indexedByOthers, publish, onIndexed } = this.#parts
    const { signal } = this.#abort
    this.#reason = await this.#setUp()
    this.#state = this.#reason === undefined ? "watching" : "sweeping"
    this.#ready.resolve()
    if (this.#swept || !indexedByOthers) {
      const changed: Place[] = []
      const onChanged = (place: Place): void => {
        if (changed.length <= MAX_TOLD) changed.push(place)
      }
      await walk(within, { signal, onYield: rest, onChanged })
      onIndexed(true)
      // The first sweep tells of nothing: nobody was told how it was before.
      if (this.#swept) {
        if (this.#state === "watching" || changed.length > MAX_TOLD) publish(ANYTHING)
        else for (const { kind, folder } of changed) publish(changeOf([kind, folder], "unknown", "other"))
      }
    }
    this.#swept = true
    if (this.#state === "sweeping")
      this.#sweepLater(Math.max(SWEEP_MS, SWEEP_SHARE * (performance.now() - begun)))
  }

  /** Gives the reason why not every folder could be watched. */
  async #setUp(): Promise<string | undefined> {
    const { fs, directory } = this.#parts.within
    const slice = new TimeSlice(this.#abort.signal, rest)
    const levels = this.#firstLevels()
    if (levels.length === 0) return "the store's folder is not there"
    const seen = new Set<string>()
    const watch = (key: Key, path: string, inode: bigint): void => {
      seen.add(path)
      this.#watches.add(path, inode, (name) => this.#onName(key, name))
    }
    try {
      for (const { key, path, inode } of levels) watch(key, path, inode)
      for (const kind of COLLECTION_KINDS)
        for (const name of await namesIn(join(directory, kind))) {
          const turn = slice.pass()
          if (turn) await turn
          const path = join(directory, kind, name)
          const stat = segmentFault(name) === undefined ? fs.lstat(path) : undefined
          if (stat?.kind === "directory") watch([kind, name], path, stat.inode)
        }
    } catch (error) {
      this.#abort.signal.throwIfAborted()
      return refusalOf(error)
    }
    this.#watches.keep(seen)
    return undefined
  }

  async #takePending(): Promise<void> {
    const slice = new TimeSlice(this.#abort.signal)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    const dirty = new Map<string, Dirty>()
    for (const place of this.#unsettled.splice(0)) dirty.set(placeName(place), { place, changes: [] })
    for (const key of pending) {
      const turn = slice.pass()
      if (turn) await turn
      if (isFolderKey(key)) this.#lookAtFolder(key, dirty)
      else this.#lookAtRecord(key, dirty)
    }
    if (dirty.size === 0) return
    await this.#reconcile(
      [...dirty.values()].flatMap(({ place }) => place ?? []),
      slice,
    )
    for (const { changes } of dirty.values()) for (const { key, type } of changes) await this.#tell(key, type)
    this.#parts.onIndexed(false)
  }

  #lookAtRecord(key: Key, dirty: Map<string, Dirty>): void {
    const { within, own } = this.#parts
    const path = keyPath(within.directory, key)
    // Our own write is judged when it is over.
    if (own.isRunning(path)) {
      this.#note(key)
      return
    }
    const stat = within.fs.lstat(path)
    if (!own.isOwn(path, stat)) mark(dirty, key, stat ? "written" : "removed")
  }

  /** A folder that is new is watched first and looked at afterwards, so that nothing falls in between. */
  #lookAtFolder(key: Key, dirty: Map<string, Dirty>): void {
    const { within, own } = this.#parts
    const path = join(within.directory, ...key)
    const stat = allowed(() => (key.length === 1 ? within.fs.stat(path) : within.fs.lstat(path)))
    if (stat?.kind !== "directory") {
      // Files lie among the folders too; and a folder whose attributes changed tells its own name, as if that lay in it.
      if (!this.#watches.remove(path)) return
      if (key.length === 1) this.#lose(`${key[0]}/ is gone`)
      else if (!own.isOwn(path, undefined)) mark(dirty, key, "removed")
      return
    }
    let replaced = false
    try {
      const watch = this.#watches.add(path, stat.inode, (name) => this.#onName(key, name))
      if (watch === "known") return
      // What lay in the earlier folder went without a word.
      replaced = watch === "replaced"
    } catch (error) {
      this.#reason = refusalOf(error)
      this.#state = "sweeping"
      this.#sweepLater()
    }
    const names = allowed(() => within.fs.readNames(path)) ?? []
    if (names.length <= MAX_TOLD && !replaced) for (const name of names) this.#onName(key, name)
    else if (key.length === 1) this.#lose(`${key[0]}/ is new`)
    else mark(dirty, key, "unknown")
  }

  /** Makes folders' rows right. */
  async #reconcile(places: readonly Place[], slice: TimeSlice): Promise<void> {
    try {
      await reconcile(this.#parts.within, places, {
        slice,
        patient: true,
        onFault: (place, fault) => {
          // What goes on changing is looked at again; a folder that cannot be read is reported by whoever lists it.
          if (fault instanceof Unsettled) this.#unsettled.push(place)
        },
      })
    } catch (error) {
      // Without an index there are no rows to be right.
      if (!(error instanceof IndexFailure)) throw error
      this.#sweepLater()
    }
  }

  async #tell(key: Key, type: StoreChange["type"]): Promise<void> {
    const sessionID =
      key[0] === "part" && key[1] !== undefined ? await this.#parts.sessionOf(key[1]) : undefined
    this.#parts.publish(changeOf(key, type, "other", { sessionID }))
  }
}

/** Whether a key names one of the folders that are watched, and not a record. */
function isFolderKey(key: Key): boolean {
  return key.length === 1 || (key.length === 2 && collectionOf(key) !== undefined)
}

function collectionOf([kind]: Key): CollectionKind | undefined {
  return COLLECTION_KINDS.find((candidate) => candidate === kind)
}

function mark(dirty: Map<string, Dirty>, key: Key, type: StoreChange["type"]): void {
  const kind = collectionOf(key)
  const folder = key[1]
  const place = kind !== undefined && folder !== undefined ? { kind, folder } : undefined
  const at = key.slice(0, 2).join("/")
  const known = dirty.get(at)
  if (known) known.changes.push({ key, type })
  else dirty.set(at, { place, changes: [{ key, type }] })
}

/** The names in a folder, read without holding the event loop; none where it cannot be read. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return await process.getBuiltinModule("node:fs/promises").readdir(path)
  } catch (error) {
    if (systemCode(error) === undefined || isForTheMoment(error)) throw error
    return []
  }
}
