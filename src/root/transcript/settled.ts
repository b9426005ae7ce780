import type { Statements } from "../../database/statements.ts"
import type { ContainerRow } from "../../database/transcript-statements.ts"
import type { Logger } from "../../logger.ts"
import { patiently } from "../../migrator/patiently.ts"
import { TimeSlice } from "../../time-slice.ts"
import { JoinedRuns } from "../json/joined-runs.ts"
import type { Problem } from "../problem-log.ts"
import { type FoundContainer, modifiedAt, prefixesOf } from "./container.ts"
import { EarlyPages } from "./early-pages.ts"
import { areOf } from "./kept-folds.ts"
import type { Looked, SettleAllOptions, SettledReading, Unsettled } from "./settling.ts"
import { BASE, isAlone } from "./sides.ts"
import type { TranscriptIndex } from "./transcript-index.ts"
import type { Sweep } from "./transcripts.ts"

/** Containers that are settled between two checks whether these are enough. */
const SETTLED_AT_ONCE = 8
/** How often one question may sweep again while files are being moved. */
const MAX_LOOKS = 3
/** The most sessions that are remembered. */
const MAX_CHECKED = 1_000

/** When everything was last settled. */
interface Sound {
  readonly begun: number
  readonly database: string
}

/** The state to which a session's container was settled. */
interface Proven extends SettledReading {
  readonly session: string
}

/** The container of a session. */
interface Holder {
  readonly container: FoundContainer
  readonly row: number
  readonly reading: ContainerRow
  readonly sweep: Sweep
  readonly isSettled: boolean
  /** Whether it depends on nothing besides its own files. */
  readonly isAlone: boolean
}

/** One sweep, and what of it is not settled yet. */
interface Glance extends Sound {
  readonly looked: Looked
  readonly left: Set<Unsettled>
  /** Whether something of it was gone when it was to be read. */
  hasLost: boolean
}

/** Makes sure that rows equal their files at some moment after the question was asked. */
export class Settled {
  readonly index: TranscriptIndex
  readonly early: EarlyPages
  readonly #maxStaleness: number
  readonly #runs = new JoinedRuns<Glance>()
  /** Questions about one moment share one sweep. */
  readonly #moments = new WeakMap<object, Promise<Glance>>()
  #sound: Sound | undefined
  /** By session that was asked for: its container, and the version at which the rows equalled it. */
  readonly #checked = new Map<string, { readonly version: string; readonly container: FoundContainer }>()
  #refused: readonly Problem[] = []
  /** By question: a container that is too young for its stamp to prove anything, and was proven by reading it. */
  readonly #proven = new WeakMap<object, Proven>()

  constructor(index: TranscriptIndex, maxStaleness: number, logger: Logger) {
    this.index = index
    const onRefused = (refused: readonly Problem[]): void => {
      this.#refused = refused
    }
    this.early = new EarlyPages(index, onRefused, logger)
    this.#maxStaleness = maxStaleness
  }

  get place(): string {
    return this.index.transcripts.place
  }

  /** What the last sweep could not look into. */
  get refused(): readonly Problem[] {
    return this.#refused
  }

  read<T>(work: (statements: Statements) => T): Promise<T> {
    return this.index.index.read(work)
  }

  /**
   * Settles everything that was found, however long that takes.
   * @param onSettled called with the number of containers that are done, and of all
   * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
   */
  async all({
    signal,
    moment,
    slice = new TimeSlice(signal),
    onSettled,
    intake,
    patient,
  }: SettleOptions = {}): Promise<void> {
    if (this.#isFresh()) return
    await this.#looking({ signal, moment, patient }, async (glance) => {
      const total = glance.left.size
      await this.#settle(glance, [...glance.left], {
        slice,
        intake,
        patient,
        onSettled: () => onSettled?.(total - glance.left.size, total),
      })
    })
  }

  /**
   * Settles what a listing by time needs, the newest first, until `isEnough`.
   * @param isEnough whether no session updated at or before `time`, ms, can change the answer
   * @throws as `all`
   */
  async newest(
    isEnough: (time: number) => Promise<boolean>,
    { signal, moment }: Pick<SettleOptions, "signal" | "moment">,
  ): Promise<void> {
    if (this.#isFresh()) return
    const slice = new TimeSlice(signal)
    await this.#looking({ signal, moment }, (glance) => this.#settleNewest(glance, isEnough, slice))
  }

  async #settleNewest(
    glance: Glance,
    isEnough: (time: number) => Promise<boolean>,
    slice: TimeSlice,
  ): Promise<void> {
    // Rows that may be wrong would show in the answer; containers without rows do not.
    await this.#settle(
      glance,
      [...glance.left].filter(({ row }) => row !== undefined),
      { slice },
    )
    const unknown = [...glance.left]
      .map((one) => ({ one, modified: modifiedAt(one.container) }))
      .sort((a, b) => b.modified - a.modified)
    for (let start = 0; start < unknown.length; start += SETTLED_AT_ONCE) {
      const some = unknown.slice(start, start + SETTLED_AT_ONCE)
      // No session counts as newer than its file.
      if (await isEnough(some[0]?.modified ?? 0)) return
      await this.#settle(
        glance,
        some.map(({ one }) => one),
        { slice },
      )
    }
  }

  /** Whether an earlier answer of the same moment, from before there was an index, had none of these sessions. */
  holdsNone(ids: readonly string[], moment: object | undefined): boolean {
    const sweep = this.early.sweepOf(moment)
    return sweep !== undefined && !sweep.found.some((one) => ids.some((id) => mayHold(one, id)))
  }

  /** Settles every container that may hold one of these sessions. @throws as `all` */
  async holding(
    ids: readonly string[],
    { signal, moment }: Pick<SettleOptions, "signal" | "moment"> = {},
  ): Promise<void> {
    if (this.#isFresh()) return
    await this.#looking({ signal, moment }, async (glance) => {
      const concerned = [...glance.left].filter(
        ({ container, row }) => row !== undefined || ids.some((id) => mayHold(container, id)),
      )
      await this.#settle(glance, concerned, { slice: new TimeSlice(signal) })
    })
  }

  /**
   * Reads rows of a session after making sure that they equal its files.
   * @param question as in the range of a listing
   * @throws as `all`
   */
  async of<T>(id: string, work: (statements: Statements) => T, question?: object): Promise<T> {
    const still = await this.ifStill(id, work)
    if (still) return still.said
    await this.session(id, question)
    return this.read(work)
  }

  /** Reads rows of a session if neither they nor its files have changed since they were found equal; else `undefined`. @throws as `all` */
  async ifStill<T>(id: string, work: (statements: Statements) => T): Promise<{ said: T } | undefined> {
    const checked = this.#checked.get(id)
    if (!checked) return undefined
    // Files with the same look after the rows were read had it while they were read, too.
    const { version, said } = await this.index.atVersion(work)
    const isStill = version === checked.version && this.isAsFound(checked.container)
    return isStill ? { said } : undefined
  }

  /** The container of a session as it was when its rows were found equal to it; `undefined` if that is not known. */
  foundAs(id: string): FoundContainer | undefined {
    return this.#checked.get(id)?.container
  }

  /** Whether a container is known to be as it was found. @throws StoreError `EXHAUSTED` */
  isAsFound(container: FoundContainer): boolean {
    return this.index.transcripts.isAsFound(container)
  }

  /**
   * Settles the container of a session or, if that is not known, all that may hold it.
   * @param question as in the range of a listing
   * @throws as `all`
   */
  async session(id: string, question?: object): Promise<void> {
    if (this.#isFresh()) return
    const version = await this.index.version()
    const checked = this.#checked.get(id)
    if (checked?.version === version && this.isAsFound(checked.container)) return
    this.#checked.delete(id)
    const known = await this.#holder(id)
    if (!known) return this.holding([id])
    const { container, row, sweep, isSettled, isAlone } = known
    if (isSettled) {
      if (!isAlone) return
      if (this.#checked.size >= MAX_CHECKED) this.#checked.clear()
      this.#checked.set(id, { version, container })
      return
    }
    const proven = question && this.#proven.get(question)
    if (proven?.session === id && this.#isStill(proven, known)) return
    const { hasDoubted, isGone, reached } = await this.index.settle({ container, row }, sweep, {
      slice: new TimeSlice(),
    })
    if (hasDoubted || isGone) await this.holding([id])
    if (question && reached) this.#proven.set(question, { ...reached, session: id })
  }

  /** Whether a proof by reading still holds. Only a change within one tick of the clock could have kept the same look. */
  #isStill(proven: Proven, { container, reading, sweep }: Holder): boolean {
    // Once its stamp proves something, the proof by reading is not needed.
    if (sweep.isProven(container) || !areOf(reading, proven)) return false
    return this.index.isSettled(container, { ...reading, look: proven.look }, sweep)
  }

  /** Whether the rows of a session's container are known to equal its files. @throws IndexFailure; StoreError `EXHAUSTED` */
  async isSound(id: string): Promise<boolean> {
    const known = await this.#holder(id)
    if (known) return known.isSettled
    const row = await this.read(({ transcripts }) => transcripts.holder(id)?.container)
    const { left } = await this.#glance(undefined, undefined)
    return row !== undefined && [...left].every((one) => one.row !== row)
  }

  /** The container of a session as it is now; `undefined` if only a sweep can tell. */
  async #holder(id: string): Promise<Holder | undefined> {
    const holder = await this.read(({ transcripts }) => {
      const row = transcripts.holder(id)?.container
      return row === undefined ? undefined : { row, container: transcripts.container(row) }
    })
    const row = holder?.container
    if (!holder || !row || row.sides.includes(`"${BASE}`)) return undefined
    const sweep = await this.index.transcripts.sweepOnly(row)
    const [container] = sweep.found
    if (!container) return undefined
    return {
      container,
      row: holder.row,
      reading: row,
      sweep,
      isSettled: this.index.isSettled(container, row, sweep),
      isAlone: isAlone(row.sides),
    }
  }

  /**
   * Settles everything if that is little work.
   * @param since a sweep that began after this is good enough, ms of `performance.now()`
   * @returns the index's database if everything is settled in it
   * @throws as `all`
   */
  async few(most: number, since = Number.POSITIVE_INFINITY): Promise<string | undefined> {
    const sound = this.#sound
    if (sound && sound.begun >= since && sound.database === this.index.index.database) return sound.database
    const glance = await this.#glance(undefined, undefined)
    if (glance.left.size > most) return undefined
    await this.#settle(glance, [...glance.left], { slice: new TimeSlice() })
    return glance.hasLost ? undefined : glance.database
  }

  /**
   * Looks at everything and works on what was found; once more where something of it was moved before it was read, or others put rows
   * that are not of it.
   */
  async #looking(
    { signal, moment, patient }: Pick<SettleOptions, "signal" | "moment" | "patient">,
    work: (glance: Glance) => Promise<void>,
  ): Promise<void> {
    for (let looks = 1; ; looks++) {
      const look = (): Promise<Glance> => this.#glance(signal, moment)
      const glance = await (patient ? patiently(look) : look())
      await work(glance)
      if (looks === MAX_LOOKS || (!glance.hasLost && (await this.index.areRowsOf(glance.looked)))) return
      if (moment) this.#moments.delete(moment)
    }
  }

  async #glance(signal: AbortSignal | undefined, moment: object | undefined): Promise<Glance> {
    const known = moment && this.#moments.get(moment)
    if (known) return known
    const glance = this.#runs.run(
      "look",
      async (signal) => {
        const begun = performance.now()
        const database = await this.index.index.openDatabase()
        const looked = await this.index.look(signal)
        this.#refused = looked.sweep.refused
        return { begun, database, looked, left: new Set(looked.unsettled), hasLost: false }
      },
      signal,
    )
    if (moment) {
      this.#moments.set(moment, glance)
      glance.catch(() => this.#moments.delete(moment))
    }
    return glance
  }

  async #settle(glance: Glance, some: readonly Unsettled[], options: SettleAllOptions): Promise<void> {
    const { looked, left, begun, database } = glance
    const onSettled = (one: Unsettled): void => {
      left.delete(one)
      options.onSettled?.(one)
    }
    if (!(await this.index.settleAll({ ...looked, unsettled: some }, { ...options, onSettled })))
      glance.hasLost = true
    if (left.size === 0 && !glance.hasLost) this.#sound = { begun, database }
  }

  #isFresh(): boolean {
    const sound = this.#sound
    if (!sound || this.#maxStaleness === 0) return false
    return (
      sound.database === this.index.index.database && performance.now() - sound.begun <= this.#maxStaleness
    )
  }
}

/** How everything is settled. */
export interface SettleOptions extends Pick<SettleAllOptions, "intake" | "patient"> {
  readonly signal?: AbortSignal | undefined
  /** Questions that share it are answered from one look at the files. */
  readonly moment?: object | undefined
  readonly slice?: TimeSlice
  readonly onSettled?: ((done: number, total: number) => void) | undefined
}

/** Whether a container may hold a session of that id, by the names of its files. */
function mayHold({ files }: FoundContainer, id: string): boolean {
  return files.some(({ name }) => prefixesOf(name)?.some((prefix) => id.startsWith(prefix)) ?? true)
}
