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

/** What `JsonIndexing` works on. */
export interface JsonIndexingParts {
  readonly files: RecordFiles
  readonly within: Reconciler
  /** The catalog that has to look at the files again if rows may lack something. */
  readonly indexed: SqliteCatalog
  readonly reach: Reach
  readonly options: JsonOptions
}

/**
 * Completes a folder's index and keeps it complete, with walks and catch-ups of texts: in the background, for searches that wait for them,
 * and on request. What several callers want at the same time is done once.
 */
export class JsonIndexing {
  readonly background: BackgroundWalk
  readonly #parts: JsonIndexingParts
  readonly #catchingUp: BackgroundCatchUp | undefined
  /** A walk of the whole store, for the background and for every search that needs one. */
  readonly #walking: SharedWork<WalkResult>
  readonly #catchingUpNow: SharedWork<void>
  /** What the last walk could not look into; `undefined` if no walk was ever refused anything. */
  #refused: RefusedFolders | undefined
  /** How often a change could not be noted in the index, and how many of these later walks have made up for. */
  #missed = 0
  #mended = 0
  /** The database that the last walk went through; `undefined` if it was replaced meanwhile. */
  #walked: string | undefined
  /** Whether the last walk failed because the index could not be used. */
  #isFailing = false
  /** Whether a search left texts that the next search has to put into the index. */
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

  /** Whether the store works without any index. */
  get filesOnly(): boolean {
    return this.#parts.options.filesOnly ?? false
  }

  /** The database that the last walk went through. */
  get walked(): string | undefined {
    return this.#walked
  }

  /** Whether the last walk failed because the index could not be used. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** Whether the folder is no store yet and no index may be made there, so that there is nothing to index. */
  get isNoStoreYet(): boolean {
    return !this.#parts.within.index.mayBeMade() && this.missing() !== undefined
  }

  /** Why the folder cannot be read as a store; `undefined` if it can, or if nobody can look. */
  missing(): StoreError | undefined {
    const { files, options } = this.#parts
    return options.layout === "older" ? undefined : whyNoStore(files.fs, files.directory)
  }

  /**
   * Whether the index has everything that a search has to find: the whole store was walked through into this very database, and no change
   * was missed since. Always true without an index, since the files have everything.
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

  /** Says that something changed, so that its texts are caught up with. */
  nudge(): void {
    this.#catchingUp?.nudge()
  }

  /** Notes that the index has all changes that were missed. */
  noteSwept(): void {
    this.#mended = this.#missed
  }

  /** Notes that a change could not be noted in the index: listings must look at the files again, and searches must wait for a walk. */
  noteMissed(): void {
    this.#parts.indexed.distrust()
    this.#missed++
  }

  /** Notes that a record cannot be read although its row says so: the next listing reads it anew. */
  async doubt(place: Place, id: string): Promise<void> {
    const { indexed, within } = this.#parts
    indexed.distrust()
    try {
      await within.index.write((statements) => statements.doubt(place, id))
    } catch (error) {
      // The record was reported, and its next reader will note it again.
      tolerateFailure(error)
    }
  }

  /** Brings the index up to date for a search. If the index cannot be used, the search reads the files. */
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
   * Completes the index. Resolves when it is complete or cannot be completed. Joins work that is under way. What the last walk could not
   * look into is tried again, and reported if it is still refused.
   * @throws StoreError `EXHAUSTED`; the signal's reason, while the work goes on for others that wait for it
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
      // With a background catch-up nothing is left to do: until it has put the texts, the search reads pending messages.
      if (this.#catchingUp) return
      this.#isBehind = true
      await this.#catchingUpNow.join({ signal })
      this.#isBehind = false
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /** Starts another background walk if the index lacks something and the last walk is over. */
  async makeWholeLater(): Promise<void> {
    if (!(await this.isWhole())) this.background.again()
    try {
      await this.#refused?.report()
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /** Walks the whole store, which makes up for changes missed before it began. @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason */
  async walk(options: WalkOptions): Promise<WalkResult> {
    const { options: opened, reach, within } = this.#parts
    // If the files are out of reach, the rows are kept, since the files may come back unchanged.
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

  /** Walks and puts all texts, for a caller that waits. Texts of new parts are put while the parts are read for their rows. @throws as `walk` */
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

  /** Puts the texts of pending messages into the index. @throws as `walk` */
  async catchUp(options: CatchUpOptions): Promise<void> {
    const { files, within, options: opened } = this.#parts
    if (opened.search !== "all" || this.isNoStoreYet) return
    const { catchUp } = await loaded(() => import("./catch-up.ts"))
    const { fileDocuments } = await loaded(() => import("./message-tokens.ts"))
    await catchUp(within, fileDocuments(searchable(files)), options)
  }

  /** Makes the index's file smaller if much of it is free. Does nothing if the index cannot be used. */
  async giveSpaceBack(options: CompactOptions): Promise<void> {
    if (this.filesOnly) return
    const { compact } = await loaded(() => import("../../migrator/compact.ts"))
    try {
      await compact(this.#parts.within.index, options)
    } catch (error) {
      tolerateFailure(error)
    }
  }

  /** Ends all work. What was done is kept. */
  async stop(): Promise<void> {
    await this.background.stop()
    await this.#catchingUp?.stop()
    const closed = new StoreError("CLOSED", "The store is closed", { path: this.#parts.files.directory })
    await this.#walking.stop(closed)
    await this.#catchingUpNow.stop(closed)
  }
}

/** Ignores a failure of the index, which its health reports while the files answer. Throws anything else. */
function tolerateFailure(error: unknown): void {
  if (!(error instanceof IndexFailure)) throw error
}
