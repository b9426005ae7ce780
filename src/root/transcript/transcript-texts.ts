import { IndexFailure } from "../../database/failure.ts"
import { StoreError } from "../../errors.ts"
import { patiently } from "../../migrator/patiently.ts"
import { SharedWork } from "../../migrator/shared-work.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Catalog } from "../catalog.ts"
import { candidates } from "../json/candidates.ts"
import { catchUp } from "../json/catch-up.ts"
import { AT_EASE, TextInsertions, UNHURRIED } from "../json/text-insertions.ts"
import type { RootContext } from "../root.ts"
import { scanCandidates } from "../scanned/scanned-texts.ts"
import type { CandidateFilter, MessageDocument, TextLook, TextSource } from "../text-source.ts"
import { WorkProgress } from "../work-progress.ts"
import { CandidatesAhead } from "./candidates-ahead.ts"
import { DocumentsAhead } from "./documents-ahead.ts"
import { Garbage, MOST_LEFT_OF_ROWS } from "./garbage.ts"
import { placeText } from "./held.ts"
import { bytesOf } from "./record-bodies.ts"
import type { Settled } from "./settled.ts"
import type { Intake } from "./settling.ts"
import { TextIntake } from "./text-intake.ts"
import type { LocatedRead, TranscriptRecords } from "./transcript-records.ts"

/** The most containers that a search settles itself: those that are being written, not a whole home. */
const FEW = 16

/** Reading a message alone leaves this many times the garbage of reading it with its whole container. */
const LEFT_ALONE = 4

/** Messages whose part counts are written in one transaction. */
const COUNTED_AT_ONCE = 256

/** Notes how many parts messages have, in batches. */
class PartCounts {
  readonly #settled: Settled
  #counted: { id: string; place: string; parts: number }[] = []

  constructor(settled: Settled) {
    this.#settled = settled
  }

  async add({ located: { message }, read }: LocatedRead): Promise<void> {
    this.#counted.push({ id: message.id, place: placeText(message), parts: read.parts.length })
    if (this.#counted.length >= COUNTED_AT_ONCE) await this.flush()
  }

  async flush(): Promise<void> {
    const counted = this.#counted
    this.#counted = []
    if (counted.length === 0) return
    await patiently(() =>
      this.#settled.index.index.write(({ transcripts }) => transcripts.places.setParts(counted)),
    )
  }
}

/** Takes no texts, and has what reading leaves behind collected. */
class NoIntake extends Garbage implements Intake {
  async take(): Promise<void> {}
}

interface UpdateOptions {
  readonly signal?: AbortSignal | undefined
  readonly onYield?: () => Promise<void>
  readonly onSettled?: ((done: number, total: number) => void) | undefined
  /** Called with the number of messages that are done, and of all whose lines were not kept. */
  readonly onText?: ((done: number, total: number) => void) | undefined
}

/** Searches the texts of transcripts through a full-text index. Messages that are not in it yet are read. */
export class TranscriptTexts implements TextSource {
  readonly mode: TextSource["mode"]
  /** The progress of the work that searches wait for. */
  readonly progress: WorkProgress
  readonly #settled: Settled
  readonly #records: TranscriptRecords
  readonly #catalog: Catalog
  readonly #context: RootContext
  readonly #work: SharedWork<number>

  constructor(settled: Settled, records: TranscriptRecords, catalog: Catalog, context: RootContext) {
    this.mode = context.search
    this.#settled = settled
    this.#records = records
    this.#catalog = catalog
    this.#context = context
    this.progress = new WorkProgress(context.backgroundIndex && context.search === "all")
    this.#work = new SharedWork((options) =>
      this.progress.during(options.signal, (tell) =>
        this.update({
          ...options,
          onSettled: (done, total) => tell({ kind: "session", done, total, read: done }),
        }),
      ),
    )
  }

  async look(mayLack: boolean, since?: number): Promise<TextLook> {
    const everything = (): TextLook => ({
      whole: true,
      candidates: (_, filter, signal) => this.#scanned(filter, signal),
    })
    if (this.mode !== "all") return everything()
    try {
      const database = await this.#settled.few(FEW, since)
      if (database === undefined && !mayLack) return everything()
      const { index } = this.#settled.index
      const ahead = new CandidatesAhead(this.#settled, this.#records)
      const sources = {
        within: { index },
        expect: ahead.expect.bind(ahead),
        all: { owners: () => this.#records.folders("message"), scan: this.#catalog },
        indexed: true,
        database,
      }
      return {
        whole: database !== undefined,
        document: ahead.document.bind(ahead),
        candidates: (query, filter, signal) =>
          filter.session === undefined ? candidates(sources, query, filter) : this.#scanned(filter, signal),
      }
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      return everything()
    }
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.makeWhole(signal ?? new AbortController().signal)
  }

  async makeWhole(signal: AbortSignal): Promise<void> {
    if (this.mode !== "all") return
    try {
      await this.#work.join({ signal })
    } catch (error) {
      // Its health tells of its failures.
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  async makeWholeLater(): Promise<void> {
    if (!this.#context.backgroundIndex || this.mode !== "all") return
    this.#work
      .join({ signal: new AbortController().signal, atEase: true })
      .catch((error: unknown) =>
        this.#context.logger.warn(`The transcripts in ${this.#settled.place} could not be indexed`, error),
      )
  }

  document(sessionID: string, messageID: string): Promise<MessageDocument | undefined> {
    return this.#records.document(sessionID, messageID)
  }

  /**
   * Brings rows and texts up to date.
   * @returns how long it took for texts, ms
   * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
   */
  update(options: UpdateOptions): Promise<number> {
    return this.#settled.index.index.batch(() => this.#update(options), !options.onYield)
  }

  async #update({ signal, onYield, onSettled, onText: onProgress }: UpdateOptions): Promise<number> {
    const slice = new TimeSlice(signal, onYield)
    if (this.mode !== "all") {
      // Work that lets others run has nobody waiting for it.
      const intake = onYield ? undefined : new NoIntake(MOST_LEFT_OF_ROWS)
      await this.#settled.all({ signal, slice, onSettled, patient: true, intake })
      return 0
    }
    let textsMs = 0
    const timed = async (work: () => Promise<unknown>): Promise<void> => {
      const began = performance.now()
      await work()
      textsMs += performance.now() - began
    }
    const { index, transcripts } = this.#settled.index
    const insertions = new TextInsertions(index, slice, onYield ? AT_EASE : UNHURRIED)
    const intake = new TextIntake(transcripts.agent, insertions, slice)
    await this.#settled.all({
      signal,
      slice,
      onSettled,
      patient: true,
      intake: {
        take: (reading) => timed(() => intake.take(reading)),
        left: (bytes) => intake.left(bytes),
        stepped: (bytes) => intake.stepped(bytes),
      },
    })
    await timed(() => intake.flush())
    const counting = new PartCounts(this.#settled)
    const ahead = new DocumentsAhead(this.#records, (message) => {
      intake.left(LEFT_ALONE * bytesOf(message.located.message.outlined))
      return counting.add(message)
    })
    const expect = ahead.expect.bind(ahead)
    const read = ahead.document.bind(ahead)
    await timed(() => catchUp({ index }, read, { signal, onYield, expect, onProgress, insertions }))
    await counting.flush()
    return textsMs
  }

  /** Counts the parts of messages whose texts are not indexed, by reading them. */
  countParts(slice: TimeSlice): Promise<void> {
    return this.#settled.index.index.batch(() => this.#countParts(slice), true)
  }

  async #countParts(slice: TimeSlice): Promise<void> {
    const counting = new PartCounts(this.#settled)
    const ahead = new DocumentsAhead(this.#records, (message) => counting.add(message))
    for (let before: string | undefined; ; ) {
      const some = await this.#settled.read(({ transcripts }) =>
        transcripts.places.uncounted(COUNTED_AT_ONCE),
      )
      const first = some[0]
      // What cannot be read stays as it is.
      if (!first || first.id === before) return
      before = first.id
      ahead.expect(some)
      for (const { session, id } of some) {
        const turn = slice.pass()
        if (turn) await turn
        await ahead.document(session, id)
      }
      await counting.flush()
    }
  }

  async stop(): Promise<void> {
    await this.#work.stop(new StoreError("CLOSED", "The store is closed", { path: this.#settled.place }))
  }

  #scanned(filter: CandidateFilter, signal: AbortSignal | undefined) {
    return scanCandidates(this.#records, this.#catalog, filter, signal)
  }
}
