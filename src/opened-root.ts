import { join } from "node:path"
import { BackgroundCatchUp } from "./background-catch-up.ts"
import { BackgroundWalk, type WalkHealth } from "./background-walk.ts"
import { IndexFailure } from "./database/failure.ts"
import { type IndexHealth, SqliteIndex } from "./database/sqlite-index.ts"
import { StoreError, systemCode } from "./errors.ts"
import { DeviceClock } from "./file/clock.ts"
import { INDEX_FOLDER, type Place } from "./file/layout.ts"
import { findOlder, isOlder } from "./file/older-folder.ts"
import type { OlderLayout } from "./file/older-layout.ts"
import { isStore, whyNoStore } from "./file/store-folder.ts"
import type { FileSystem } from "./file/system.ts"
import type { CompactOptions } from "./migrator/compact.ts"
import { patiently } from "./migrator/patiently.ts"
import type { Reconciler } from "./migrator/reconcile.ts"
import { SharedWork, type SlicedWork } from "./migrator/shared-work.ts"
import type { VerifyOptions, VerifyResult } from "./migrator/verify.ts"
import type { WalkOptions, WalkResult } from "./migrator/walk.ts"
import type { ResolvedOptions } from "./options.ts"
import type { Catalog } from "./repository/catalog.ts"
import { type AnswerCounts, FallbackCatalog } from "./repository/fallback-catalog.ts"
import { FileCatalog, NOTHING_UNWRITTEN, type RecordFiles } from "./repository/file-catalog.ts"
import type { Orphan } from "./repository/orphans.ts"
import { type Problem, ProblemLog } from "./repository/problem-log.ts"
import type { Root } from "./repository/roots.ts"
import { SqliteCatalog } from "./repository/sqlite-catalog.ts"
import type { StoreStats } from "./repository/stats.ts"
import type { CatchUpOptions } from "./search/catch-up.ts"
import type { SearchSources } from "./search/finder.ts"

/** The texts of larger records are not searched, in bytes. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024
/** Below the index's folder: the indexes of what is read beside the store. */
const OTHERS_FOLDER = "also-read"

const NOTHING_WALKED: WalkResult = {
  sessions: 0,
  messages: 0,
  parts: 0,
  read: 0,
  unreadable: [],
  elapsedMs: 0,
}

/** A folder to be read: which, in what layout, and where its index is kept. */
export interface RootPlace {
  readonly directory: string
  readonly layout: "current" | "older"
  readonly readOnly: boolean
  /** `undefined` for a private index that goes with the process. */
  readonly indexFolder: string | undefined
}

/** What a root is made with. */
export interface RootParts {
  readonly fs: FileSystem
  readonly filesOnly: boolean
  readonly tell: (problem: Problem) => void
  /** What the store took for this root and has not written yet. */
  readonly unwritten?: RecordFiles["unwritten"]
  /** What the background walk waits for. */
  readonly before?: Promise<void>
}

/** How a folder that is read beside the store's own is doing. */
export interface RootHealth {
  readonly directory: string
  readonly layout: "current" | "older"
  readonly index: IndexHealth
  readonly backgroundIndex: WalkHealth
}

/**
 * The folders that options name, the store's own first, then the others as they are named, then the older layouts that lie
 * beside any of them. Nothing is ever written to the others: their indexes lie in this store's.
 */
export function rootPlaces(options: ResolvedOptions, fs: FileSystem): readonly [RootPlace, ...RootPlace[]] {
  const { directory, readOnly, indexPath } = options
  const indexFolder = indexPath ?? (readOnly ? undefined : join(directory, INDEX_FOLDER))
  const other = (folder: string, layout: RootPlace["layout"]): RootPlace => ({
    directory: folder,
    layout,
    readOnly: true,
    indexFolder:
      indexFolder &&
      join(
        indexFolder,
        OTHERS_FOLDER,
        new Bun.CryptoHasher("sha256").update(folder).digest("hex").slice(0, 16),
      ),
  })
  const named = options.alsoRead.map((folder) => other(folder, isOlder(fs, folder) ? "older" : "current"))
  const older = options.older
    ? [directory, ...options.alsoRead].flatMap((folder) => findOlder(fs, folder) ?? [])
    : []
  const known = new Set(options.alsoRead)
  const found = [...new Set(older)].filter((folder) => !known.has(folder))
  return [
    { directory, layout: "current", readOnly, indexFolder },
    ...named,
    ...found.map((folder) => other(folder, "older")),
  ]
}

/**
 * One folder that a store reads, with its own index, catalogs and background work. What listings do not need is loaded when it
 * is used, so that a store that is only listed starts sooner.
 */
export class OpenedRoot implements Root {
  readonly files: RecordFiles
  readonly catalog: Catalog
  readonly within: Reconciler
  readonly index: SqliteIndex
  readonly background: BackgroundWalk
  readonly #place: RootPlace
  readonly #options: ResolvedOptions
  readonly #layout: OlderLayout | undefined
  readonly #indexed: SqliteCatalog
  readonly #fallback: FallbackCatalog
  readonly #catchingUp: BackgroundCatchUp | undefined
  readonly #searched: SearchSources
  /** A walk of the whole store, for the background and for every search that needs one. */
  readonly #walking: SharedWork<WalkResult>
  readonly #catchingUpNow: SharedWork<void>
  /** How often the index came to lack what a search has to find, and how much of that is mended. */
  #missed = 0
  #mended = 0
  /** The database that was walked through; none where it changed meanwhile. */
  #walked: string | undefined
  /** Whether the last walk came to nothing since the index could not be used. */
  #isFailing = false
  /** Whether texts that a search had to have put into the index were left for the next one. */
  #isBehind = false

  constructor(
    place: RootPlace,
    options: ResolvedOptions,
    { fs: system, filesOnly, tell, unwritten = NOTHING_UNWRITTEN, before = Promise.resolve() }: RootParts,
  ) {
    const { directory, readOnly, indexFolder } = place
    // Reading makes nothing in a folder that is no store.
    const indexPlace = options.indexPath === undefined && !options.readOnly ? options.directory : undefined
    const { maxRecordBytes, logger } = options
    this.#place = place
    this.#options = options
    this.#layout = place.layout === "older" ? olderLayout(system, directory) : undefined
    const fs = this.#layout?.view() ?? system
    this.index = new SqliteIndex({
      folder: indexFolder,
      cacheBytes: options.cacheSize,
      logger,
      mayBeMade: indexPlace === undefined ? undefined : () => isStore(system, indexPlace),
    })
    const locate = (path: string): string => this.#layout?.locate(path) ?? path
    const problems = new ProblemLog((problem) => tell({ ...problem, path: locate(problem.path) }))
    const doubt = (at: Place, id: string): Promise<void> =>
      filesOnly ? Promise.resolve() : this.#doubt(at, id)
    this.files = { fs, directory, maxRecordBytes, problems, unwritten, doubt, locate }
    // The probe lies beside the index. Where that is on another device it proves nothing of the files there.
    const clock = new DeviceClock(system, indexFolder === undefined ? undefined : join(indexFolder, "clock"))
    this.within = { fs, directory, index: this.index, clock, maxRecordBytes, readOnly }
    const scanned = new FileCatalog(this.files)
    this.#indexed = new SqliteCatalog(this.within, this.files, options.maxStaleness)
    this.#fallback = new FallbackCatalog(this.#indexed, scanned)
    this.catalog = filesOnly ? scanned : this.#fallback
    // Larger records are too much to be folded and shown; they are reported by whoever reads them.
    const searchable = Math.min(maxRecordBytes, MAX_SEARCHED_BYTES)
    this.#searched = {
      within: this.within,
      files: { ...this.files, maxRecordBytes: searchable, problems: new ProblemLog(() => {}) },
      scan: scanned,
      catalog: this.catalog,
      mode: options.search,
      indexed: !filesOnly,
    }
    const inBackground = options.backgroundIndex && !filesOnly
    if (inBackground) this.#catchingUp = new BackgroundCatchUp((work) => this.#catchUp(work), logger)
    this.#walking = new SharedWork(async (work) => {
      await before
      return this.#walk(work)
    })
    this.#catchingUpNow = new SharedWork((work) => this.#catchUp(work))
    const afterwards: SlicedWork = async (work) => {
      await this.#catchUp(work)
      await this.giveSpaceBack(work)
    }
    const walk = (signal: AbortSignal) => this.#walking.join({ signal, atEase: true })
    this.background = new BackgroundWalk(inBackground, walk, logger, afterwards)
  }

  get answers(): Readonly<AnswerCounts> {
    return this.#fallback.answers
  }

  /** Whether texts are searched here, and not titles alone. */
  get searchesTexts(): boolean {
    return this.#options.search === "all"
  }

  /** Why the folder cannot be read as a store; `undefined` where it can, or nobody can look. */
  missing(): StoreError | undefined {
    return this.#layout ? undefined : whyNoStore(this.files.fs, this.files.directory)
  }

  /** Whether the folder is there. What cannot be looked at is taken to be; reading it tells why it cannot. */
  exists(): boolean {
    try {
      return this.files.fs.stat(this.files.directory)?.kind === "directory"
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return true
    }
  }

  /** Something in this root changed: its texts are to be caught up with. */
  nudge(): void {
    this.#catchingUp?.nudge()
  }

  /** The index has every change that could not be noted in it. */
  noteSwept(): void {
    this.#mended = this.#missed
  }

  /** A change could not be noted in the index: listings must look, and searches must sweep. */
  noteMissed(): void {
    this.#indexed.distrust()
    this.#missed++
  }

  /** As `Store.index`. @throws IndexFailure */
  async walk(options: WalkOptions): Promise<WalkResult> {
    const result = await this.#walk(options)
    await this.#catchUp(options)
    await this.giveSpaceBack(options)
    return this.#located(result)
  }

  /** As `Store.rebuild`. @throws IndexFailure */
  async rebuild(options: WalkOptions): Promise<WalkResult> {
    if (this.#isNoStoreYet) return { ...NOTHING_WALKED }
    const { rebuild } = await import("./migrator/walk.ts")
    return this.#located(await rebuild(this.within, options))
  }

  /** As `Store.verify`. @throws IndexFailure */
  async verify(options: VerifyOptions): Promise<VerifyResult> {
    if (this.#isNoStoreYet)
      return {
        ok: true,
        checked: { sessions: 0, messages: 0, parts: 0 },
        differences: [],
        duplicates: [],
      }
    const { verify } = await import("./migrator/verify.ts")
    const { textDifferences } = await import("./search/verify-texts.ts")
    const result = await verify(
      this.within,
      {
        differences: (slice) => textDifferences(this.within, this.#searched.files, slice),
        fillAnew: async () => {
          await patiently(() => this.index.write(({ fullText }) => fullText.emptyTexts()))
          await this.#catchUp({ signal: options.signal })
        },
      },
      options,
    )
    const { locate } = this.files
    return {
      ...result,
      differences: result.differences.map(({ path, kind }) => ({ path: locate(path), kind })),
      duplicates: result.duplicates.map(({ id, paths }) => ({ id, paths: paths.map(locate) })),
    }
  }

  /**
   * What a search goes by: the index where that is known to be whole, else the files.
   * @param mayLack go by an index that lacks something yet, if it can be used at all
   */
  async sources(mayLack: boolean): Promise<{ readonly sources: SearchSources; readonly whole: boolean }> {
    if (await this.#isWhole()) return { sources: { ...this.#searched, database: this.#walked }, whole: true }
    if (mayLack && !this.#isFailing) return { sources: this.#searched, whole: false }
    return { sources: { ...this.#searched, indexed: false }, whole: true }
  }

  /** Looks at every file that changed, for a search; where the index cannot be used the search reads the files. */
  async refresh(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#searched.indexed) return
    try {
      await this.#walk({ signal })
      await this.#catchUp({ signal })
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  /**
   * Sees to it that the index becomes whole, and resolves when it is, or cannot be. What is under way is joined.
   * @throws the signal's reason, which leaves the work to those who also wait for it
   */
  async makeWhole(signal: AbortSignal): Promise<void> {
    if (!this.#searched.indexed) return
    try {
      if (!(await this.#isWhole())) {
        this.background.begin()
        await this.#walking.join({ signal })
      } else if (!this.#isBehind) return
      // Otherwise texts are put into the index in the background, while messages whose texts it lacks are read.
      if (this.#catchingUp) return
      this.#isBehind = true
      await this.#catchingUpNow.join({ signal })
      this.#isBehind = false
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  /** Has the background make the index whole, where it indexes in the background and that is over. */
  async makeWholeLater(): Promise<void> {
    if (!(await this.#isWhole())) this.background.again()
  }

  /** Makes the index's file smaller where much of it is free; one that cannot be used has nothing to give back. */
  async giveSpaceBack(options: CompactOptions): Promise<void> {
    if (!this.#searched.indexed) return
    const { compact } = await import("./migrator/compact.ts")
    try {
      await compact(this.index, options)
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  /** Yields every record that cannot be read; what keeps all folders from being looked at, once. */
  async *problems(options: { signal?: AbortSignal | undefined }): AsyncGenerator<Problem> {
    const above = new Set<string>()
    for await (const problem of this.#allProblems(options)) {
      const isAbove = `${this.files.directory}/`.startsWith(`${problem.path}/`)
      if (isAbove && above.has(problem.path)) continue
      if (isAbove) above.add(problem.path)
      yield problem
    }
  }

  async *#allProblems(options: { signal?: AbortSignal | undefined }): AsyncGenerator<Problem> {
    const { locate } = this.files
    const { plainFileProblems, scanProblems } = await import("./repository/problems.ts")
    const { walk } = await import("./migrator/walk.ts")
    if (this.#place.readOnly) yield* this.#absent()
    try {
      yield* this.#located(await walk(this.within, options)).unreadable
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      for await (const problem of scanProblems(this.files, options.signal))
        yield { ...problem, path: locate(problem.path) }
    }
    yield* plainFileProblems(this.files, options.signal)
    for (const { path = this.files.directory, code, message } of this.#layout?.unreadable() ?? [])
      yield { path, code, message }
  }

  async *orphans(signal?: AbortSignal): AsyncGenerator<Orphan> {
    const { findOrphans } = await import("./repository/orphans.ts")
    for await (const orphan of findOrphans(this.files, signal))
      yield { ...orphan, path: this.files.locate(orphan.path) }
  }

  async stats(signal?: AbortSignal): Promise<StoreStats> {
    const { collectStats } = await import("./repository/stats.ts")
    const stats = await collectStats(this.files, signal)
    const largest = stats.largest.map(({ path, bytes }) => ({ path: this.files.locate(path), bytes }))
    return { ...stats, largest }
  }

  health(): RootHealth {
    return {
      directory: this.#place.directory,
      layout: this.#place.layout,
      index: this.index.health(),
      backgroundIndex: this.background.health(),
    }
  }

  /** Ends background work and closes the index. */
  async stop(): Promise<void> {
    await this.background.stop()
    await this.#catchingUp?.stop()
    const closed = new StoreError("CLOSED", "The store is closed", { path: this.#place.directory })
    await this.#walking.stop(closed)
    await this.#catchingUpNow.stop(closed)
  }

  /** The row of a record says that it can be read, and it cannot. */
  async #doubt(place: Place, id: string): Promise<void> {
    this.#indexed.distrust()
    try {
      await this.index.write((statements) => statements.doubt(place, id))
    } catch (error) {
      // The record was told of, and whoever reads it next tells the index again.
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  async #catchUp(options: CatchUpOptions): Promise<void> {
    if (this.#options.search !== "all" || this.#isNoStoreYet) return
    const { catchUp } = await import("./search/catch-up.ts")
    await catchUp(this.within, this.#searched.files, options)
  }

  /**
   * Whether the index has all that a search has to find: nothing was missed since the whole store was walked through into this very
   * database. The files always have it.
   */
  async #isWhole(): Promise<boolean> {
    if (!this.#searched.indexed) return true
    if (this.#missed > this.#mended || this.#walked === undefined) return false
    try {
      return (await this.index.openDatabase()) === this.#walked
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      return false
    }
  }

  /** Nothing of a store lies in the folder, and no index may be made there: there is nothing to be indexed either. */
  get #isNoStoreYet(): boolean {
    return !this.index.mayBeMade() && this.missing() !== undefined
  }

  /** A walk of the whole store, which mends what was missed before it began. */
  async #walk(options: WalkOptions): Promise<WalkResult> {
    if (this.#isNoStoreYet) return { ...NOTHING_WALKED }
    const { walk } = await import("./migrator/walk.ts")
    const missed = this.#missed
    try {
      const before = await patiently(() => this.index.openDatabase())
      const result = await walk(this.within, options)
      const after = await patiently(() => this.index.openDatabase())
      this.#walked = after === before ? after : undefined
      this.#isFailing = false
      this.#mended = Math.max(this.#mended, missed)
      return result
    } catch (error) {
      this.#isFailing = error instanceof IndexFailure
      throw error
    }
  }

  *#absent(): Generator<Problem> {
    if (this.exists()) return
    yield { path: this.files.directory, code: "NOT_FOUND", message: "There is no such folder" }
  }

  #located(result: WalkResult): WalkResult {
    const unreadable = result.unreadable.map((problem) => ({
      ...problem,
      path: this.files.locate(problem.path),
    }))
    return { ...result, unreadable }
  }
}

function olderLayout(fs: FileSystem, folder: string): OlderLayout {
  const { OlderLayout }: typeof import("./file/older-layout.ts") = require("./file/older-layout.ts")
  return new OlderLayout(fs, folder)
}
