import { IndexFailure } from "../../database/failure.ts"
import { SqliteIndex } from "../../database/sqlite-index.ts"
import { isStoreError, StoreError } from "../../errors.ts"
import { loaded } from "../../exhaustion.ts"
import { SharedWork } from "../../migrator/shared-work.ts"
import type { Catalog } from "../catalog.ts"
import { candidates } from "../json/candidates.ts"
import { catchUp } from "../json/catch-up.ts"
import type { RecordSource } from "../record-source.ts"
import type { RootContext } from "../root.ts"
import { scanCandidates } from "../scanned/scanned-texts.ts"
import type { MessageDocument, TextLook, TextSource } from "../text-source.ts"
import type { Difference, VerifyOptions } from "../verify-result.ts"
import { WorkProgress } from "../work-progress.ts"
import type { Access } from "./access.ts"
import type { Moment } from "./database.ts"
import { DocumentsAhead } from "./documents-ahead.ts"
import { groupedDocument } from "./grouped-parts.ts"
import type { OpencodeReader } from "./reader.ts"
import { SoundSessions } from "./sound-sessions.ts"
import { type SyncOptions, syncMessages } from "./text-sync.ts"

/** The last sync of the index. */
interface Synced {
  /** The index's database that was synced. */
  readonly database: string
  /** When the sync began, by `performance.now()`. */
  readonly begun: number
  readonly moment: Moment
}

/**
 * Finds texts of a database with our own full-text index, which is brought up to date before each search; stamps tell what changed. The
 * messages of a single session are read instead, and so are all messages if no index can be used.
 */
export class OpencodeTexts implements TextSource {
  readonly mode: TextSource["mode"]
  /** The progress of the sync that searches wait for. */
  readonly progress: WorkProgress
  readonly #reader: OpencodeReader
  readonly #access: Access
  readonly #catalog: Catalog
  readonly #records: RecordSource
  readonly #context: RootContext
  readonly #syncing: SharedWork<void>
  #index: SqliteIndex | undefined
  #synced: Synced | undefined
  /** Whether to index at all: only if the index lasts, or serves more than one search. */
  readonly #isIndexed: boolean

  /** @param reader a reader of its own, which reports no problems */
  constructor(
    reader: OpencodeReader,
    access: Access,
    catalog: Catalog,
    records: RecordSource,
    context: RootContext,
  ) {
    this.mode = context.search
    this.#reader = reader
    this.#access = access
    this.#catalog = catalog
    this.#records = records
    this.#context = context
    const lasts = context.indexFolder !== undefined && context.mayIndex()
    this.#isIndexed = context.search === "all" && (lasts || context.backgroundIndex)
    this.progress = new WorkProgress(context.backgroundIndex && this.#isIndexed)
    this.#syncing = new SharedWork((options) =>
      this.progress.during(options.signal, () => this.update(options)),
    )
  }

  /** The index, if it was used. */
  get index(): SqliteIndex | undefined {
    return this.#index
  }

  async look(mayLack: boolean): Promise<TextLook> {
    const synced = this.#synced
    const index = this.#isIndexed && (synced || mayLack) ? this.#open() : undefined
    const everything = (): TextLook => ({
      whole: true,
      candidates: (_, filter, signal) => this.#scanned(filter, signal),
    })
    if (!index) return everything()
    if (synced && !(await this.#has(synced))) return everything()
    const sources = {
      within: { index },
      all: { owners: () => this.#records.folders("message"), scan: this.#catalog },
      indexed: true,
      database: synced?.database,
    }
    const whole = synced !== undefined && (!mayLack || this.#isStill(synced))
    return {
      whole,
      // The index does not know roles, so the search checks them.
      candidates: (query, { role: _, ...filter }, signal) =>
        filter.session === undefined ? candidates(sources, query, filter) : this.#scanned(filter, signal),
    }
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.makeWhole(signal ?? new AbortController().signal)
  }

  async makeWhole(signal: AbortSignal): Promise<void> {
    if (!this.#isIndexed) return
    const asked = performance.now()
    try {
      // A sync that began before may have passed what changed since.
      while (!(await this.#isCurrent(asked))) await this.#syncing.join({ signal })
    } catch (error) {
      // The index's health reports its failures, and the next question to the database reports the database's.
      if (!(error instanceof IndexFailure) && !isStoreError(error)) throw error
      this.#synced = undefined
    }
  }

  async makeWholeLater(): Promise<void> {
    if (!this.#context.backgroundIndex) return
    this.makeWhole(new AbortController().signal).catch((error: unknown) =>
      this.#context.logger.warn(`The texts of ${this.#reader.database.path} could not be indexed`, error),
    )
  }

  document(sessionID: string, messageID: string): Promise<MessageDocument | undefined> {
    return groupedDocument(this.#reader, sessionID, messageID, (otherwise, ask) =>
      this.#access.quietly(otherwise, ask),
    )
  }

  /**
   * Brings the index up to date.
   * @throws IndexFailure; StoreError if the database cannot be read; the signal's reason
   */
  async update(options: SyncOptions = {}): Promise<void> {
    if (!this.#isIndexed) return
    const index = this.#open()
    const begun = performance.now()
    const moment = this.#reader.moment()
    const database = await index.openDatabase()
    await syncMessages(this.#reader, index, options)
    const ahead = new DocumentsAhead(this.#reader)
    const expect = ahead.expect.bind(ahead)
    await catchUp({ index }, (session, id) => ahead.document(session, id), { ...options, expect })
    this.#synced = (await index.openDatabase()) === database ? { database, begun, moment } : undefined
  }

  /**
   * Compares the index with the database.
   * @throws as `update`
   */
  async differences(options: VerifyOptions): Promise<Difference[]> {
    if (!this.#isIndexed) return []
    const { indexDifferences } = await loaded(() => import("./verify-index.ts"))
    return indexDifferences(this.#reader, this.#open(), options)
  }

  /**
   * What the index remembers about which sessions could be read, for use with that reader; `undefined` if the index cannot be used.
   * @throws StoreError `CLOSED`; the signal's reason
   */
  async soundSessions(reader: OpencodeReader, signal?: AbortSignal): Promise<SoundSessions | undefined> {
    if (!this.#isIndexed) return undefined
    try {
      return await SoundSessions.load(reader, this.#open(), signal)
    } catch (error) {
      if (error instanceof IndexFailure || (isStoreError(error) && error.code !== "CLOSED")) return undefined
      throw error
    }
  }

  /** Begins the index anew. @throws IndexFailure */
  async forget(): Promise<void> {
    if (!this.#isIndexed) return
    this.#synced = undefined
    this.#open().startAnew()
  }

  async stop(): Promise<void> {
    await this.#syncing.stop(
      new StoreError("CLOSED", "The store is closed", { path: this.#reader.database.path }),
    )
  }

  close(): void {
    this.#reader.close()
    this.#index?.close()
  }

  #scanned(filter: Parameters<typeof scanCandidates>[2], signal: AbortSignal | undefined) {
    return scanCandidates(this.#records, this.#catalog, filter, signal)
  }

  #open(): SqliteIndex {
    const { indexFolder, indexRoot, mayIndex, cacheSize, logger } = this.#context
    if (this.#index) return this.#index
    const folder = mayIndex() ? indexFolder : undefined
    this.#index = new SqliteIndex({
      folder,
      root: folder && indexRoot,
      cacheBytes: cacheSize,
      logger,
    })
    return this.#index
  }

  async #isCurrent(asked: number): Promise<boolean> {
    const synced = this.#synced
    if (!synced || !(await this.#has(synced))) return false
    return synced.begun >= asked || this.#isStill(synced)
  }

  /** Whether the index is still the one that was synced. */
  async #has({ database }: Synced): Promise<boolean> {
    try {
      return (await this.#open().openDatabase()) === database
    } catch (error) {
      if (error instanceof IndexFailure) return false
      throw error
    }
  }

  #isStill({ moment }: Synced): boolean {
    try {
      return this.#reader.isStill(moment)
    } catch (error) {
      if (isStoreError(error)) return false
      throw error
    }
  }
}
