import { IndexFailure } from "../../database/failure.ts"
import { StoreError, systemCode } from "../../errors.ts"
import type { CompactOptions } from "../../migrator/compact.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { WalkOptions } from "../../migrator/walk.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { AnswerCounts, RootHealth } from "../health.ts"
import type { OlderLayout } from "../older/older-layout.ts"
import type { Problem } from "../problem-log.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable, Orphan, Upkeep } from "../upkeep.ts"
import type { VerifyOptions, VerifyResult } from "../verify-result.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"
import { BackgroundCatchUp } from "./background-catch-up.ts"
import { BackgroundWalk, type BackgroundWork } from "./background-walk.ts"
import type { CatchUpOptions } from "./catch-up.ts"
import type { RecordFiles } from "./file-catalog.ts"
import type { JsonOptions } from "./json-options.ts"
import { searchable } from "./json-texts.ts"
import type { SqliteCatalog } from "./sqlite-catalog.ts"
import { WholeIndex } from "./whole-index.ts"

/** What the upkeep of a folder works on. */
export interface JsonUpkeepParts {
  readonly files: RecordFiles
  readonly within: Reconciler
  /** Told to look again where rows may lack something. */
  readonly indexed: SqliteCatalog
  readonly answers: Readonly<AnswerCounts>
  /** The older layout, where the folder is in that. */
  readonly layout: OlderLayout | undefined
  readonly options: JsonOptions
}

/** Keeps a folder's index: walks, catch-ups, checks, in the background and when they are asked for. */
export class JsonUpkeep implements Upkeep {
  readonly background: BackgroundWalk
  readonly whole: WholeIndex
  readonly #parts: JsonUpkeepParts
  readonly #catchingUp: BackgroundCatchUp | undefined

  constructor(parts: JsonUpkeepParts) {
    const { filesOnly = false, backgroundIndex, logger, before = Promise.resolve() } = parts.options
    this.#parts = parts
    const inBackground = backgroundIndex && !filesOnly
    if (inBackground) this.#catchingUp = new BackgroundCatchUp((work) => this.#catchUp(work), logger)
    this.whole = new WholeIndex(backgroundIndex || filesOnly, () => this.background.health().state)
    const afterwards: BackgroundWork = async (work) => {
      await this.#catchUp(work)
      await this.giveSpaceBack(work)
    }
    this.background = new BackgroundWalk(
      inBackground,
      (work) => this.#walk(work),
      logger,
      before,
      afterwards,
      () => this.whole.noteMissed(),
    )
  }

  get answers(): Readonly<AnswerCounts> {
    return this.#parts.answers
  }

  index(options: IndexOptions): Promise<WalkResult> {
    return this.#onIndex(async () => {
      const result = await this.#walk(options)
      await this.#catchUp(options)
      await this.giveSpaceBack(options)
      return this.#located(result)
    })
  }

  rebuild(options: IndexOptions): Promise<WalkResult> {
    return this.#onIndex(async () => {
      const { rebuild } = await import("../../migrator/walk.ts")
      return this.#located(await rebuild(this.#parts.within, options))
    })
  }

  verify(options: VerifyOptions): Promise<VerifyResult> {
    return this.#onIndex(async () => {
      const { files, within } = this.#parts
      const { verify } = await import("../../migrator/verify.ts")
      const { textDifferences } = await import("./verify-texts.ts")
      const derived = {
        differences: (slice: TimeSlice) => textDifferences(within, searchable(files), slice),
        fillAnew: async () => {
          await patiently(() => within.index.write(({ fullText }) => fullText.emptyTexts()))
          await this.#catchUp({ signal: options.signal })
        },
      }
      const result = await verify(within, derived, options)
      const { locate } = files
      return {
        ...result,
        differences: result.differences.map(({ path, kind }) => ({ path: locate(path), kind })),
        duplicates: result.duplicates.map(({ id, paths }) => ({ id, paths: paths.map(locate) })),
      }
    })
  }

  /** Brings the index up to date for a search, where it must be; where that cannot be done, the search reads the files. */
  async prepareSearch(fresh: boolean, signal?: AbortSignal): Promise<void> {
    if (this.#filesOnly) return
    try {
      if (fresh || this.whole.mustSweep || !(await this.#isWalkedOrBeing())) {
        await this.#walk({ signal })
        await this.#catchUp({ signal }).catch(tolerateFailure)
      }
    } catch (error) {
      tolerateFailure(error)
      this.whole.noteMissed()
    }
    this.nudge()
  }

  isIndexing(): boolean {
    return this.whole.isWalking
  }

  async *problems({ signal }: Endable): AsyncGenerator<Problem> {
    const { files, within, layout, options } = this.#parts
    const { misplacedFolders, plainFileProblems, scanProblems } = await import("./problems.ts")
    const { walk } = await import("../../migrator/walk.ts")
    if (options.readOnly && !this.isThere())
      yield { path: files.directory, code: "NOT_FOUND", message: "There is no such folder" }
    for (const problem of misplacedFolders(files)) yield { ...problem, path: files.locate(problem.path) }
    try {
      yield* this.#located(await walk(within, { signal })).unreadable
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      for await (const problem of scanProblems(files, signal))
        yield { ...problem, path: files.locate(problem.path) }
    }
    yield* plainFileProblems(files, signal)
    for (const { path = files.directory, code, message } of layout?.unreadable() ?? [])
      yield { path, code, message }
  }

  async *orphans({ signal }: Endable): AsyncGenerator<Orphan> {
    const { files } = this.#parts
    const { findOrphans } = await import("./orphans.ts")
    for await (const orphan of findOrphans(files, signal))
      yield { ...orphan, path: files.locate(orphan.path) }
  }

  async stats({ signal }: Endable): Promise<StoreStats> {
    const { files } = this.#parts
    const { collectStats } = await import("./stats.ts")
    const stats = await collectStats(files, signal)
    const largest = stats.largest.map(({ path, bytes }) => ({ path: files.locate(path), bytes }))
    return { ...stats, largest }
  }

  health(): RootHealth {
    const { files, within, layout } = this.#parts
    return {
      directory: files.directory,
      layout: layout ? "older" : "current",
      index: within.index.health(),
      backgroundIndex: this.background.health(),
    }
  }

  indexBytes(): number {
    return this.#parts.within.index.bytes()
  }

  async stop(): Promise<void> {
    await this.background.stop()
    await this.#catchingUp?.stop()
  }

  close(): void {
    this.#parts.within.index.close()
  }

  /** Whether the folder is there. What cannot be looked at is taken to be; reading it tells why it cannot. */
  isThere(): boolean {
    const { fs, directory } = this.#parts.files
    try {
      return fs.stat(directory)?.kind === "directory"
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return true
    }
  }

  /** Something changed: its texts are to be caught up with. */
  nudge(): void {
    this.#catchingUp?.nudge()
  }

  /** A change could not be noted in the index: listings must look, and searches must sweep. */
  noteMissed(): void {
    this.#parts.indexed.distrust()
    this.whole.noteMissed()
  }

  /** Makes the index's file smaller where much of it is free; one that cannot be used has nothing to give back. */
  async giveSpaceBack(options: CompactOptions): Promise<void> {
    if (this.#filesOnly) return
    const { compact } = await import("../../migrator/compact.ts")
    await compact(this.#parts.within.index, options).catch(tolerateFailure)
  }

  get #filesOnly(): boolean {
    return this.#parts.options.filesOnly ?? false
  }

  async #catchUp(options: CatchUpOptions): Promise<void> {
    const { within, files, options: opened } = this.#parts
    if (opened.search !== "all") return
    const { catchUp } = await import("./catch-up.ts")
    await catchUp(within, searchable(files), options)
  }

  /** Another index than the one that was walked through lacks what that had. */
  async #isWalkedOrBeing(): Promise<boolean> {
    return this.whole.isWalking || (await this.#parts.within.index.openDatabase()) === this.whole.walked
  }

  /** A walk of the whole folder. */
  async #walk(options: WalkOptions): Promise<WalkResult> {
    const { within } = this.#parts
    const { walk } = await import("../../migrator/walk.ts")
    const done = this.whole.begin()
    const before = await patiently(() => within.index.openDatabase())
    const result = await walk(within, options)
    const after = await patiently(() => within.index.openDatabase())
    done(after === before ? after : undefined)
    return result
  }

  async #onIndex<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      throw new StoreError("INDEX_UNAVAILABLE", `The index cannot be used: ${error.message}`, {
        path: this.#parts.within.index.health().path,
        cause: error,
        hint: "Everything still works from the files. Look at health(); the index can be deleted at any moment.",
      })
    }
  }

  #located(result: WalkResult): WalkResult {
    const { locate } = this.#parts.files
    const unreadable = result.unreadable.map((problem) => ({ ...problem, path: locate(problem.path) }))
    return { ...result, unreadable }
  }
}

/** The index's failures are told of by its health; the files answer meanwhile. */
function tolerateFailure(error: unknown): void {
  if (!(error instanceof IndexFailure)) throw error
}
