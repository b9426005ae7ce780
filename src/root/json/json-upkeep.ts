import { IndexFailure } from "../../database/failure.ts"
import { StoreError, systemCode } from "../../errors.ts"
import { loaded } from "../../exhaustion.ts"
import { UNNAMED } from "../../file/layout.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { AnswerCounts, RootHealth } from "../health.ts"
import type { OlderLayout } from "../older/older-layout.ts"
import type { Problem } from "../problem-log.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable, Orphan, Upkeep } from "../upkeep.ts"
import type { VerifyOptions, VerifyResult } from "../verify-result.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"
import type { RecordFiles } from "./file-catalog.ts"
import type { JsonIndexing } from "./json-indexing.ts"
import type { Reach } from "./reach.ts"
import { searchable } from "./searchable.ts"

const NOTHING_VERIFIED: VerifyResult = {
  ok: true,
  checked: { sessions: 0, messages: 0, parts: 0 },
  differences: [],
  duplicates: [],
}

/** What `JsonUpkeep` works on. */
export interface JsonUpkeepParts {
  readonly files: RecordFiles
  readonly within: Reconciler
  readonly indexing: JsonIndexing
  readonly answers: Readonly<AnswerCounts>
  /** The older layout, if the folder is in it. */
  readonly layout: OlderLayout | undefined
  readonly reach: Reach
  readonly readOnly: boolean
}

/** Reports on a folder's index and files, and indexes, checks and repairs on request. */
export class JsonUpkeep implements Upkeep {
  readonly #parts: JsonUpkeepParts

  constructor(parts: JsonUpkeepParts) {
    this.#parts = parts
  }

  get answers(): Readonly<AnswerCounts> {
    return this.#parts.answers
  }

  index(options: IndexOptions): Promise<WalkResult> {
    return this.#onIndex(async () => {
      const result = await this.#parts.within.index.batch(() => this.#parts.indexing.all(options), true)
      return this.#located(result)
    })
  }

  rebuild(options: IndexOptions): Promise<WalkResult> {
    return this.#onIndex(async () => this.#located(await this.#parts.indexing.rebuild(options)))
  }

  verify(options: VerifyOptions): Promise<VerifyResult> {
    return this.#onIndex(async () => {
      const { files, indexing, within } = this.#parts
      if (indexing.isNoStoreYet) return structuredClone(NOTHING_VERIFIED)
      const { verify } = await loaded(() => import("../../migrator/verify.ts"))
      const { fileTexts, textDifferences } = await loaded(() => import("./verify-texts.ts"))
      const derived = {
        differences: (slice: TimeSlice) => textDifferences(fileTexts(within, searchable(files)), slice),
        fillAnew: async () => {
          await patiently(() => within.index.write(({ fullText }) => fullText.emptyTexts()))
          await indexing.catchUp({ signal: options.signal })
        },
      }
      const result = await verify(within, derived, options, (path) =>
        files.problems.report({ path, ...UNNAMED }),
      )
      const { locate } = files
      return {
        ...result,
        differences: result.differences.map(({ path, kind }) => ({ path: locate(path), kind })),
        duplicates: result.duplicates.map(({ id, paths }) => ({ id, paths: paths.map(locate) })),
      }
    })
  }

  nudge(): void {
    this.#parts.indexing.nudge()
  }

  missing(): StoreError | undefined {
    return this.#parts.indexing.missing()
  }

  outOfReach(): boolean {
    return this.#parts.reach.isGone()
  }

  isThere(): boolean {
    const { fs, directory } = this.#parts.files
    try {
      return fs.stat(directory)?.kind === "directory"
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return true
    }
  }

  /** Yields every record that cannot be read. What keeps all folders from being looked at is reported once. */
  async *problems(options: Endable): AsyncGenerator<Problem> {
    const above = new Set<string>()
    for await (const problem of this.#allProblems(options)) {
      const isAbove = `${this.#parts.files.directory}/`.startsWith(`${problem.path}/`)
      if (isAbove && above.has(problem.path)) continue
      if (isAbove) above.add(problem.path)
      yield problem
    }
  }

  async *#allProblems({ signal }: Endable): AsyncGenerator<Problem> {
    const { files, within, layout, reach, readOnly } = this.#parts
    const { plainFileProblems, scanProblems, unnamedRecords } = await loaded(() => import("./problems.ts"))
    const { walk } = await loaded(() => import("../../migrator/walk.ts"))
    if (readOnly && (!this.isThere() || reach.isGone())) yield reach.absence()
    try {
      yield* this.#located(await walk(within, { signal })).unreadable
      for await (const problem of unnamedRecords(files, signal))
        yield { ...problem, path: files.locate(problem.path) }
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
    const { findOrphans } = await loaded(() => import("./orphans.ts"))
    for await (const orphan of findOrphans(files, signal))
      yield { ...orphan, path: files.locate(orphan.path) }
  }

  async stats({ signal }: Endable): Promise<StoreStats> {
    const { files } = this.#parts
    const { collectStats } = await loaded(() => import("./stats.ts"))
    const stats = await collectStats(files, signal)
    const largest = stats.largest.map(({ path, bytes }) => ({ path: files.locate(path), bytes }))
    return { ...stats, largest }
  }

  health(): RootHealth {
    const { files, indexing, within, layout } = this.#parts
    return {
      directory: files.directory,
      layout: layout ? "older" : "current",
      index: within.index.health(),
      backgroundIndex: indexing.background.health(),
    }
  }

  indexBytes(): number {
    return this.#parts.within.index.bytes()
  }

  stop(): Promise<void> {
    return this.#parts.indexing.stop()
  }

  close(): void {
    this.#parts.within.index.close()
  }

  async #onIndex<T>(work: () => Promise<T>): Promise<T> {
    // The cause of an earlier failure may be over, such as a full disk.
    this.#parts.within.index.tryAgain()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      throw new StoreError("INDEX_UNAVAILABLE", `The index cannot be used: ${error.message}`, {
        path: this.#parts.within.index.health().path,
        cause: error,
        hint: "Everything still works from the files. Check health(); you can delete the index at any moment.",
      })
    }
  }

  #located(result: WalkResult): WalkResult {
    const { locate } = this.#parts.files
    const unreadable = result.unreadable.map((problem) => ({ ...problem, path: locate(problem.path) }))
    return { ...result, unreadable }
  }
}
