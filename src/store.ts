// Over 400 lines, since every call of the public face is described here; what it does is elsewhere, and a few lines a call.
import { join, resolve, sep } from "node:path"
import { type Composition, compose, type StoreParts } from "./composition.ts"
import { withDataFolders } from "./data-folder.ts"
import { isDiskFull, StoreError } from "./errors.ts"
import { loaded, untilAdmitted } from "./exhaustion.ts"
import { fileSystem } from "./file/system.ts"
import type { WriteJob } from "./file/write-queue.ts"
import { ownMayBeMissing, type ResolvedOptions, resolveOptions, type StoreOptions } from "./options.ts"
import type { ForgetResult } from "./push/forget.ts"
import type { Pushed, PushOptions, PushResult } from "./push/options.ts"
import type { FieldTypes, NoFields } from "./record/fields.ts"
import type { Key } from "./record/key.ts"
import type { Message } from "./record/message.ts"
import type { Part } from "./record/part.ts"
import type { Project } from "./record/project.ts"
import type { Session } from "./record/session.ts"
import { MessageRepository } from "./repository/messages.ts"
import { ofSource, type SourceFilter } from "./repository/of-source.ts"
import { notFound, PartRepository } from "./repository/parts.ts"
import { ProjectRepository } from "./repository/projects.ts"
import { Records } from "./repository/records.ts"
import { SessionRepository } from "./repository/sessions.ts"
import type { Usage, UsageOptions } from "./repository/usage.ts"
import type { Pruned, PruneOptions, PruneResult } from "./retention/prune.ts"
import type { Trash } from "./retention/trash.ts"
import type { StoreChange } from "./root/change.ts"
import type { IdOrKey } from "./root/check.ts"
import type { AnswerCounts, IndexHealth, RootHealth, WalkHealth } from "./root/health.ts"
import type { Problem } from "./root/problem-log.ts"
import type { Root, RootProvider } from "./root/root.ts"
import type { WatchHealth } from "./root/root-watch.ts"
import type { StoreStats } from "./root/store-stats.ts"
import type { Orphan } from "./root/upkeep.ts"
import type { VerifyOptions, VerifyResult } from "./root/verify-result.ts"
import type { IndexOptions, WalkResult } from "./root/walk-result.ts"
import type { Update } from "./root/writer.ts"
import type { SearchEnd, SearchHit, SearchOptions } from "./search/options.ts"
import type { SourceReport, SourcesOptions } from "./sources/report.ts"
import type { CopyOptions, CopyResult, NotCopied } from "./transfer/copy-store.ts"
import type { ExportEnd } from "./transfer/export.ts"
import type { ImportOptions, ImportResult } from "./transfer/import.ts"
import type { ImportFromOptions, ImportFromResult } from "./transfer/import-from.ts"
import type { ImportOlderOptions, ImportOlderResult } from "./transfer/import-older.ts"

/** How the store is doing; no call of it touches the disk beyond the index's folder. */
export interface StoreHealth {
  readonly directory: string
  readonly readOnly: boolean
  readonly index: IndexHealth
  readonly backgroundIndex: WalkHealth
  readonly watch: WatchHealth
  /** How many listings and counts the indexes answered, and how many the files. */
  readonly answers: Readonly<AnswerCounts>
  /** The folders that are read beside the store's own: those of `alsoRead`, and older layouts that were found. */
  readonly alsoReading: readonly RootHealth[]
  /** Different problems met since opening. */
  readonly problems: number
}

/** Of which agents something is wanted. */
export interface SourceOptions {
  /** Only of places with the history of this agent, or these. */
  source?: SourceFilter | undefined
  signal?: AbortSignal | undefined
}

const NO_STATS: StoreStats = { kinds: {}, projects: [], months: [], largest: [] }

/** What lies in the trash, by what its manifests say. */
export interface TrashStats {
  readonly entries: number
  readonly files: number
  readonly bytes: number
}

/** A store of sessions, messages and parts: JSON files, with an index beside them. Made by `openStore`. */
export class Store<S = Session, M = Message, P = Part, J = Project, F extends FieldTypes = NoFields>
  implements AsyncDisposable
{
  readonly projects: ProjectRepository<J>
  readonly sessions: SessionRepository<S, F>
  readonly messages: MessageRepository<M, P>
  readonly parts: PartRepository<P>
  readonly #options: ResolvedOptions
  readonly #parts: Composition
  readonly #records: Records
  #problems = 0
  #closing: Promise<void> | undefined

  constructor(resolved: ResolvedOptions, parts: StoreParts = {}) {
    const options = withDataFolders(resolved, parts.fs ?? fileSystem, parts.filesOnly ?? false)
    this.#options = options
    const tell = (problem: Problem): void => {
      this.#problems++
      options.onProblem(problem)
    }
    this.#parts = compose(options, parts, tell, () => {
      this.#open()
    })
    const { roots, writer } = this.#parts
    this.#records = new Records(roots, writer)
    this.projects = new ProjectRepository(roots)
    this.parts = new PartRepository(roots, writer)
    this.messages = new MessageRepository(roots, writer, this.parts)
    this.sessions = new SessionRepository(roots, writer, options.fields)
  }

  /** What was pruned and can be brought back. */
  get trash(): Trash {
    return this.#parts.trash()
  }

  /**
   * Which of the folders it was opened with are no stores, its own first, as `NOT_FOUND` errors that say what was looked for and
   * hint at one near it. A store that is new is one of them until something is written; reading makes nothing in such a folder.
   */
  missing(): readonly StoreError[] {
    this.#open()
    const { all } = this.#parts
    const needed = ownMayBeMissing(this.#options) && all.length > 1 ? all.slice(1) : all
    return needed.flatMap(({ upkeep }) => upkeep.missing() ?? [])
  }

  /** The store's folder, absolute; of a data folder its `storage`. */
  get directory(): string {
    return this.#options.directory
  }

  /**
   * As `Records.read`: the body under any key; where the store's own folder has none, from the one its session is read from.
   * @throws StoreError `NOT_FOUND`, `CORRUPT`, `INVALID_KEY`, …
   */
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
   * too young to tell, and where the store reads several folders.
   * @throws StoreError `INVALID_KEY`, `NOT_A_FILE`, `UNREADABLE`; the signal's reason
   */
  async version(
    keys: readonly Key[],
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<string | undefined> {
    this.#open()
    const { own, roots } = this.#parts
    // What is read from elsewhere may change without any of these records.
    return roots.all.length > 1 ? undefined : own.records.version(keys, options.signal)
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
   * Brings the index up to date with the whole store and what is read beside it, in slices that leave the event loop free.
   * Nothing has to wait for it. It can be cut short at any moment, reads again only what changed, and may run in several
   * processes at once.
   * @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason
   */
  async index(options: IndexOptions = {}): Promise<WalkResult> {
    const { indexAll } = await loaded(() => import("./repository/all-upkeep.ts"))
    return indexAll(this.#parts.roots.all, options)
  }

  /**
   * Yields what a query finds in titles and messages, newest first, each hit looked at in its file just before; returns
   * whether there may be more. Words must all occur in one message; `"a phrase"` means that, `-word` excludes, and nothing but
   * exclusions finds nothing. Every substring of one letter or more is found, whatever its case.
   *
   * Where the index is not known to be whole yet, as after opening, it waits for that as long as `timeout` allows. If that takes
   * more than half a second, hits come as they are found meanwhile: newest first each time it looks, but what is found later may
   * be newer.
   * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`, `EXHAUSTED`; the signal's reason
   */
  async *search(query: string, options: SearchOptions = {}): AsyncGenerator<SearchHit, SearchEnd> {
    this.#open()
    const { all, roots } = this.#parts
    // No search fails because the disk is full: what could not be written stays, and is not found yet.
    for (const error of ((await this.#parts.written()?.coalescer.attempt()) ?? []).slice(0, 1))
      this.#options.logger.warn("A version that waits could not be written before a search", error)
    for (const { upkeep } of all) upkeep.nudge()
    const { search } = await loaded(() => import("./search/search.ts"))
    return yield* search(roots, query, options)
  }

  /**
   * Compares the whole index with the content of every file, and runs SQLite's own check of it; the indexes of what is read
   * beside the store too. Changes nothing, unless told to `repair`.
   * @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyResult> {
    const { verifyAll } = await loaded(() => import("./repository/all-upkeep.ts"))
    return verifyAll(this.#parts.roots.all, options)
  }

  /**
   * Reads every file again, whatever the index says of it, while listings go on.
   * @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason
   */
  async rebuild(options: IndexOptions = {}): Promise<WalkResult> {
    const { rebuildAll } = await loaded(() => import("./repository/all-upkeep.ts"))
    return rebuildAll(this.#parts.roots.all, options)
  }

  /**
   * Copies histories of an older layout (`<data>/project/<name>/storage/session/…`) into this store, record by record and byte
   * for byte; by default those that lie beside it. What is already there stays as it is. It can be cut short at any moment and
   * goes on where it was; the older files are left as they are.
   * @throws StoreError `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `NOT_FOUND` for a folder without such histories; the signal's reason
   */
  async importOlder(options: ImportOlderOptions = {}): Promise<ImportOlderResult> {
    this.#open()
    if (this.#options.readOnly)
      throw new StoreError("READ_ONLY", "The store was opened with readOnly: true", { path: this.directory })
    const queue = {
      enqueue: (job: WriteJob) => {
        this.#open()
        return this.#parts.writing().writes.enqueue(job)
      },
    }
    const { importOlder } = await loaded(() => import("./transfer/import-older.ts"))
    const { fs, own } = this.#parts
    return importOlder({ fs, files: own.files, queue }, options)
  }

  /**
   * Yields a session as the agent's own export command writes it, in pieces of text, one record at a time; returns how much it was
   * and what could not be read. Side files are no part of it. Of a session whose own file is gone, what `sessions.recover` gives stands
   * in its place.
   * @throws StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `EXHAUSTED`, `INVALID_KEY`; the signal's reason
   */
  async *export(
    idOrKey: IdOrKey,
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<string, ExportEnd> {
    this.#open()
    const { roots } = this.#parts
    const found = await roots.findSession(idOrKey, true)
    const lost =
      found || typeof idOrKey !== "string" ? undefined : await this.sessions.recover(idOrKey, options)
    const session = lost ?? (found && (await this.sessions.get(idOrKey)))
    if (!session) throw notFound("session", idOrKey)
    const id = found?.id ?? String(idOrKey)
    const { exportSession } = await loaded(() => import("./transfer/export.ts"))
    const root = found?.root ?? (await roots.ofSession(id))
    const end = yield* exportSession(root, id, session, options.signal)
    return lost ? { ...end, recovered: true } : end
  }

  /**
   * Brings the export of a session into the store: a file of the shape that `export` writes, whatever stands before the JSON.
   * Nothing is changed where the file is not whole, or a conflict is not decided; a second time nothing is left to do.
   * @throws StoreError `NOT_FOUND`, `CORRUPT`, `INVALID_RECORD`, `TOO_LARGE`, `CONFLICT`, `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, …; TypeError
   */
  async import(file: string, options: ImportOptions = {}): Promise<ImportResult> {
    this.#open()
    // What is held back must not come over what is imported, nor be overlooked.
    await this.flush()
    const { importSession } = await loaded(() => import("./transfer/import.ts"))
    const { own, writer } = this.#parts
    return importSession({ files: own.files, writer: writer.records }, file, options)
  }

  /**
   * Copies sessions with their messages, parts, todos and projects out of another history, as `opencodeDatabase(path)`, into the store: those
   * it does not have, and those that are newer there by `time.updated`. Each is copied whole, itself last; run again it goes on,
   * and copies what is new since. Nothing of the other history is changed, and nothing of the store is removed.
   * @throws StoreError `NOT_FOUND`, `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `INVALID_KEY`; TypeError; the signal's reason
   */
  async importFrom(source: RootProvider, options: ImportFromOptions = {}): Promise<ImportFromResult> {
    this.#open()
    await this.flush()
    const { importFrom } = await loaded(() => import("./transfer/import-from.ts"))
    const { own, writer, context } = this.#parts
    return importFrom({ own, writer: writer.records, context }, source, options)
  }

  /**
   * Publishes the sessions of this store, and of all that is read beside it, to a PostgreSQL database that many machines share, the one updated
   * last first; yields each that was published, and returns the sums. What changed since the last push is known without reading the others, and
   * proven by hashes of content. Each session is one transaction: killed at any moment and run again, nothing is there twice or in half. One
   * that cannot be published is told in the result and hinders no other. Credentials come from the URL, `PGPASSFILE` or the environment.
   *
   * Keys, tokens and passwords that are known by their shape are masked; shares, accounts and encrypted reasoning never leave. What is
   * published never becomes poorer, unless records were removed on purpose or with `force`.
   * @throws TypeError; StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `MACHINE_COPIED`, `LOCKED`, `READ_ONLY`, `WRITE_FAILED`, `EXHAUSTED`; the
   * signal's reason
   */
  async *push(url: string, options: PushOptions = {}): AsyncGenerator<Pushed, PushResult> {
    this.#open()
    await this.#flushIfRoom()
    const { push } = await loaded(() => import("./push/push.ts"))
    const { roots, fs } = this.#parts
    const folder = resolve(options.machineFolder ?? this.directory)
    const source = { roots, fs, folder, readOnly: this.#options.readOnly }
    if (!options.watch) return yield* push(source, url, options)
    const { pushOnAndOn } = await loaded(() => import("./push/watch.ts"))
    return yield* pushOnAndOn(push, source, url, options, this.#parts.feed)
  }

  /**
   * Removes a session, and those below it, from a PostgreSQL database: every machine's copy. No push brings them back. Nothing of this store is
   * changed.
   * @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `INVALID_KEY`
   */
  async forget(url: string, sessionID: string): Promise<ForgetResult> {
    this.#open()
    const { forget } = await loaded(() => import("./push/forget.ts"))
    return forget(url, sessionID)
  }

  /**
   * Copies all files of the store's folder to another as they lie there, but for the index, the trash and the secrets in
   * `session_share`; yields what was not copied, and overwrites nothing.
   * @throws TypeError where one folder lies in the other; StoreError `WRITE_FAILED`, `NOT_DURABLE`; the signal's reason
   */
  async *copyTo(folder: string, options: CopyOptions = {}): AsyncGenerator<NotCopied, CopyResult> {
    this.#open()
    // A copy holds what this store's readers see.
    await this.flush()
    const flushed = this.#options.durability === "full"
    const { copyStore } = await loaded(() => import("./transfer/copy-store.ts"))
    return yield* copyStore(this.#parts.fs, this.directory, folder, flushed, options)
  }

  /**
   * Moves the sessions that the rules name to the store's trash, or deletes them, the longest unused first; yields each with
   * its files and bytes, and returns the sums. With `dryRun` it changes nothing and yields what would go. What is read beside the
   * store is never touched.
   * @throws TypeError for rules that make no sense; StoreError `READ_ONLY`, `INVALID_KEY`, `UNREADABLE`, `LOCKED`,
   * `WRITE_FAILED`, `NOT_DURABLE`; the signal's reason
   */
  async *prune(options: PruneOptions): AsyncGenerator<Pruned, PruneResult> {
    this.#open()
    // What is held back for a session must not come after it is gone.
    if (!options.dryRun) await this.#flushIfRoom()
    const { prune } = await loaded(() => import("./retention/prune.ts"))
    const { own, trash } = this.#parts
    const result = yield* prune(own.files, own.catalog, trash(), options)
    if (!options.dryRun) await own.indexing.giveSpaceBack(options)
    return result
  }

  /**
   * Yields records whose parent has no file: messages, parts, then side files, each by folder and id; then those of the
   * folders that are read beside the store.
   * @throws StoreError `UNREADABLE` where not all sessions or messages can be listed: then nobody can say what is an orphan; `EXHAUSTED`
   */
  async *orphans(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Orphan> {
    this.#open()
    const { orphansOfAll } = await loaded(() => import("./repository/all-upkeep.ts"))
    yield* orphansOfAll(this.#parts.roots.all, options)
  }

  /** Yields every record that cannot be read, after a look at the whole store. They are left where they are. */
  async *problems(options: SourceOptions = {}): AsyncGenerator<Problem> {
    this.#open()
    const roots = this.#parts.roots.all.filter(ofSource(options.source) ?? (() => true))
    const { problemsOfAll } = await loaded(() => import("./repository/all-upkeep.ts"))
    yield* problemsOfAll(roots, options)
  }

  /** Each place that the store reads, in the order of `sources`, and whose history it is; looks at no more than its own folder. */
  places(): readonly Pick<SourceReport, "source" | "place">[] {
    this.#open()
    return this.#shown().map(({ source, place }) => ({ source, place }))
  }

  /**
   * Yields each place that the store reads, its own folder first unless that need not be there and is not: whose history it is, how many sessions
   * and bytes, and what cannot be read. A place that is not indexed is read for that.
   * @throws StoreError `EXHAUSTED`; the signal's reason
   */
  async *sources(options: SourcesOptions = {}): AsyncGenerator<SourceReport> {
    this.#open()
    const { context, fs } = this.#parts
    const roots = this.#shown()
    const { sourcesOf } = await loaded(() => import("./sources/report.ts"))
    yield* sourcesOf(fs, roots, (path) => path.startsWith(join(context.indexRoot, sep)), options)
  }

  /**
   * Counts record files and bytes by looking at every file, which takes a while on a large store. Of one source the own figures of a store
   * of another are none. @throws TypeError; StoreError `EXHAUSTED`; the signal's reason
   */
  async stats(options: SourceOptions = {}): Promise<
    StoreStats & {
      readonly indexBytes: number
      readonly trash: TrashStats
      /** The same of each folder that is read beside the store's own. */
      readonly alsoRead: readonly (StoreStats & { readonly directory: string; readonly source: string })[]
    }
  > {
    this.#open()
    const { own, all } = this.#parts
    const isMeant = ofSource(options.source) ?? (() => true)
    const stats = isMeant(own) ? await own.upkeep.stats(options) : NO_STATS
    const alsoRead: (StoreStats & { directory: string; source: string })[] = []
    for (const { place, source, upkeep } of all.slice(1).filter(isMeant))
      alsoRead.push({ directory: place, source, ...(await upkeep.stats(options)) })
    const indexBytes = this.#parts.all.reduce((sum, { upkeep }) => sum + upkeep.indexBytes(), 0)
    const trash = { entries: 0, files: 0, bytes: 0 }
    for await (const { files, bytes } of this.trash.list(options)) {
      trash.entries++
      trash.files += files
      trash.bytes += bytes
    }
    return { ...stats, indexBytes, trash, alsoRead }
  }

  /**
   * Adds up messages, tokens and cost by day, model, provider and, of several histories, source, in that order, by reading every message. Answers that a forked
   * session copied are counted once, and told of as `copies`; `copies: "count"` counts each. Memory grows with the days and
   * models, and by up to 64 bytes an answer.
   * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`; the signal's reason
   */
  async usage(options: UsageOptions = {}): Promise<Usage[]> {
    this.#open()
    const { collectUsage } = await loaded(() => import("./repository/usage.ts"))
    return collectUsage(this.#parts.roots, options)
  }

  /**
   * Yields what changes from the first `next()` on: by this store at once, and, where it was opened with `watch`, by others once
   * the index has it. Who is slow to take them gets one change of kind `store` and type `unknown` in place of many. Ends when
   * the store is closed.
   * @throws the signal's reason
   */
  changes(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<StoreChange> {
    this.#open()
    return this.#parts.feed.changes(options.signal)
  }

  /** How the index, its background work and the watch are doing; asks nothing of the disk but the index's folder. */
  health(): StoreHealth {
    const { own, all, watch, watches } = this.#parts
    const { index, backgroundIndex } = own.upkeep.health()
    const answers = { index: 0, files: 0 }
    for (const { upkeep } of all) {
      answers.index += upkeep.answers.index
      answers.files += upkeep.answers.files
    }
    return {
      directory: this.directory,
      readOnly: this.#options.readOnly,
      index,
      backgroundIndex,
      watch: watch?.health() ?? { state: "off", folders: 0 },
      answers,
      alsoReading: all.slice(1).map((root) => {
        const watched = watches.get(root)?.health()
        return { ...root.upkeep.health(), ...(watched && { watch: watched }) }
      }),
      problems: this.#problems,
    }
  }

  /**
   * Resolves when everything that was to be written is on the disk, versions kept for `coalesce` included.
   * @throws StoreError `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED` where one of those cannot be written; it is kept, and can be tried again. `CONFLICT`
   * where another program changed or removed the record meanwhile: the file stays as it is, and is what reads give; the error's
   * `unwritten` is the version that waited, and it is told of again until the record is written in another way
   */
  async flush(): Promise<void> {
    const written = this.#parts.written()
    await written?.coalescer.flush()
    await written?.queue.idle()
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
    const { all, feed, indexing, lock, watch, watches, written } = this.#parts
    clearTimeout(indexing)
    await watch?.stop()
    for (const one of watches.values()) await one.stop()
    for (const { upkeep } of all) await upkeep.stop()
    try {
      await this.flush()
    } finally {
      await written()?.queue.idle()
      feed.close()
      written()?.coalescer.close()
      for (const { upkeep } of all) upkeep.close()
      lock.close()
    }
  }

  /** What is read: its own folder too, unless that need not be there and is not. */
  #shown(): readonly Root[] {
    const { all } = this.#parts
    return ownMayBeMissing(this.#options) && all[0]?.upkeep.missing() !== undefined ? all.slice(1) : all
  }

  /** As `flush`, for what may give a full disk room: what cannot be written yet stays. */
  async #flushIfRoom(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      this.#options.logger.warn("A version that waits could not be written, since the disk is full", error)
    }
  }

  #open(): Records {
    if (this.#closing) throw new StoreError("CLOSED", "The store is closed", { path: this.directory })
    return this.#records
  }
}

/**
 * Opens a store. Resolves at once: the index is opened when it is first needed, and filled in the background.
 * @throws TypeError for options that make no sense; StoreError `EXHAUSTED`
 */
export async function openStore<
  S = Session,
  M = Message,
  P = Part,
  J = Project,
  const F extends FieldTypes = NoFields,
>(options: StoreOptions<F>): Promise<Store<S, M, P, J, F>> {
  return await untilAdmitted(() => new Store<S, M, P, J, F>(resolveOptions(options)))
}
