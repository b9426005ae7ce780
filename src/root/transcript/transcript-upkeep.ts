import { IndexFailure } from "../../database/failure.ts"
import { isStoreError, StoreError, systemCode } from "../../errors.ts"
import { loaded } from "../../exhaustion.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { AnswerCounts, RootHealth } from "../health.ts"
import type { Problem } from "../problem-log.ts"
import { ScannedUpkeep } from "../scanned/scanned-upkeep.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable } from "../upkeep.ts"
import type { VerifyOptions, VerifyResult } from "../verify-result.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"
import type { Settled } from "./settled.ts"
import type { TranscriptRecords } from "./transcript-records.ts"
import type { TranscriptTexts } from "./transcript-texts.ts"
import { problemsOf } from "./transcripts.ts"

/** What the upkeep of transcripts needs. */
export interface TranscriptUpkeepParts {
  readonly source: string
  readonly settled: Settled
  readonly records: TranscriptRecords
  readonly texts: TranscriptTexts
  readonly answers: Readonly<AnswerCounts>
}

/** The upkeep of transcripts. They are only read, so our index of them is all there is to maintain. */
export class TranscriptUpkeep extends ScannedUpkeep {
  override readonly answers: AnswerCounts
  readonly #parts: TranscriptUpkeepParts
  #wasThere = false

  constructor(parts: TranscriptUpkeepParts) {
    super({ source: parts.source, place: parts.settled.place }, parts.records)
    this.#parts = parts
    this.answers = parts.answers
  }

  override async index({ signal, onProgress }: IndexOptions): Promise<WalkResult> {
    const began = performance.now()
    const { settled, texts } = this.#parts
    return this.#onIndex(async () => {
      let read = 0
      const textsMs = await texts.update({
        signal,
        onSettled: (done, total) => {
          read = done
          onProgress?.({ kind: "session", done, total, read: done })
        },
        onText: (done, total) => onProgress?.({ kind: "text", done, total, read }),
      })
      await texts.countParts(new TimeSlice(signal))
      const counts = await settled.read(({ transcripts }) => transcripts.places.counts())
      const unreadable = [...settled.refused, ...(await settled.index.problems())]
      return { ...counts, read, unreadable, elapsedMs: performance.now() - began, textsMs }
    })
  }

  override async rebuild(options: IndexOptions): Promise<WalkResult> {
    await this.#onIndex(async () => this.#parts.settled.index.index.startAnew())
    return this.index(options)
  }

  /** Compares the index with a fresh reading of everything; a damaged index is rebuilt, not repaired. */
  override async verify({ signal, repair }: VerifyOptions): Promise<VerifyResult> {
    return this.#onIndex(async () => {
      const { settled, records, texts } = this.#parts
      const { compareIndex } = await loaded(() => import("./verify-index.ts"))
      const compare = () => compareIndex({ settled, records, hasTexts: texts.mode === "all", signal })
      const { differences, checked } = await compare()
      if (!repair || differences.length === 0)
        return { ok: differences.length === 0, checked, differences, duplicates: [] }
      await this.rebuild({ signal })
      const left = await compare()
      return { ok: left.differences.length === 0, checked, differences, duplicates: [] }
    })
  }

  override missing(): StoreError | undefined {
    const path = this.#parts.settled.place
    return this.isThere() ? undefined : new StoreError("NOT_FOUND", `There is no folder ${path}`, { path })
  }

  override outOfReach(): boolean {
    const isThere = this.isThere()
    this.#wasThere ||= isThere
    return this.#wasThere && !isThere
  }

  override isThere(): boolean {
    const { fs, place } = this.#parts.settled.index.transcripts
    try {
      return fs.stat(place)?.kind === "directory"
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return true
    }
  }

  override async *problems({ signal }: Endable): AsyncGenerator<Problem> {
    const { settled } = this.#parts
    const { transcripts } = settled.index
    try {
      await settled.all({ signal })
      yield* settled.refused
      yield* await settled.index.problems()
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      const sweep = await transcripts.sweep(signal)
      yield* sweep.refused
      for (const container of sweep.found) {
        const slice = new TimeSlice(signal)
        yield* problemsOf(await transcripts.readContainer(container, sweep, undefined, slice))
      }
    }
  }

  override async stats({ signal }: Endable): Promise<StoreStats> {
    const { transcriptStats } = await loaded(() => import("./transcript-stats.ts"))
    return transcriptStats(this.#parts.records, signal)
  }

  override health(): RootHealth {
    const { settled, texts } = this.#parts
    return {
      ...super.health(),
      index: settled.index.index.health(),
      backgroundIndex: texts.progress.health,
    }
  }

  override indexBytes(): number {
    return this.#parts.settled.index.index.bytes()
  }

  override async stop(): Promise<void> {
    await this.#parts.texts.stop()
    await this.#parts.settled.early.stop()
  }

  override close(): void {
    this.#parts.settled.index.index.close()
  }

  async #onIndex<T>(work: () => Promise<T>): Promise<T> {
    const { index } = this.#parts.settled.index
    index.tryAgain()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof IndexFailure) || isStoreError(error)) throw error
      throw new StoreError("INDEX_UNAVAILABLE", `The index cannot be used: ${error.message}`, {
        path: index.health().path,
        cause: error,
        hint: "Everything still works from the files. Check health(); you can delete the index at any moment.",
      })
    }
  }
}
