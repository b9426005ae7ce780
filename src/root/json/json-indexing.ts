import { IndexFailure } from "../../database/failure.ts"
import { StoreError } from "../../errors.ts"
import { loaded } from "../../exhaustion.ts"
import type { CompactOptions } from "../../migrator/compact.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import { SharedWork, type SlicedWork } from "../../migrator/shared-work.ts"
import type { WalkOptions } from "../../migrator/walk.ts"
import type { Place } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import { type IndexOptions, NOTHING_WALKED, textProgress, type WalkResult } from "../walk-result.ts"
import { BackgroundCatchUp } from "./background-catch-up.ts"
import { BackgroundWalk } from "./background-walk.ts"
import type { CatchUpOptions } from "./catch-up.ts"
import type { RecordFiles } from "./file-catalog.ts"
import type { JsonOptions } from "./json-options.ts"
import type { PartIntake } from "./part-intake.ts"
import type { Reach } from "./reach.ts"
import type { RefusedFolders } from "./refused-folders.ts"
import { searchable } from "./searchable.ts"
import type { SqliteCatalog } from "./sqlite-catalog.ts"
import { whyNoStore } from "./store-folder.ts"

/** What is indexed, and how. */
export interface JsonIndexingParts {
  readonly files: RecordFiles
  readonly within: Reconciler
  /** Told to look again where rows may lack something. */
  readonly indexed: SqliteCatalog
  readonly reach: Reach
  readonly options: JsonOptions
}

/**
 * Makes a folder's index whole and keeps it so: walks and catch-ups with texts, in the background, for searches that wait for them,
 * and when they are asked for. What several want at once is done once.
 */
export class JsonIndexing {
  readonly background: BackgroundWalk
  readonly #parts: JsonIndexingParts
  readonly #catchingUp: BackgroundCatchUp | undefined
  /** A walk of the whole store, for the background and for every search that needs one. */
  readonly #walking: SharedWork<WalkResult>
  readonly #catchingUpNow: SharedWork<void>
  /** What the last walk was refused; none where no walk was refused anything. */
  #refused: RefusedFolders | undefined
  /** How often the index came to lack what a search has to find, and how much of that is mended. */
  #missed = 0
  #mended = 0
  /** The database that was walked through; none where it changed meanwhile. */
  #walked: string | undefined
  /** Whether the last walk came to nothing since the index could not be used. */
  #isFailing = false
  /** Whether texts that a search had to have put into the index were left for the next one. */
  #isBehind = false

  constructor(parts: JsonIndexingParts) {
    this.#parts = parts
    const { backgroundIndex, logger, before = Promise.resolve() } = parts.options
    const inBackground = backgroundIndex && !this.filesOnly
    if (inBackground) this.#catchingUp = new BackgroundCatchUp((work) => this.catchUp(work), logger)
    this.#walking = new SharedWork(async (work) => {
      await before
      return this.walk({ ...work, onProgress: (progress) => this.background.note(progress) })
    })
    this.#catchingUpNow = new SharedWork((work) => this.catchUp(work))
    const afterwards: SlicedWork = async (work) => {
      await this.catchUp(work)
      await this.giveSpaceBack(work)
    }
    const walk = (signal: AbortSignal) => this.#walking.join({ signal, atEase: true })
    this.background = new BackgroundWalk(inBackground, walk, logger, afterwards)
  }

  /** Whether there is no index to be used at all. */
  get filesOnly(): boolean {
    return this.#parts.options.filesOnly ?? false
  }

  /** The database that was walked through last. */
  get walked(): string | undefined {
    return this.#walked
  }

  /** Whether the last walk came to nothing since the index could not be used. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** Nothing of a store lies in the folder, and no index may be made there: there is nothing to be indexed either. */
  get isNoStoreYet(): boolean {
    return !this.#parts.within.index.mayBeMade() && this.missing() !== undefined
  }

  /** Why the folder cannot be read as a store; `undefined` where it can, or nobody can look. */
  missing(): StoreError | undefined {
    const { files, options } = this.#parts
    return options.layout === "older" ? undefined : whyNoStore(files.fs, files.directory)
  }

  /**
   * Whether the index has all that a search has to find: nothing was missed since the whole store was walked through into this very
   * database. The files always have it.
   */
  async isWhole(): Promise<boolean> {
    if (this.filesOnly) return true
    if (this.#missed > this.#mended || this.#walked === undefined) return false
    try {
      return (await this.#parts.within.index.openDatabase()) === this.#walked
    } catch (error) {
      tolerateFailure(error)
      return false
    }
  }

  /** Something changed: its texts are to be caught up with. */
  nudge(): void {
    this.#catchingUp?.nudge()
  }

  /** The index has every change that could not be noted in it. */
  noteSwept(): void {
    this.#mended = this.#missed
  }

  /** A change could not be noted in the index: listings must look, and searches must sweep. */
  noteMissed(): void {
    this.#parts.indexed.distrust()
    this.#missed++
  }

  /** The row of a record says that it can be read, and it cannot. */
  async doubt(place: Place, id: string): Promise<void> {
    const { indexed, within } = this.#parts
    indexed.distrust()
    try {
      await within.index.write((statements) => statements.doubt(place, id))
    } catch (error) {
      // The record was told of, and whoever reads it next tells the index again.
      tolerateFailure(error)
    }
  }

  /** Looks at every file that changed, for a search; where the index cannot be used the search reads the files. */
  async refresh(signal: AbortSignal | undefined): Promise<void> {
    if (this.filesOnly) return
    try {
      await this.walk({ signal })
      await this.catchUp({ signal })
      await this.#refused?.report()
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /**
   * Sees to it that the index becomes whole, and resolves when it is, or cannot be. What is under way is joined. What the last walk
   * was refused is looked at once more, and told of where it still is.
   * @throws StoreError `EXHAUSTED`; the signal's reason, which leaves the work to those who also wait for it
   */
  async makeWhole(signal: AbortSignal): Promise<void> {
    if (this.filesOnly) return
    try {
      if (!(await this.isWhole())) {
        this.background.begin()
        await this.#walking.join({ signal })
      } else if (this.#refused && !this.#refused.areNone) await this.#refused.lookAgain(signal)
      else if (!this.#isBehind) return
      await this.#refused?.report()
      // Otherwise texts are put into the index in the background, while messages whose texts it lacks are read.
      if (this.#catchingUp) return
      this.#isBehind = true
      await this.#catchingUpNow.join({ signal })
      this.#isBehind = false
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /** Has the background make the index whole, where it indexes in the background and that is over. */
  async makeWholeLater(): Promise<void> {
    if (!(await this.isWhole())) this.background.again()
    try {
      await this.#refused?.report()
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /** A walk of the whole store, which mends what was missed before it began. @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason */
  async walk(options: WalkOptions): Promise<WalkResult> {
    const { options: opened, reach, within } = this.#parts
    // The rows of what is out of reach stay: it may come back as it was.
    if (this.isNoStoreYet || (opened.readOnly && reach.isGone())) return { ...NOTHING_WALKED }
    const { walk } = await loaded(() => import("../../migrator/walk.ts"))
    const missed = this.#missed
    try {
      const before = await patiently(() => within.index.openDatabase())
      const result = await walk(within, options)
      if (result.unreadable.length > 0) {
        const { RefusedFolders } = await loaded(() => import("./refused-folders.ts"))
        this.#refused ??= new RefusedFolders(within, this.#parts.files.problems)
      }
      const after = await patiently(() => within.index.openDatabase())
      this.#refused?.note(result.unreadable)
      this.#walked = after === before && !this.#refused?.lackKind ? after : undefined
      this.#isFailing = false
      this.#mended = Math.max(this.#mended, missed)
      return result
    } catch (error) {
      this.#isFailing = error instanceof IndexFailure
      throw error
    }
  }

  /** A walk whose caller waits for all of it, with texts: those of what is new are put while it is read. @throws as `walk` */
  async all(options: IndexOptions): Promise<WalkResult> {
    const began = performance.now()
    const { signal } = options
    const texts = await this.#intake(signal)
    const result = await this.walk({ ...options, texts })
    await texts?.flush()
    const walked = performance.now()
    const onProgress = textProgress(options, result.read)
    await this.catchUp({ signal, onProgress, insertions: texts?.insertions })
    const textsMs = performance.now() - walked + (texts?.elapsedMs ?? 0)
    await this.giveSpaceBack({ signal })
    const elapsedMs = performance.now() - began
    return { ...result, elapsedMs: Math.round(elapsedMs), textsMs: Math.round(textsMs) }
  }

  async #intake(signal: AbortSignal | undefined): Promise<PartIntake | undefined> {
    if (this.#parts.options.search !== "all" || this.isNoStoreYet) return undefined
    const { PartIntake } = await loaded(() => import("./part-intake.ts"))
    const { TextInsertions, UNHURRIED } = await loaded(() => import("./text-insertions.ts"))
    return new PartIntake(new TextInsertions(this.#parts.within.index, new TimeSlice(signal), UNHURRIED))
  }

  /** Reads every file again. @throws as `walk` */
  async rebuild(options: WalkOptions): Promise<WalkResult> {
    if (this.isNoStoreYet) return { ...NOTHING_WALKED }
    const { rebuild } = await loaded(() => import("../../migrator/walk.ts"))
    return rebuild(this.#parts.within, options)
  }

  /** Puts the texts that the index lacks into it. @throws as `walk` */
  async catchUp(options: CatchUpOptions): Promise<void> {
    const { files, within, options: opened } = this.#parts
    if (opened.search !== "all" || this.isNoStoreYet) return
    const { catchUp } = await loaded(() => import("./catch-up.ts"))
    const { fileDocuments } = await loaded(() => import("./message-tokens.ts"))
    await catchUp(within, fileDocuments(searchable(files)), options)
  }

  /** Makes the index's file smaller where much of it is free; one that cannot be used has nothing to give back. */
  async giveSpaceBack(options: CompactOptions): Promise<void> {
    if (this.filesOnly) return
    const { compact } = await loaded(() => import("../../migrator/compact.ts"))
    try {
      await compact(this.#parts.within.index, options)
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /** Ends all of it; what is done stays done. */
  async stop(): Promise<void> {
    await this.background.stop()
    await this.#catchingUp?.stop()
    const closed = new StoreError("CLOSED", "The store is closed", { path: this.#parts.files.directory })
    await this.#walking.stop(closed)
    await this.#catchingUpNow.stop(closed)
  }
}

/** The index's failures are told of by its health; the files answer meanwhile. */
function tolerateFailure(error: unknown): void {
  if (!(error instanceof IndexFailure)) throw error
}
