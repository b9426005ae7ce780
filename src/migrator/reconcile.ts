import type { DirectoryRow } from "../database/directory-statements.ts"
import type { RecordStamp } from "../database/record-statements.ts"
import type { SqliteIndex } from "../database/sqlite-index.ts"
import type { DeviceClock } from "../file/clock.ts"
import { type Digest, digestOf, readFields } from "../file/fields-reader.ts"
import { listRecords, type Place, placePath, statPlace } from "../file/layout.ts"
import { mayHeal, RETRY_MS } from "../file/reader.ts"
import { isKnown, isProven, packStamp, type Stamp, sameStamp } from "../file/stamp.ts"
import type { FileStat, FileSystem } from "../file/system.ts"
import { sweepTempFiles } from "../file/temp-file.ts"
import { pause, TimeSlice } from "../file/time-slice.ts"
import { compareText } from "../record/order.ts"
import { type Observation, pendingMark, putObservation } from "./observation.ts"

/** What reconciling needs; one object for all calls of a store. */
export interface Reconciler {
  readonly fs: FileSystem
  readonly directory: string
  readonly index: SqliteIndex
  readonly clock: DeviceClock
  readonly maxRecordBytes: number
  readonly readOnly: boolean
}

/** What one pass over a folder did, and the state of the index it left. */
export interface Pass {
  readonly place: Place
  /** The folder's row; `undefined` where the folder is absent, and so are its rows. */
  readonly row: { readonly id: number; readonly generation: number } | undefined
  /** Whether every row and the names were found as something from before this pass said: a stamp, or an earlier pass. */
  readonly clean: boolean
  /** How many record files were read. */
  readonly read: number
  /** What was read under stamps that prove nothing yet, by id. */
  readonly unproven: ReadonlyMap<string, Digest>
}

export interface ReconcileOptions {
  readonly slice?: TimeSlice
  /**
   * The pass before this one, of the same call. Where stamps prove nothing yet, finding the same names and the same
   * contents a second time does.
   */
  readonly earlier?: Pass | undefined
}

/** The folder, or its rows, went on changing under the reconcile. The files can answer. */
export class Unsettled extends Error {
  override readonly name = "Unsettled"
}

/** Something changed the folder or its rows since the pass began. */
class Disturbed extends Error {}

const PAGE_ROWS = 1_000
const COMMIT_ROWS = 256
const MAX_TRIES = 3

/**
 * Makes the rows of one folder equal to the folder: the one mechanism behind indexing, recovery, rebuilding and "someone
 * edited a file". Reads only what the stamps do not vouch for. Commits only on top of the generation it started from,
 * so an old scan never overwrites a newer row.
 *
 * Every stamp it stores was taken before the names or the contents were read, and after the device's clock was: so any
 * change since then leaves another stamp, or one that is not proven. No second look at the folder is needed afterwards.
 *
 * @throws Unsettled after three disturbed tries; IndexFailure; StoreError `UNREADABLE`, `NOT_A_FILE` for the folder
 */
export async function reconcile(
  within: Reconciler,
  place: Place,
  options: ReconcileOptions = {},
): Promise<Pass> {
  for (let tries = 0; tries < MAX_TRIES; tries++)
    try {
      return await new DirectoryPass(within, place, options).run()
    } catch (error) {
      if (!(error instanceof Disturbed)) throw error
    }
  throw new Unsettled(`${place.kind}/${place.folder} went on changing`)
}

/** One look at one folder. */
class DirectoryPass {
  readonly #within: Reconciler
  readonly #place: Place
  readonly #path: string
  readonly #slice: TimeSlice
  readonly #earlier: Pass | undefined
  readonly #unproven = new Map<string, Digest>()
  #row: DirectoryRow | undefined
  /** The device's clock as it was before any stat that a stored stamp comes from. */
  #now: { readonly ns: bigint | undefined } | undefined
  #firstRows: readonly RecordStamp[] = []
  #pending: Observation[] = []
  #vanished: string[] = []
  #torn: string[] = []
  #namesKnown = false
  #changes = 0
  #read = 0

  constructor(within: Reconciler, place: Place, options: ReconcileOptions) {
    this.#within = within
    this.#place = place
    this.#path = placePath(within.directory, place)
    this.#slice = options.slice ?? new TimeSlice()
    this.#earlier = options.earlier
  }

  /** @throws Disturbed */
  async run(): Promise<Pass> {
    await this.#within.index.read((statements) => {
      this.#row = statements.directories.find(this.#place)
      this.#firstRows = this.#row ? statements[this.#place.kind].stamps(this.#row.id, "", PAGE_ROWS) : []
    })
    const before = statPlace(this.#within.fs, this.#path)
    if (!before) await this.#forgetFolder()
    else if (this.#row && isKnown(this.#row.stamp) && sameStamp(this.#row.stamp, this.#row.size, before))
      await this.#checkKnownNames()
    else await this.#checkNewNames(before)
    const row = this.#row && { id: this.#row.id, generation: this.#row.generation }
    const clean = this.#changes === 0 && this.#namesKnown
    return { place: this.#place, row, clean, read: this.#read, unproven: this.#unproven }
  }

  /** The folder is not there: neither are its rows. */
  async #forgetFolder(): Promise<void> {
    const row = this.#row
    this.#namesKnown = true
    if (!row) return
    await this.#within.index.write((statements) => {
      if (statements.directories.find(this.#place)?.generation !== row.generation) throw new Disturbed()
      statements.directories.remove(row.id)
      if (this.#place.kind === "part") statements.texts.await(this.#place.folder, pendingMark())
    })
    this.#row = undefined
    this.#changes++
  }

  /** The folder's stamp vouches for the names: only the rows' own stamps are looked at. */
  async #checkKnownNames(): Promise<void> {
    this.#namesKnown = true
    for await (const rows of this.#rows())
      for (const row of rows) {
        const check = this.#check(row.id, row)
        if (check) await check
      }
    await this.#retryTorn()
    if (this.#changes === 0) return
    // A name is gone though the stamp says otherwise: it is not to be trusted again.
    if (this.#vanished.length > 0) await this.#commit({ stamp: null, size: 0, entries: 0 })
    else await this.#commit()
  }

  /** Reads the names, and compares them with the rows, both in the order of `compareText`. */
  async #checkNewNames(seen: FileStat): Promise<void> {
    const { fs, clock, readOnly } = this.#within
    this.#readClock(seen)
    const before = statPlace(fs, this.#path)
    if (!before) throw new Disturbed()
    this.#namesKnown = this.#isEarlier()
    const { ids, odd, hidden } = listRecords(fs, this.#path)
    if (!readOnly) sweepTempFiles(fs, clock, this.#path, hidden)
    const names = odd.length === 0 ? ids : [...ids, ...odd].sort(compareText)
    let next = 0
    for await (const rows of this.#rows())
      for (const row of rows) {
        for (
          let name = names[next];
          name !== undefined && compareText(name, row.id) < 0;
          name = names[++next]
        )
          await this.#check(name, undefined)
        if (names[next] === row.id) {
          next++
          await this.#check(row.id, row)
        } else this.#forget(row.id)
      }
    for (let name = names[next]; name !== undefined; name = names[++next]) await this.#check(name, undefined)
    await this.#retryTorn()
    const proven = isProven(before, this.#now?.ns)
    const knownSoFar = this.#row !== undefined && sameStamp(this.#row.stamp, this.#row.size, before)
    if (this.#changes > 0 || proven || !knownSoFar)
      await this.#commit({ stamp: packStamp(before, proven), size: before.size, entries: ids.length })
  }

  async *#rows(): AsyncGenerator<readonly RecordStamp[]> {
    const directory = this.#row?.id
    if (directory === undefined) return
    const { kind } = this.#place
    for (let page = this.#firstRows; ; ) {
      yield page
      const after = page.at(-1)?.id
      if (after === undefined || page.length < PAGE_ROWS) return
      page = await this.#within.index.read((statements) =>
        statements[kind].stamps(directory, after, PAGE_ROWS),
      )
    }
  }

  /** Compares one row with its file, and reads the file where the row's stamp does not vouch for it. */
  #check(id: string, row: RecordStamp | undefined): Promise<void> | undefined {
    const turn = this.#slice.pass()
    if (turn) return turn.then(() => this.#check(id, row))
    const path = `${this.#path}/${id}.json`
    const seen = lstat(this.#within.fs, path)
    // Nothing to wait for where nothing changed: a promise for every file would cost as much as the look at it.
    if (seen && row && this.#mayVouch(row, seen) && isKnown(row.stamp)) return undefined
    return this.#checkFurther(id, path, row, seen)
  }

  async #checkFurther(
    id: string,
    path: string,
    row: RecordStamp | undefined,
    seen?: FileStat,
  ): Promise<void> {
    if (!seen) {
      if (row) this.#forget(id)
      return
    }
    if (row && this.#mayVouch(row, seen) && (await this.#isUnchanged(id, path, seen))) return
    await this.#observe(id, path, seen)
    if (this.#pending.length >= COMMIT_ROWS) await this.#commit()
  }

  /** Whether the row was read from this version of the file, and under the same bound of size. */
  #mayVouch(row: RecordStamp, seen: FileStat): boolean {
    const tooLarge = seen.kind === "file" && seen.size > this.#within.maxRecordBytes
    return sameStamp(row.stamp, row.size, seen) && (row.problem === "TOO_LARGE") === tooLarge
  }

  /** Whether the rows are still those that the earlier pass left. */
  #isEarlier(): boolean {
    return this.#earlier !== undefined && this.#earlier.row?.generation === this.#row?.generation
  }

  /** Whether a file whose stamp proves nothing reads as it did in the earlier pass. */
  async #isUnchanged(id: string, path: string, seen: FileStat): Promise<boolean> {
    const before = this.#isEarlier() ? this.#earlier?.unproven.get(id) : undefined
    if (before === undefined) return false
    const { fs, maxRecordBytes } = this.#within
    if (digestOf(await readFields(fs, path, seen, maxRecordBytes, this.#slice)) !== before) return false
    this.#unproven.set(id, before)
    return true
  }

  #forget(id: string): void {
    this.#vanished.push(id)
    this.#changes++
  }

  async #observe(id: string, path: string, seen: FileStat): Promise<void> {
    const { fs, maxRecordBytes } = this.#within
    this.#readClock(seen)
    // The stamp is taken after the clock and before the reading: a change in between then shows as another stamp.
    const stat = lstat(fs, path) ?? seen
    const result = await readFields(fs, path, stat, maxRecordBytes, this.#slice)
    this.#changes++
    if (mayHeal(result, stat) && !this.#torn.includes(id)) this.#torn.push(id)
    else {
      this.#read++
      const proven = isProven(stat, this.#now?.ns) && !mayHeal(result, stat)
      if (!proven) this.#unproven.set(id, digestOf(result))
      this.#pending.push({ id, stamp: packStamp(stat, proven), size: stat.size, result })
    }
  }

  /** Looks again at files that may have been seen while another program was writing them. */
  async #retryTorn(): Promise<void> {
    for (const wait of RETRY_MS) {
      if (this.#torn.length === 0) return
      await pause(wait)
      const torn = this.#torn
      this.#torn = []
      for (const id of torn) await this.#check(id, undefined)
    }
    // They stay torn: from now on that is what is wrong with them.
    for (const id of this.#torn) await this.#check(id, undefined)
    this.#torn = []
  }

  /** Reads the device's clock, once a pass. */
  #readClock(stat: FileStat): void {
    if (this.#now) return
    this.#within.clock.observe(stat)
    this.#now = { ns: this.#within.clock.now(stat.device) }
  }

  /** Writes what is pending. @throws Disturbed where the rows are no longer those this pass began with */
  async #commit(settle?: { stamp: Stamp | null; size: number; entries: number }): Promise<void> {
    const { kind } = this.#place
    this.#row = await this.#within.index.write((statements) => {
      const { directories } = statements
      const current = directories.find(this.#place)
      if (current?.id !== this.#row?.id || current?.generation !== this.#row?.generation)
        throw new Disturbed()
      const id = current?.id ?? directories.create(this.#place)
      for (const observation of this.#pending) putObservation(statements, this.#place, id, observation)
      for (const gone of this.#vanished) statements[kind].remove(id, gone)
      if (kind === "part" && this.#pending.length + this.#vanished.length > 0)
        statements.texts.await(this.#place.folder, pendingMark())
      if (settle) directories.settle(id, settle.stamp, settle.size, settle.entries)
      else directories.touch(id)
      return directories.find(this.#place)
    })
    this.#pending = []
    this.#vanished = []
  }
}

function lstat(fs: FileSystem, path: string): FileStat | undefined {
  try {
    return fs.lstat(path)
  } catch {
    // Its folder lets itself be listed but not entered; the listing of that folder reports it.
    return undefined
  }
}
