import type { Statements } from "../../database/statements.ts"
import { TimeSlice } from "../../time-slice.ts"
import { JoinedRuns } from "../json/joined-runs.ts"
import type { Looked, TranscriptIndex, Unsettled } from "./transcript-index.ts"
import { BASE, containerLook } from "./transcripts.ts"
import { modifiedAt } from "./walk.ts"

/** How many containers are settled before it is asked again whether these are enough. */
const SETTLED_AT_ONCE = 8

/** When everything was settled last. */
interface Sound {
  readonly begun: number
  readonly database: string
}

/** Sees to it that rows equal the files they speak of, at a moment after it was asked. */
export class Settled {
  readonly index: TranscriptIndex
  readonly #maxStaleness: number
  readonly #runs = new JoinedRuns<Looked>()
  readonly #moments = new WeakMap<object, Promise<unknown>>()
  readonly #begun = new WeakMap<Looked, Sound>()
  #sound: Sound | undefined

  constructor(index: TranscriptIndex, maxStaleness: number) {
    this.index = index
    this.#maxStaleness = maxStaleness
  }

  get place(): string {
    return this.index.transcripts.place
  }

  read<T>(work: (statements: Statements) => T): Promise<T> {
    return this.index.index.read(work)
  }

  /**
   * Settles everything.
   * @param first settle the container of that session first, by its file's name
   * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
   */
  async all(first?: string, signal?: AbortSignal, moment?: object): Promise<void> {
    if (this.#isFresh()) return
    const known = moment && this.#moments.get(moment)
    if (known) {
      await known
      return
    }
    const work = this.#all(first, signal)
    if (moment) this.#moments.set(moment, work)
    await work
  }

  /**
   * Settles what a listing by time needs, the newest first, until `isEnough` says so.
   * @param isEnough whether no session updated at or before `time`, ms, can change the answer
   */
  async newest(
    isEnough: (time: number) => Promise<boolean>,
    signal?: AbortSignal,
    moment?: object,
  ): Promise<void> {
    if (this.#isFresh() || (moment && this.#moments.has(moment))) return this.all(undefined, signal, moment)
    const looked = await this.#look(signal)
    const { sweep, unsettled } = looked
    const slice = new TimeSlice(signal)
    // Rows that may be wrong would be in the answer; what has none yet is not.
    const known = unsettled.filter(({ row }) => row !== undefined)
    const unknown = unsettled
      .filter(({ row }) => row === undefined)
      .map((one) => ({ one, modified: modifiedAt(one.container) }))
      .sort((a, b) => b.modified - a.modified)
    await this.index.settleAll({ sweep, unsettled: known }, slice)
    for (let start = 0; start < unknown.length; start += SETTLED_AT_ONCE) {
      const some = unknown.slice(start, start + SETTLED_AT_ONCE)
      // Nothing in a file counts as later than the file.
      if (await isEnough(some[0]?.modified ?? 0)) return
      await this.index.settleAll({ sweep, unsettled: some.map(({ one }) => one) }, slice)
    }
    this.#note(looked)
  }

  /** Settles the container that a session is read from, and everything where none is known. */
  async session(id: string): Promise<void> {
    if (this.#isFresh()) return
    const holder = await this.read(({ transcripts }) => {
      const row = transcripts.holder(id)?.container
      return row === undefined ? undefined : { row, container: transcripts.container(row) }
    })
    const row = holder?.container
    if (!holder || !row || row.sides.includes(`"${BASE}`)) return this.all(id)
    const sweep = await this.index.transcripts.sweepOnly(row)
    const [container] = sweep.found
    if (!container) return this.all(id)
    const sides = JSON.parse(row.sides) as [string, string][]
    const isSame =
      row.look !== null &&
      containerLook(container).compare(row.look) === 0 &&
      sides.every(([name, look]) => sweep.sideLook(name) === look)
    if (isSame) return
    if (await this.index.settle({ container, row: holder.row }, sweep, new TimeSlice())) await this.all(id)
  }

  /**
   * Settles everything, however long it takes, and tells how far it is.
   * @throws IndexFailure; StoreError `EXHAUSTED`; the slice's signal's reason
   */
  async everything(slice: TimeSlice, onSettled?: (done: number, total: number) => void): Promise<void> {
    const looked = await this.#look(undefined)
    const total = looked.unsettled.length
    let done = 0
    await this.index.settleAll(looked, slice, () => onSettled?.(++done, total))
    this.#note(looked)
  }

  /**
   * Settles everything where that is little.
   * @returns the index's database where everything is settled in it
   */
  async few(most: number): Promise<string | undefined> {
    const looked = await this.#look(undefined)
    if (looked.unsettled.length > most) return undefined
    await this.index.settleAll(looked, new TimeSlice())
    this.#note(looked)
    return this.#begun.get(looked)?.database
  }

  async #all(first: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const looked = await this.#look(signal)
    const isFirst = ({ container }: Unsettled): boolean =>
      first !== undefined && container.files[0]?.name.session === first
    const unsettled = looked.unsettled.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)))
    await this.index.settleAll({ ...looked, unsettled }, new TimeSlice(signal))
    this.#note(looked)
  }

  #look(signal: AbortSignal | undefined): Promise<Looked> {
    return this.#runs.run(
      "look",
      async (signal) => {
        const begun = performance.now()
        const database = await this.index.index.openDatabase()
        const looked = await this.index.look(signal)
        this.#begun.set(looked, { begun, database })
        return looked
      },
      signal,
    )
  }

  #note(looked: Looked): void {
    this.#sound = this.#begun.get(looked)
  }

  #isFresh(): boolean {
    const sound = this.#sound
    if (!sound || this.#maxStaleness === 0) return false
    return (
      sound.database === this.index.index.database && performance.now() - sound.begun <= this.#maxStaleness
    )
  }
}
