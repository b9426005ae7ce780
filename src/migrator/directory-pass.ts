// Over 400 lines, because the order of these steps for one folder is what makes a listing right, and they should be read in one place.
import { type DirectoryRow, type Settlement, UNSETTLED } from "../database/directory-statements.ts"
import type { RecordStamp, StampPage } from "../database/record-statements.ts"
import type { Statements } from "../database/statements.ts"
import type { DeviceClock } from "../file/clock.ts"
import {
  digestOfFields,
  type FieldsDigest,
  type NewestFields,
  readFields,
  readNewest,
} from "../file/fields-reader.ts"
import { listRecords, placePath, recordNames, statPlace, statRecord } from "../file/layout.ts"
import { faultError, mayHeal, RETRY_MS } from "../file/reader.ts"
import { isKnown, packStamp, sameStamp } from "../file/stamp.ts"
import type { FileStat, FileSystem } from "../file/system.ts"
import { sweepTempFiles } from "../file/temp-file.ts"
import { noteWaitedFor } from "../file/torn.ts"
import type { DeclaredFields } from "../record/fields.ts"
import type { Place } from "../record/kind.ts"
import { compareText } from "../record/order.ts"
import { messageTexts } from "../record/search-text.ts"
import { isSyncCopy, SYNC_COPY } from "../record/sync-copy.ts"
import type { TrigramSet } from "../record/trigrams.ts"
import { pause, type TimeSlice } from "../time-slice.ts"
import type { ClockReading } from "./clock-reading.ts"
import { columnsOf, type Observation, rowOf } from "./observation.ts"
import type { PartsRead, PartTexts } from "./part-texts.ts"

/** What one pass over a folder did, and the state of the folder's row after it. */
export interface Pass {
  readonly place: Place
  /** The folder's row; `undefined` if the folder is absent, and its rows too. */
  readonly row: { readonly id: number; readonly generation: number } | undefined
  /** Whether the pass had nothing to change: stamps or an earlier pass had already proved every row and all names. */
  readonly clean: boolean
  /** How many record files were read. */
  readonly read: number
  /** Digests of what was read under stamps that are not proven, by id. */
  readonly unproven: ReadonlyMap<string, FieldsDigest>
}

/** Another process changed the folder or its rows since the pass began. */
export class Disturbed extends Error {
  override readonly name = "Disturbed"
}

/** What the passes of one batch share. */
export interface PassContext {
  readonly fs: FileSystem
  readonly directory: string
  readonly clock: DeviceClock
  readonly maxRecordBytes: number
  readonly readOnly: boolean
  /** The declared fields of sessions that the index must have. */
  readonly fields?: DeclaredFields | undefined
  readonly slice: TimeSlice
  readonly reading: ClockReading
  /** Collects the trigrams of parts, if they are wanted. */
  readonly trigrams?: TrigramSet | undefined
  /** Counts one more change that waits to be committed. Returns a promise to await if there are enough of them. */
  noteChange(): Promise<void> | undefined
  /** The next page of stamps of a folder's rows after an id, in the order of `compareText`. */
  rowsAfter(place: Place, directory: number, after: string): Promise<StampPage>
}

/** One look at one folder: compares it with its rows, which were loaded before, and collects what has to be committed. */
export class DirectoryPass {
  readonly place: Place
  readonly #context: PassContext
  readonly #path: string
  readonly #known: StampPage
  readonly #earlier: Pass | undefined
  readonly #unproven = new Map<string, FieldsDigest>()
  #row: DirectoryRow | undefined
  #pending: Observation[] = []
  #vanished: string[] = []
  #torn: string[] = []
  #youngestTorn: FileStat | undefined
  /** What to note about the folder itself: its stamp, or that it is gone. */
  #settlement: Settlement | "gone" | undefined
  #namesKnown = false
  #changes = 0
  #read = 0
  /** How many of the names are files. */
  #files = 0
  /** Whether the folder's count includes names that are no records. */
  #mustRecount = false
  /** Whether nothing was found under one of the names that were read. */
  #missing = false
  /** Collects the texts of a message's parts, if none of them had a row yet. */
  readonly #texts: PartTexts | undefined
  #tokens: ReturnType<PartTexts["take"]>
  /** The message's `pending` after the last commit. */
  #mark: number | undefined

  /**
   * @param row the folder's row, as it was before the look
   * @param known the first page of its records' rows, likewise
   * @param earlier the pass before this one in the same call
   */
  constructor(
    context: PassContext,
    place: Place,
    row: DirectoryRow | undefined,
    known: StampPage,
    earlier: Pass | undefined,
  ) {
    this.#context = context
    this.place = place
    this.#path = placePath(context.directory, place)
    this.#row = row
    this.#known = known
    this.#earlier = earlier
    const isNew = place.kind === "part" && row === undefined
    this.#texts = isNew && context.trigrams ? collectorOf(context.trigrams) : undefined
  }

  /** Makes the look. @throws Disturbed; StoreError `UNREADABLE`, `NOT_A_FILE` for the folder, `EXHAUSTED`; what `noteChange` throws */
  async look(): Promise<void> {
    try {
      const seen = statPlace(this.#context.fs, this.#path)
      if (!seen) this.#noteAbsent()
      else if (this.#row && isKnown(this.#row.stamp) && sameStamp(this.#row.stamp, this.#row.size, seen))
        await this.#checkKnownNames()
      else await this.#checkNewNames(seen)
    } finally {
      this.#tokens = this.#texts?.take()
    }
  }

  /** Whether the index had a row for the folder when it was last asked. */
  get isKnown(): boolean {
    return this.#row !== undefined
  }

  /** Whether something waits to be committed. */
  get isDirty(): boolean {
    return this.#settlement !== undefined || this.#pending.length + this.#vanished.length > 0
  }

  /** Whether what waits to be committed changes texts of messages. */
  get changesTexts(): boolean {
    return (
      this.place.kind === "part" &&
      (this.#settlement === "gone" || this.#pending.length > 0 || this.#vanished.length > 0)
    )
  }

  /** Whether a row of the folder is in the state that this pass began with. */
  isOnTopOf(current: Pass["row"]): boolean {
    return current?.id === this.#row?.id && current?.generation === this.#row?.generation
  }

  /** The folder's row to be made; `undefined` if it has one or is gone. */
  get toCreate(): (Settlement & { readonly name: string }) | undefined {
    if (this.#row || this.#settlement === "gone") return undefined
    return { name: this.place.folder, ...(this.#settlement ?? UNSETTLED) }
  }

  /**
   * Writes what waits, within the caller's transaction, and adds the records' rows to `rows` for the caller to put. Returns the folder's new
   * row, which `committed` takes.
   * @param created the folder's row, if it was just made from `toCreate`
   */
  put(
    statements: Statements,
    created: DirectoryRow | undefined,
    rows: ReturnType<typeof rowOf>[],
  ): DirectoryRow | undefined {
    const { directories } = statements
    const records = statements[this.place.kind]
    if (this.#settlement === "gone") {
      if (this.#row) directories.remove(this.#row.id)
      return undefined
    }
    const row = this.#row ? directories.change(this.#row, this.#settlement) : created
    if (!row) throw new Error("The folder has no row")
    for (const observation of this.#pending) rows.push(rowOf(this.place.kind, row.id, observation))
    for (const id of this.#vanished) records.remove(row.id, id)
    return row
  }

  /** Notes that what was put is committed. @param mark the new `pending` of messages whose texts changed */
  committed(row: DirectoryRow | undefined, mark: number): void {
    if (this.changesTexts) this.#mark = mark
    this.#row = row
    this.#pending = []
    this.#vanished = []
    this.#settlement = undefined
  }

  /** The tokens of a message's parts, once everything is committed; `undefined` if not all parts were read in this pass. */
  get partsRead(): PartsRead | undefined {
    if (!this.#tokens || this.#mark === undefined) return undefined
    return { message: this.place.folder, mark: this.#mark, ...this.#tokens }
  }

  /** The result of the pass, once everything is committed. */
  result(): Pass {
    const row = this.#row && { id: this.#row.id, generation: this.#row.generation }
    const clean = this.#changes === 0 && this.#namesKnown
    return { place: this.place, row, clean, read: this.#read, unproven: this.#unproven }
  }

  /** The folder does not exist, so its rows have to go. */
  #noteAbsent(): void {
    this.#namesKnown = true
    if (!this.#row) return
    this.#settlement = "gone"
    this.#changes++
  }

  /** The folder's stamp proves the names, so only the records' own stamps are checked. */
  async #checkKnownNames(): Promise<void> {
    this.#namesKnown = true
    for (let known = this.#known; ; known = await this.#rowsAfter(known)) {
      for (const row of known.rows) {
        const waiting = this.#check(row.id, row)
        if (waiting) await waiting
      }
      if (known.complete) break
    }
    if (this.#torn.length > 0) await this.#retryTorn()
    // A name is gone although the stamp said otherwise, so the stamp is not trusted any more.
    if (this.#vanished.length > 0 || this.#mustRecount)
      this.#settlement = { stamp: null, size: 0, entries: 0 }
  }

  /** Reads the names, and compares them with the rows, both in the order of `compareText`. */
  async #checkNewNames(seen: FileStat): Promise<void> {
    const { fs, clock, readOnly, reading } = this.#context
    const before = reading.precedes(seen) ? seen : statPlace(fs, this.#path)
    if (!before) throw new Disturbed()
    this.#namesKnown = this.#isEarlier()
    const { ids: names, hidden } = recordNames(fs, this.#path)
    if (!readOnly) sweepTempFiles(fs, clock, this.#path, hidden)
    let next = 0
    for (let known = this.#known; ; known = await this.#rowsAfter(known)) {
      for (const row of known.rows) {
        for (
          let name = names[next];
          name !== undefined && compareText(name, row.id) < 0;
          name = names[++next]
        ) {
          const waiting = this.#check(name, undefined)
          if (waiting) await waiting
        }
        if (names[next] === row.id) {
          next++
          const waiting = this.#check(row.id, row)
          if (waiting) await waiting
        } else await this.#forget(row.id)
      }
      if (known.complete) break
    }
    for (let name = names[next]; name !== undefined; name = names[++next]) {
      const waiting = this.#check(name, undefined)
      if (waiting) await waiting
    }
    if (this.#torn.length > 0) await this.#retryTorn()
    // A name that is not UTF-8 reads as another path, but still is that of a file.
    if (this.#missing) {
      const { ids, unnamed } = listRecords(fs, this.#path)
      this.#files = ids.length + unnamed.length
    }
    const proven = reading.provesNames(before)
    const knownSoFar = this.#row !== undefined && sameStamp(this.#row.stamp, this.#row.size, before)
    if (this.#changes > 0 || proven || !knownSoFar)
      this.#settlement = { stamp: packStamp(before, proven), size: before.size, entries: this.#files }
  }

  #rowsAfter({ rows }: StampPage): Promise<StampPage> {
    if (!this.#row) throw new Disturbed()
    return this.#context.rowsAfter(this.place, this.#row.id, rows.at(-1)?.id ?? "")
  }

  /**
   * Compares one row with its file, and reads the file if the row's stamp does not prove the row. Returns a promise only if there is
   * something to wait for: a promise for every file would cost as much as its stat.
   */
  #check(id: string, row: RecordStamp | undefined): Promise<void> | undefined {
    const turn = this.#context.slice.pass()
    if (turn) return turn.then(() => this.#check(id, row))
    const path = `${this.#path}/${id}.json`
    if (isSyncCopy(id)) return this.#checkCopy(id, path, row)
    if (!row) return this.#observe(id, path, false)
    const seen = statRecord(this.#context.fs, path)
    if (!seen) return this.#forget(id)
    if (!this.#mayVouch(row, seen)) return this.#observeAgain(id, path, seen)
    if (!isKnown(row.stamp)) return this.#checkUnproven(id, path, seen)
    this.#count(seen)
    return undefined
  }

  /** Gives a synchroniser's copy a row that says so. The file is never read. */
  #checkCopy(id: string, path: string, row: RecordStamp | undefined): Promise<void> | undefined {
    const seen = statRecord(this.#context.fs, path)
    if (!seen) {
      this.#missing ||= row === undefined
      return row && this.#forget(id)
    }
    if (row?.problem === SYNC_COPY.code) return undefined
    // An older version of the package took it for a record and counted it.
    this.#mustRecount ||= row !== undefined
    this.#changes++
    this.#pending.push({
      id,
      stamp: null,
      size: seen.size,
      columns: columnsOf(this.place, { fault: SYNC_COPY }),
    })
    return this.#context.noteChange()
  }

  /** Checks a file whose stamp is not proven: if its content is not that of the earlier pass, it is read for its row. */
  async #checkUnproven(id: string, path: string, seen: FileStat): Promise<void> {
    const before = this.#isEarlier() ? this.#earlier?.unproven.get(id) : undefined
    if (before !== undefined) {
      const { fs, maxRecordBytes, slice } = this.#context
      if (digestOfFields(await readFields(fs, path, seen, maxRecordBytes, slice)) === before) {
        this.#unproven.set(id, before)
        this.#count(seen)
        return
      }
    }
    await this.#observeAgain(id, path, seen)
  }

  /** Whether the row is from this version of the file, read with the same limit of size and for the same declared fields. */
  #mayVouch(row: RecordStamp, seen: FileStat): boolean {
    const tooLarge = seen.kind === "file" && seen.size > this.#context.maxRecordBytes
    return (
      sameStamp(row.stamp, row.size, seen) &&
      (row.problem === "TOO_LARGE") === tooLarge &&
      (this.#declared === undefined || row.problem !== null || row.fields === this.#declared.mark)
    )
  }

  /** The declared fields that rows of this folder must have. */
  get #declared(): DeclaredFields | undefined {
    return this.place.kind === "session" ? this.#context.fields : undefined
  }

  /** Whether the rows are still those that the earlier pass left. */
  #isEarlier(): boolean {
    return this.#earlier !== undefined && this.isOnTopOf(this.#earlier.row)
  }

  #count({ kind }: FileStat): void {
    if (kind === "file") this.#files++
  }

  #forget(id: string): Promise<void> | undefined {
    this.#vanished.push(id)
    this.#changes++
    return this.#context.noteChange()
  }

  #observeAgain(id: string, path: string, seen: FileStat): Promise<void> | undefined {
    this.#context.reading.precedes(seen)
    return this.#observe(id, path, true)
  }

  /** Reads a file as it is now, its stamp first, so that a change in between shows as another stamp. */
  #observe(id: string, path: string, hasRow: boolean): Promise<void> | undefined {
    const { fs, maxRecordBytes, slice } = this.#context
    const newest = readNewest(fs, path, maxRecordBytes, slice, this.#declared?.names)
    if (newest instanceof Promise) return newest.then((found) => this.#note(id, path, hasRow, found))
    return this.#note(id, path, hasRow, newest)
  }

  #note(
    id: string,
    path: string,
    hasRow: boolean,
    newest: NewestFields | undefined,
  ): Promise<void> | undefined {
    if (!newest) {
      this.#missing = true
      return hasRow ? this.#forget(id) : undefined
    }
    const { stat, result } = newest
    // This says nothing about the record, so no row may say it.
    if ("fault" in result && result.fault.code === "EXHAUSTED") throw faultError(result.fault, path)
    // A file on another device than its folder: that device's clock has to be read before the stat too.
    if (!this.#context.reading.precedes(stat)) return this.#observe(id, path, hasRow)
    this.#changes++
    const healing = mayHeal(this.#context.fs, result, stat)
    if (healing && !this.#torn.includes(id)) {
      this.#torn.push(id)
      if (!this.#youngestTorn || stat.ctimeNs > this.#youngestTorn.ctimeNs) this.#youngestTorn = stat
      return undefined
    }
    this.#read++
    this.#count(stat)
    // What the system refused to read may be readable the next time, with the same stamp.
    const refused = "fault" in result && result.fault.code === "UNREADABLE"
    const proven = !healing && !refused && this.#context.reading.proves(stat)
    if (!proven) this.#unproven.set(id, digestOfFields(result))
    // Only the columns are kept: bodies may be large, and many rows wait for one transaction.
    const columns = columnsOf(this.place, result, this.#declared)
    this.#texts?.add(result)
    const isBare = this.place.kind === "message" && "text" in result && messageTexts(result.body).length === 0
    this.#pending.push({ id, stamp: packStamp(stat, proven), size: stat.size, columns, isBare })
    return this.#context.noteChange()
  }

  /** Looks again at files that another program may have been writing. */
  async #retryTorn(): Promise<void> {
    const youngest = this.#youngestTorn
    for (const wait of RETRY_MS) {
      if (this.#torn.length === 0) return
      await pause(wait)
      const torn = this.#torn
      this.#torn = []
      for (const id of torn) await this.#check(id, undefined)
    }
    if (youngest) noteWaitedFor(this.#context.fs, youngest)
    // They stayed torn, so now their rows say so.
    for (const id of this.#torn) await this.#check(id, undefined)
    this.#torn = []
  }
}

/** Loads the module only if texts are wanted, which no listing needs. */
function collectorOf(trigrams: TrigramSet): PartTexts {
  const { PartTexts }: typeof import("./part-texts.ts") = require("./part-texts.ts")
  return new PartTexts(trigrams)
}
