import { join } from "node:path"
import { BackgroundCatchUp } from "./background-catch-up.ts"
import { BackgroundWalk, type WalkHealth } from "./background-walk.ts"
import { IndexFailure } from "./database/failure.ts"
import { type IndexHealth, SqliteIndex } from "./database/sqlite-index.ts"
import { StoreError } from "./errors.ts"
import { DeviceClock } from "./file/clock.ts"
import { Coalescer } from "./file/coalescer.ts"
import { INDEX_FOLDER, LOCK_FILE } from "./file/layout.ts"
import { ProcessLock } from "./file/lock.ts"
import { type FileSystem, fileSystem } from "./file/system.ts"
import { type Change, type WriteJob, WriteQueue } from "./file/write-queue.ts"
import type { Reconciler } from "./migrator/reconcile.ts"
import { type VerifyOptions, type VerifyResult, verify } from "./migrator/verify.ts"
import { rebuild, type WalkOptions, type WalkResult, walk } from "./migrator/walk.ts"
import { type ResolvedOptions, resolveOptions, type StoreOptions } from "./options.ts"
import { publisher } from "./publisher.ts"
import { fieldsOf } from "./record/extract.ts"
import type { Key } from "./record/key.ts"
import type { Message } from "./record/message.ts"
import type { Part } from "./record/part.ts"
import type { Project } from "./record/project.ts"
import type { Session } from "./record/session.ts"
import type { Catalog } from "./repository/catalog.ts"
import { type AnswerCounts, FallbackCatalog } from "./repository/fallback-catalog.ts"
import { FileCatalog, type RecordFiles } from "./repository/file-catalog.ts"
import { MessageRepository } from "./repository/messages.ts"
import { findOrphans, type Orphan } from "./repository/orphans.ts"
import { PartRepository } from "./repository/parts.ts"
import { type Problem, ProblemLog } from "./repository/problem-log.ts"
import { plainFileProblems, scanProblems } from "./repository/problems.ts"
import { ProjectRepository } from "./repository/projects.ts"
import { RecordWriter, type Update } from "./repository/record-writer.ts"
import { Records } from "./repository/records.ts"
import { SessionRepository } from "./repository/sessions.ts"
import { SqliteCatalog } from "./repository/sqlite-catalog.ts"
import { collectStats, type StoreStats } from "./repository/stats.ts"
import { collectUsage, type Usage, type UsageOptions } from "./repository/usage.ts"
import { versionOf } from "./repository/versions.ts"
import { type CatchUpOptions, catchUp } from "./search/catch-up.ts"
import {
  type SearchEnd,
  type SearchHit,
  type SearchOptions,
  type SearchSources,
  search,
} from "./search/search.ts"
import { changeOf, type StoreChange } from "./watch/change.ts"
import { ChangeFeed } from "./watch/change-feed.ts"
import { type WatchFolder, watchFolder } from "./watch/folder-watches.ts"
import { OwnWrites } from "./watch/own-writes.ts"
import { StoreWatch, type WatchHealth } from "./watch/store-watch.ts"

/** The texts of larger records are not searched, in bytes. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024

/** How the store is doing; no call of it touches the disk beyond the index's folder. */
export interface StoreHealth {
  readonly directory: string
  readonly readOnly: boolean
  readonly index: IndexHealth
  readonly backgroundIndex: WalkHealth
  readonly watch: WatchHealth
  /** How many listings and counts the index answered, and how many the files. */
  readonly answers: Readonly<AnswerCounts>
  /** Different problems met since opening. */
  readonly problems: number
}

/** What a test may put in place of the real thing. */
export interface StoreParts {
  readonly fs?: FileSystem
  /** Answer from the files alone, without any index. */
  readonly filesOnly?: boolean
  readonly watch?: WatchFolder
}

/** A store of sessions, messages and parts: JSON files, with an index beside them. Made by `openStore`. */
export class Store<S = Session, M = Message, P = Part, J = Project> implements AsyncDisposable {
  readonly projects: ProjectRepository<J>
  readonly sessions: SessionRepository<S, M, P>
  readonly messages: MessageRepository<M, P>
  readonly parts: PartRepository<P>
  readonly #options: ResolvedOptions
  readonly #records: Records
  readonly #files: RecordFiles
  readonly #within: Reconciler
  readonly #index: SqliteIndex
  readonly #lock: ProcessLock
  readonly #queue: WriteQueue
  readonly #coalescer: Coalescer
  readonly #fallback: FallbackCatalog
  readonly #searched: SearchSources
  readonly #background: BackgroundWalk
  readonly #catchingUp: BackgroundCatchUp | undefined
  readonly #feed = new ChangeFeed()
  readonly #watch: StoreWatch | undefined
  #problems = 0
  /** Whether the index may lack what a search has to find, and nobody is about to put it there. */
  #mustSweep: boolean
  #closing: Promise<void> | undefined

  constructor(
    options: ResolvedOptions,
    { fs = fileSystem, filesOnly = false, watch = watchFolder }: StoreParts = {},
  ) {
    const { directory, indexPath, maxRecordBytes, readOnly, logger } = options
    this.#options = options
    const folder = indexPath ?? (readOnly ? undefined : join(directory, INDEX_FOLDER))
    this.#index = new SqliteIndex({ folder, cacheBytes: options.cacheSize, logger })
    this.#lock = new ProcessLock(
      indexPath === undefined ? join(directory, LOCK_FILE) : join(indexPath, "write.lock"),
    )
    const problems = new ProblemLog((problem) => {
      this.#problems++
      options.onProblem(problem)
    })
    const own = new OwnWrites(fs)
    const watching = options.watch && !filesOnly
    const publish = async (changes: readonly Change[]): Promise<void> => {
      if (watching) own.note(changes)
      if (!filesOnly) await note(changes)
      this.#catchingUp?.nudge()
      for (const { key, content } of changes)
        this.#feed.publish(changeOf(key, content ? "written" : "removed", "store", fieldsOf(content?.value)))
    }
    this.#queue = new WriteQueue({ ...options, fs, lock: this.#lock, publish })
    const enqueue = (job: WriteJob): Promise<boolean> =>
      watching ? own.during(job.path, () => this.#queue.enqueue(job)) : this.#queue.enqueue(job)
    const writes = { enqueue }
    this.#coalescer = new Coalescer(fs, directory, writes, this.#lock)
    this.#files = { fs, directory, maxRecordBytes, problems, unwritten: this.#coalescer }
    const clock = new DeviceClock(fs, readOnly || folder === undefined ? undefined : join(folder, "clock"))
    this.#within = { fs, directory, index: this.#index, clock, maxRecordBytes, readOnly }
    const indexed = new SqliteCatalog(this.#within, this.#files, options.maxStaleness)
    const scanned = new FileCatalog(this.#files)
    this.#fallback = new FallbackCatalog(indexed, scanned)
    const catalog: Catalog = filesOnly ? scanned : this.#fallback
    const note = publisher(this.#index, logger, () => this.#noteMissed(indexed))
    const writer = new RecordWriter(directory, writes, this.#coalescer, options.schemas, readOnly)
    this.#records = new Records(this.#files, writer)
    this.projects = new ProjectRepository(this.#files)
    this.parts = new PartRepository(this.#files, catalog, writer)
    this.messages = new MessageRepository(this.#files, catalog, writer, this.parts)
    this.sessions = new SessionRepository(this.#files, catalog, writer, this.messages)
    // Larger records are too much to be folded and shown; they are reported by whoever reads them.
    const searchable = Math.min(maxRecordBytes, MAX_SEARCHED_BYTES)
    this.#searched = {
      within: this.#within,
      files: { ...this.#files, maxRecordBytes: searchable, problems: new ProblemLog(() => {}) },
      scan: scanned,
      catalog,
      mode: options.search,
      indexed: !filesOnly,
    }
    if (options.backgroundIndex && !filesOnly)
      this.#catchingUp = new BackgroundCatchUp((work) => this.#catchUp(work), logger)
    this.#mustSweep = !options.backgroundIndex && !filesOnly
    if (watching)
      this.#watch = new StoreWatch({
        within: this.#within,
        watch,
        own,
        logger,
        indexedByOthers: options.backgroundIndex,
        publish: (change) => this.#feed.publish(change),
        onIndexed: (whole) => {
          if (whole) this.#mustSweep = false
          this.#catchingUp?.nudge()
        },
        sessionOf: (messageID) => catalog.guessFolder("message", messageID),
      })
    this.#background = new BackgroundWalk(
      options.backgroundIndex && !filesOnly,
      this.#within,
      logger,
      this.#watch?.ready ?? Promise.resolve(),
      (work) => this.#catchUp(work),
    )
  }

  /** The store's folder, absolute. */
  get directory(): string {
    return this.#options.directory
  }

  /** As `Records.read`: the body under any key. @throws StoreError `NOT_FOUND`, `CORRUPT`, `INVALID_KEY`, … */
  read<T = unknown>(key: Key): Promise<T> {
    return this.#open().read<T>(key)
  }

  /** As `Records.readText`: yields a record's text in pieces, whatever its size. */
  readText(key: Key, options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    return this.#open().readText(key, options)
  }

  /** As `Records.write`: resolves when the body is safely on the disk. */
  async write(key: Key, value: unknown): Promise<void> {
    await this.#open().write(key, value)
  }

  /** As `Records.update`: changes a record atomically, also across processes, and gives its new body. */
  async update<T = unknown>(key: Key, change: Update<T>): Promise<T> {
    return this.#open().update<T>(key, change)
  }

  /** As `Records.remove`: removes one record and nothing below it; tells whether there was one. */
  async remove(key: Key): Promise<boolean> {
    return this.#open().remove(key)
  }

  /**
   * An opaque text that differs whenever one of these records does, made of their files' stamps; `undefined` while a file is
   * too young to tell.
   * @throws StoreError `INVALID_KEY`, `NOT_A_FILE`, `UNREADABLE`; the signal's reason
   */
  async version(
    keys: readonly Key[],
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<string | undefined> {
    this.#open()
    return versionOf(this.#files, this.#within.clock, keys, options.signal)
  }

  /** Yields the keys below a prefix in the order of their segments. */
  keys(prefix: Key = [], options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string[]> {
    return this.#open().keys(prefix, options)
  }

  /** How many records lie below a prefix, by their names. */
  async count(prefix: Key = [], options: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    return this.#open().count(prefix, options)
  }

  /**
   * Brings the index up to date with the whole store, in slices that leave the event loop free. Nothing has to wait for
   * it. It can be cut short at any moment, reads again only what changed, and may run in several processes at once.
   * @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason
   */
  async index(options: WalkOptions = {}): Promise<WalkResult> {
    return this.#onIndex(async () => {
      const result = await walk(this.#within, options)
      await this.#catchUp(options)
      this.#mustSweep = false
      return result
    })
  }

  /**
   * Yields what a query finds in titles and messages, newest first, each hit looked at in its file just before; returns
   * whether there may be more. Words must all occur in one message; `"a phrase"` means that, `-word` excludes. Every substring
   * of one letter or more is found, whatever its case.
   * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`; the signal's reason
   */
  async *search(query: string, options: SearchOptions = {}): AsyncGenerator<SearchHit, SearchEnd> {
    this.#open()
    try {
      await this.#coalescer.flush()
    } catch (error) {
      // No search fails because the disk is full: what could not be written stays, and is not found yet.
      this.#options.logger.warn("A version that waits could not be written before a search", error)
    }
    if (options.fresh || this.#mustSweep) await this.#sweep(options.signal)
    this.#catchingUp?.nudge()
    const end = yield* search(this.#searched, query, options)
    const { state } = this.#background.health()
    const indexing = state === "waiting" || state === "running"
    return indexing && !end.partial && !options.fresh ? { partial: true, reason: "indexing" } : end
  }

  /**
   * Compares the whole index with the content of every file, and runs SQLite's own check of it. Changes nothing, unless
   * told to `repair`.
   * @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyResult> {
    return this.#onIndex(() => verify(this.#within, options))
  }

  /**
   * Reads every file again, whatever the index says of it, while listings go on.
   * @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason
   */
  async rebuild(options: WalkOptions = {}): Promise<WalkResult> {
    return this.#onIndex(() => rebuild(this.#within, options))
  }

  /** Yields records whose parent has no file: messages, parts, then side files, each by folder and id. */
  orphans(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Orphan> {
    this.#open()
    return findOrphans(this.#files, options.signal)
  }

  /** Yields every record that cannot be read, after a look at the whole store. They are left where they are. */
  async *problems(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Problem> {
    this.#open()
    try {
      yield* (await walk(this.#within, options)).unreadable
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      yield* scanProblems(this.#files, options.signal)
    }
    yield* plainFileProblems(this.#files, options.signal)
  }

  /** Counts record files and bytes by looking at every file, which takes a while on a large store. */
  async stats(
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<StoreStats & { readonly indexBytes: number }> {
    this.#open()
    return { ...(await collectStats(this.#files, options.signal)), indexBytes: this.#index.bytes() }
  }

  /**
   * Adds up messages, tokens and cost by day, model and provider, in that order, by reading every message; memory grows with
   * the days and models only.
   * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`; the signal's reason
   */
  async usage(options: UsageOptions = {}): Promise<Usage[]> {
    this.#open()
    return collectUsage(this.#files, options)
  }

  /**
   * Yields what changes from the first `next()` on: by this store at once, and, where it was opened with `watch`, by others once
   * the index has it. Who is slow to take them gets one change of kind `store` and type `unknown` in place of many. Ends when
   * the store is closed.
   * @throws the signal's reason
   */
  changes(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<StoreChange> {
    this.#open()
    return this.#feed.changes(options.signal)
  }

  health(): StoreHealth {
    return {
      directory: this.directory,
      readOnly: this.#options.readOnly,
      index: this.#index.health(),
      backgroundIndex: this.#background.health(),
      watch: this.#watch?.health() ?? { state: "off", folders: 0 },
      answers: { ...this.#fallback.answers },
      problems: this.#problems,
    }
  }

  /**
   * Resolves when everything that was to be written is on the disk, versions kept for `coalesce` included.
   * @throws StoreError `WRITE_FAILED`, `LOCKED` where one of those cannot be written; it is kept, and can be tried again
   */
  async flush(): Promise<void> {
    await this.#coalescer.flush()
    await this.#queue.idle()
  }

  /**
   * Writes what is waiting, ends background work, and closes the index. A second call waits for the first.
   * @throws as `flush`, when all is closed
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#watch?.stop()
    await this.#background.stop()
    await this.#catchingUp?.stop()
    try {
      await this.flush()
    } finally {
      await this.#queue.idle()
      this.#feed.close()
      this.#coalescer.close()
      this.#index.close()
      this.#lock.close()
    }
  }

  /** Brings the index up to date for a search; where it cannot be used the search reads the files anyway. */
  async #sweep(signal?: AbortSignal): Promise<void> {
    try {
      await walk(this.#within, { signal })
      await this.#catchUp({ signal })
      this.#mustSweep = false
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  async #catchUp(options: CatchUpOptions): Promise<void> {
    if (this.#options.search === "all") await catchUp(this.#within, this.#searched.files, options)
  }

  /** A write of ours could not be noted in the index: listings must look, and searches must sweep. */
  #noteMissed(indexed: SqliteCatalog): void {
    indexed.distrust()
    this.#mustSweep = true
  }

  async #onIndex<T>(work: () => Promise<T>): Promise<T> {
    this.#open()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      throw new StoreError("INDEX_UNAVAILABLE", `The index cannot be used: ${error.message}`, {
        path: this.#index.health().path,
        cause: error,
        hint: "Everything still works from the files. Look at health(); the index can be deleted at any moment.",
      })
    }
  }

  #open(): Records {
    if (this.#closing) throw new StoreError("CLOSED", "The store is closed", { path: this.directory })
    return this.#records
  }
}

/**
 * Opens a store. Resolves at once: the index is opened when it is first needed, and filled in the background.
 * @throws TypeError for options that make no sense
 */
export async function openStore<S = Session, M = Message, P = Part, J = Project>(
  options: StoreOptions,
): Promise<Store<S, M, P, J>> {
  return new Store<S, M, P, J>(resolveOptions(options))
}
