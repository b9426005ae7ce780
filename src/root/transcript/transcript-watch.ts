// Over 400 lines: touching, hearing, settling and telling of a transcript are one sequence of events.
import { IndexFailure } from "../../database/failure.ts"
import { type WatchFolder, watchFolder } from "../../file/folder-watches.ts"
import type { Logger } from "../../logger.ts"
import { patiently } from "../../migrator/patiently.ts"
import { TimeSlice } from "../../time-slice.ts"
import { ANYTHING, changeOf, type StoreChange } from "../change.ts"
import type { RootWatch, WatchHealth } from "../root-watch.ts"
import { type ContainerAt, type FoundContainer, keyOf } from "./container.ts"
import { BASE } from "./sides.ts"
import { ToldChanges } from "./told-changes.ts"
import type { TranscriptIndex } from "./transcript-index.ts"
import { containerLook, type Sweep } from "./transcripts.ts"
import { COMPRESSED } from "./walk.ts"
import { WatchedFolders } from "./watched-folders.ts"

export interface TranscriptWatchParts {
  readonly index: TranscriptIndex
  readonly logger: Logger
  /** By default the system's. */
  readonly watch?: WatchFolder | undefined
  readonly tell: (change: StoreChange) => void
}

/** Changes within this time are taken together, in ms. */
const GATHER_MS = 20
/** The least time between two looks at one transcript: in ms, and as a multiple of what the last look took. */
const REST_MS = 100
const REST_SHARE = 3
/** How often to check that the watched folders are still those of the place, in ms. */
const CHECK_MS = 2_000
/** The least time between two sweeps: in ms, and as a multiple of what the last one took. */
const SWEEP_MS = 2_000
const SWEEP_SHARE = 20
/** More changed names or transcripts at once than this are told as one change. */
const MAX_NAMES = 4_096
const MAX_SWEPT = 100

/** A transcript that changed, or of which a change is to be told. */
interface Waiting {
  readonly at: ContainerAt
  /** Whether its files have to be looked at. */
  isTouched: boolean
  readonly heard: ToldChanges
}

/** The looks of all transcripts, by folder and name as JSON. */
type Looks = Map<string, string>

/**
 * Tells of changes to transcripts. It watches every folder and settles a transcript whose file was written. What others settle, such as a
 * listing, it hears from the index. If the system refuses or loses watches, it sweeps all transcripts.
 */
export class TranscriptWatch implements RootWatch {
  readonly #parts: TranscriptWatchParts
  readonly #folders: WatchedFolders
  readonly #abort = new AbortController()
  readonly #ready = Promise.withResolvers<void>()
  #waiting = new Map<string, Waiting>()
  /** Those of them that are being settled and told. */
  #taken: ReadonlyMap<string, Waiting> = new Map()
  /** Until when a transcript is not looked at again, ms of `performance.now()`. */
  readonly #rests = new Map<string, number>()
  /** Digests of marks under which this process wrote rows, or told of rows that another process wrote. */
  readonly #known = new Map<string, number | bigint>()
  /** Paths below the place that are not transcripts: folders, and files beside transcripts. */
  readonly #others = new Set<string>()
  #othersAt = 0
  /** The looks of all transcripts, kept while sweeps have to replace watches. */
  #looks: Looks | undefined
  #mustSweep = true
  #sweepAt: number | undefined
  /** Whether everything with rows is to be settled, and when at the earliest. */
  #mustSettle = false
  #settleAt = 0
  #state: WatchHealth["state"] = "starting"
  #reason: string | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAt = 0
  readonly #check: ReturnType<typeof setInterval>
  #running: Promise<void> | undefined

  constructor(parts: TranscriptWatchParts) {
    this.#parts = parts
    const { index, watch = watchFolder } = parts
    this.#folders = new WatchedFolders(index.transcripts, watch, (folder, name) => this.#onName(folder, name))
    index.listener = {
      changed: (at, change, isNew) => {
        // What is indexed for the first time is not news: nobody was told that it was missing.
        if (isNew && !this.#isTouched(at)) return
        if (change.type === "unknown" && index.transcripts.agent.base) this.#mustSettle = true
        const { heard } = this.#taken.get(keyOf(at)) ?? this.#await(at)
        heard.add(change)
      },
      put: (at, marks, isNew) => {
        if (!isNew || this.#isTouched(at)) this.#known.set(keyOf(at), Bun.hash(marks))
      },
    }
    this.#check = setInterval(() => this.#checkFolders(), CHECK_MS)
    this.#check.unref()
    this.#wake()
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  health(): WatchHealth {
    const reason = this.#reason
    return { state: this.#state, folders: this.#folders.size, ...(reason !== undefined && { reason }) }
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    clearTimeout(this.#timer)
    clearInterval(this.#check)
    await this.#running
    this.#parts.index.listener = undefined
    this.#folders.close()
    this.#state = "stopped"
    this.#ready.resolve()
  }

  /** The entry of a transcript, to be taken when its rest is over. */
  #await(at: ContainerAt): Waiting {
    const { folder, name } = at
    const key = keyOf(at)
    let waiting = this.#waiting.get(key)
    if (!waiting) {
      waiting = { at: { folder, name }, isTouched: false, heard: new ToldChanges() }
      this.#waiting.set(key, waiting)
    }
    this.#wake()
    return waiting
  }

  #touch(at: ContainerAt): void {
    this.#await(at).isTouched = true
  }

  #isTouched(at: ContainerAt): boolean {
    const key = keyOf(at)
    return Boolean(this.#taken.get(key)?.isTouched || this.#waiting.get(key)?.isTouched)
  }

  /** When there is something to do next, ms of `performance.now()`. */
  #nextAt(): number {
    if (this.#mustSweep) return 0
    const some: number[] = []
    if (this.#others.size > 0) some.push(this.#othersAt)
    if (this.#mustSettle) some.push(this.#settleAt)
    for (const key of this.#waiting.keys()) some.push(this.#rests.get(key) ?? 0)
    return some.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY)
  }

  #wake(): void {
    if (this.#running || this.#abort.signal.aborted) return
    const next = this.#nextAt()
    if (next === Number.POSITIVE_INFINITY) return
    const at = Math.max(next, performance.now() + GATHER_MS)
    if (this.#timer && this.#timerAt <= at) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // Not started at once: what it notices while it starts must not start another.
      this.#running = Promise.resolve()
        .then(() => this.#work())
        .finally(() => {
          this.#running = undefined
          this.#wake()
        })
    }, at - performance.now())
    this.#timer.unref()
  }

  async #work(): Promise<void> {
    try {
      if (this.#mustSweep) await this.#sweep()
      if (this.#others.size > 0 && this.#othersAt <= performance.now()) await this.#takeOthers()
      await this.#takeWaiting()
      if (this.#mustSettle && this.#settleAt <= performance.now()) await this.#settleAll()
    } catch (error) {
      if (this.#abort.signal.aborted) return
      // What was being told may have changed again.
      this.#parts.tell(ANYTHING)
      if (error instanceof IndexFailure) return
      this.#parts.logger.warn(`Watching ${this.#parts.index.transcripts.place} failed`, error)
      this.#mustSettle = true
      this.#settleAt = performance.now() + SWEEP_MS
    } finally {
      this.#taken = new Map()
    }
  }

  /** Something happened to a name in a watched folder or, without a name, to anything in it. */
  #onName(folder: string, name: string | undefined): void {
    if (name === undefined || this.#waiting.size + this.#others.size >= MAX_NAMES) {
      this.#lose("changes came faster than they could be told")
      return
    }
    const path = folder === "" ? name : `${folder}/${name}`
    const { agent } = this.#parts.index.transcripts
    const plain = path.endsWith(COMPRESSED) ? path.slice(0, -COMPRESSED.length) : path
    const container = agent.container(plain)
    if (container) {
      this.#touch({ folder, name: container.name })
      return
    }
    this.#others.add(path)
    this.#wake()
  }

  #lose(reason: string): void {
    const { place } = this.#parts.index.transcripts
    if (!this.#mustSweep) this.#parts.logger.warn(`All of ${place} is looked at again: ${reason}`)
    this.#mustSweep = true
    this.#others.clear()
    this.#waiting.clear()
    this.#wake()
  }

  /** No event tells that a link was changed. */
  #checkFolders(): void {
    if (this.#running || this.#state === "starting") return
    if (this.#state === "watching") {
      const doubt = this.#folders.doubt()
      if (doubt !== undefined) this.#lose(doubt)
    } else if (this.#sweepAt !== undefined && this.#sweepAt <= performance.now()) {
      this.#mustSweep = true
      this.#wake()
    }
  }

  /** Watches what is not watched yet and finds what changed without an event. The first time nothing is news. */
  async #sweep(): Promise<void> {
    const begun = performance.now()
    const isFirst = this.#state === "starting"
    this.#mustSweep = false
    this.#sweepAt = undefined
    const { signal } = this.#abort
    this.#reason = await this.#folders.watchAll(signal)
    const isWatching = this.#reason === undefined
    const before = this.#looks
    if (!isWatching || before) {
      const sweep = await this.#parts.index.transcripts.sweep(signal)
      const looks = looksOf(sweep)
      if (before) this.#compare(before, looks)
      this.#looks = isWatching ? undefined : looks
    }
    if (!isFirst && !before) this.#notice(undefined)
    this.#state = isWatching ? "watching" : "sweeping"
    if (!isWatching)
      this.#sweepAt = performance.now() + Math.max(SWEEP_MS, SWEEP_SHARE * (performance.now() - begun))
    this.#ready.resolve()
  }

  #compare(before: Looks, now: Looks): void {
    const changed = [...now].filter(([key, look]) => before.get(key) !== look).map(([key]) => key)
    for (const key of before.keys()) if (!now.has(key)) changed.push(key)
    this.#notice(changed.length > MAX_SWEPT ? undefined : changed)
  }

  /** Something changed without an event: these transcripts and what is beside them, or anything. */
  #notice(changed: readonly string[] | undefined): void {
    this.#mustSettle = true
    if (!changed) {
      this.#parts.tell(ANYTHING)
      return
    }
    for (const key of changed) {
      const [folder = "", name = ""] = JSON.parse(key) as string[]
      this.#touch({ folder, name })
    }
  }

  /** Looks at names that are not transcripts: folders that came or went, and small files that transcripts depend on. */
  async #takeOthers(): Promise<void> {
    const begun = performance.now()
    const slice = new TimeSlice(this.#abort.signal)
    const others = [...this.#others]
    this.#others.clear()
    const doubted: string[] = []
    const files = new Set<string>()
    for (const path of others) {
      const turn = slice.pass()
      if (turn) await turn
      const { isDoubted, isFolder } = await this.#folders.see(path, slice)
      if (isDoubted) doubted.push(path)
      if (!isFolder) files.add(path)
    }
    if (doubted.length + files.size > 0) {
      const rows = await this.#parts.index.index.read(({ transcripts }) => transcripts.looks())
      for (const row of rows) {
        if (doubted.some((path) => `${row.folder}/`.startsWith(`${path}/`))) this.#touch(row)
        if (sideNames(row).some((name) => files.has(name))) this.#mustSettle = true
      }
    }
    const now = performance.now()
    this.#othersAt = now + Math.max(REST_MS, REST_SHARE * (now - begun))
  }

  /** Settles those whose rest is over and tells the changes. */
  async #takeWaiting(): Promise<void> {
    const now = performance.now()
    for (const [key, until] of this.#rests) if (until <= now) this.#rests.delete(key)
    const due = new Map([...this.#waiting].filter(([key]) => !this.#rests.has(key)))
    for (const key of due.keys()) this.#waiting.delete(key)
    this.#taken = due
    const touched = [...due.values()].filter(({ isTouched }) => isTouched)
    if (touched.length > 0) await this.#settle(touched)
    // In sequence: a file that was moved is gone in one place and new in another.
    const told = new ToldChanges()
    for (const { heard } of due.values()) for (const change of heard.take()) told.add(change)
    for (const change of told.take()) this.#parts.tell(change)
  }

  async #settle(touched: readonly Waiting[]): Promise<void> {
    const { index } = this.#parts
    const { transcripts } = index
    let sweep = await transcripts.sweepOnly(...(await this.#withBases(touched.map(({ at }) => at))))
    const there = new Map(sweep.found.map((one) => [keyOf(one), one]))
    // Those that are gone first: their sessions may be in another container now.
    for (const waiting of touched) if (!there.has(keyOf(waiting.at))) await this.#forget(waiting)
    const slice = new TimeSlice(this.#abort.signal)
    for (const waiting of touched) {
      const key = keyOf(waiting.at)
      const container = there.get(key)
      if (!container) continue
      const begun = performance.now()
      if (await transcripts.lacksBase(container, sweep, slice)) sweep = await transcripts.sweep()
      const { hasDoubted } = await index.settle({ container, row: undefined }, sweep, {
        slice,
        patient: true,
      })
      if (hasDoubted) this.#mustSettle = true
      await this.#hearOfOthers(waiting)
      const now = performance.now()
      this.#rests.set(key, now + Math.max(REST_MS, REST_SHARE * (now - begun)))
    }
  }

  /** These and their known bases. */
  #withBases(all: readonly ContainerAt[]): Promise<readonly ContainerAt[]> {
    if (!this.#parts.index.transcripts.agent.base) return Promise.resolve(all)
    return this.#parts.index.index.read(({ transcripts }) => {
      const wanted = new Map(all.map((at) => [keyOf(at), at]))
      for (const { folder, name } of all) {
        const row = transcripts.rowOf(folder, name)
        const container = row === undefined ? undefined : transcripts.container(row)
        for (const side of container ? sideNames(container) : []) {
          const holder = side.startsWith(BASE) ? transcripts.holder(side.slice(BASE.length)) : undefined
          const base = holder && transcripts.container(holder.container)
          if (base) wanted.set(keyOf(base), base)
        }
      }
      return [...wanted.values()]
    })
  }

  async #forget({ at, heard }: Waiting): Promise<void> {
    const { index } = this.#parts
    this.#known.delete(keyOf(at))
    const row = await index.index.read(({ transcripts }) => transcripts.rowOf(at.folder, at.name))
    // If another process removed its rows, nobody knows what was in it.
    if (row === undefined) heard.add(ANYTHING)
    else if (await index.forget(row, { patient: true })) this.#mustSettle = true
    if (index.transcripts.agent.base) this.#mustSettle = true
  }

  /** If another process wrote the rows, or they were written before anybody listened, all of them may be news. */
  async #hearOfOthers({ at, heard }: Waiting): Promise<void> {
    const { marks, held } = await this.#parts.index.index.read(({ transcripts }) => {
      const row = transcripts.rowOf(at.folder, at.name)
      if (row === undefined) return { marks: "", held: [] }
      return { marks: transcripts.container(row)?.marks ?? "", held: transcripts.held(row) }
    })
    const key = keyOf(at)
    const digest = Bun.hash(marks)
    if (this.#known.get(key) === digest) return
    this.#known.set(key, digest)
    for (const { id, project } of held) {
      heard.add(changeOf(["session", project, id], "written", "other"))
      heard.add(changeOf(["message", id], "unknown", "other"))
    }
  }

  /** Looks at all transcripts and settles those whose rows may be wrong. */
  async #settleAll(): Promise<void> {
    const begun = performance.now()
    this.#mustSettle = false
    const { signal } = this.#abort
    const { index } = this.#parts
    const looked = await patiently(() => index.look(signal))
    const known = looked.unsettled.filter(({ row }) => row !== undefined)
    await index.settleAll({ ...looked, unsettled: known }, { slice: new TimeSlice(signal), patient: true })
    const now = performance.now()
    this.#settleAt = now + Math.max(SWEEP_MS, SWEEP_SHARE * (now - begun))
  }
}

function looksOf({ found }: Sweep): Looks {
  const lookOf = (one: FoundContainer): string => containerLook(one).toString("base64")
  return new Map(found.map((one) => [JSON.stringify([one.folder, one.name]), lookOf(one)]))
}

/** What a container depends on beside its own files. */
function sideNames({ sides }: { readonly sides: string }): string[] {
  return sides.length > 2 ? (JSON.parse(sides) as [string, string][]).map(([name]) => name) : []
}
