import type { DirectoryRow } from "../database/directory-statements.ts"
import type { StampPage } from "../database/record-statements.ts"
import type { SqliteIndex } from "../database/sqlite-index.ts"
import type { Statements } from "../database/statements.ts"
import { isStoreError, type StoreError } from "../errors.ts"
import { isExhausted } from "../exhaustion.ts"
import type { DeviceClock } from "../file/clock.ts"
import type { FileSystem } from "../file/system.ts"
import type { DeclaredFields } from "../record/fields.ts"
import type { CollectionKind, Place } from "../record/kind.ts"
import { TimeSlice } from "../time-slice.ts"
import { ClockReading } from "./clock-reading.ts"
import { DirectoryPass, Disturbed, type Pass, type PassContext } from "./directory-pass.ts"
import { pendingMark, type rowOf } from "./observation.ts"
import type { PartTextIntake } from "./part-texts.ts"
import { patiently } from "./patiently.ts"

/** What reconciling needs. One object serves all calls of a store. */
export interface Reconciler {
  readonly fs: FileSystem
  readonly directory: string
  readonly index: SqliteIndex
  readonly clock: DeviceClock
  readonly maxRecordBytes: number
  readonly readOnly: boolean
  /** The declared fields of sessions that the index must have. */
  readonly fields?: DeclaredFields | undefined
}

export interface ReconcileOptions {
  readonly slice?: TimeSlice
  /**
   * The passes before these in the same call, by `placeName`. If a stamp is not proven yet, finding the same names and contents a second
   * time proves them.
   */
  readonly earlier?: ReadonlyMap<string, Pass>
  /** Takes the tokens of parts that are read for the first time. */
  readonly texts?: PartTextIntake | undefined
  /** Whether to wait while other processes keep the index busy, because nobody waits for the answer. */
  readonly patient?: boolean
  /**
   * Called for a folder that cannot be reconciled, instead of throwing; the other folders go on.
   * @param known whether the index has a row for it
   */
  readonly onFault?: (place: Place, fault: StoreError | Unsettled, known: boolean) => void
}

/** Folders or their rows kept changing, so no state could be proven. The files can answer. */
export class Unsettled extends Error {
  override readonly name = "Unsettled"
}

const PAGE_ROWS = 2_048
const COMMIT_ROWS = 512
const MAX_TRIES = 3

/** A place as the key of a map. */
export function placeName({ kind, folder }: Place): string {
  return `${kind}/${folder}`
}

/**
 * Makes the rows of folders equal to the folders: the one mechanism behind indexing, recovery, rebuilding and "someone edited a file".
 * Reads only what the stamps do not prove. Commits only on top of the generation it started from, so an old scan never overwrites a newer
 * row. Rows are loaded, clocks read and changes committed for many folders at once, since each of these costs as much as several stats.
 *
 * Every stamp that it stores was taken after the device's clock was read, and before the names or contents were. So any later change
 * leaves another stamp, or the stamp is not proven. No second look at the folder is needed.
 *
 * @returns a pass for each place, in order, without those that went to `onFault`
 * @throws Unsettled after three disturbed tries; IndexFailure; StoreError `UNREADABLE`, `NOT_A_FILE` for a folder; `EXHAUSTED`, which is
 * thrown even with `onFault`
 */
export async function reconcile(
  within: Reconciler,
  places: readonly Place[],
  options: ReconcileOptions = {},
): Promise<readonly Pass[]> {
  const done = new Map<Place, Pass>()
  let left = places
  for (let tries = 0; tries < MAX_TRIES && left.length > 0; tries++)
    left = await new Batch(within, options).run(left, done)
  for (const place of left) {
    const fault = new Unsettled(`${placeName(place)} went on changing`)
    if (!options.onFault) throw fault
    options.onFault(place, fault, true)
  }
  return places.flatMap((place) => done.get(place) ?? [])
}

/** One look at several folders. */
class Batch {
  readonly #within: Reconciler
  readonly #options: ReconcileOptions
  /** The passes so far, the current one included. */
  readonly #passes: DirectoryPass[] = []
  readonly #disturbed = new Set<DirectoryPass>()
  #waiting = 0

  constructor(within: Reconciler, options: ReconcileOptions) {
    this.#within = within
    this.#options = options
  }

  /** Looks at all places. Returns those that were disturbed; the passes of the others are put into `done`. */
  async run(places: readonly Place[], done: Map<Place, Pass>): Promise<Place[]> {
    const disturbed: Place[] = []
    for (const pass of await this.#load(places)) {
      this.#passes.push(pass)
      try {
        await pass.look()
      } catch (error) {
        this.#passes.pop()
        if (error instanceof Disturbed) disturbed.push(pass.place)
        else if (this.#options.onFault && isStoreError(error) && !isExhausted(error))
          this.#options.onFault(pass.place, error, pass.isKnown)
        else throw error
      }
      if (this.#waiting >= COMMIT_ROWS) await this.#commit()
    }
    await this.#commit()
    const read = this.#passes.flatMap((pass) => (this.#disturbed.has(pass) ? [] : (pass.partsRead ?? [])))
    if (read.length > 0) await this.#options.texts?.take(read)
    for (const pass of this.#passes)
      if (this.#disturbed.has(pass)) disturbed.push(pass.place)
      else done.set(pass.place, pass.result())
    return disturbed
  }

  /** Loads the rows of all places up to one page; a pass asks for its remaining rows itself. */
  async #load(places: readonly Place[]): Promise<DirectoryPass[]> {
    const { within, slice } = { within: this.#within, slice: this.#options.slice ?? new TimeSlice() }
    const context: PassContext = {
      ...within,
      slice,
      reading: new ClockReading(within.clock),
      trigrams: this.#options.texts?.trigrams,
      noteChange: () => this.#noteChange(),
      rowsAfter: (place, directory, after) => this.#rowsAfter(place, directory, after),
    }
    const { rows, known } = await this.#read((statements) => loadRows(statements, places, within.fields))
    return places.map((place) => {
      const row = rows.get(placeName(place))
      const records = (row && known.get(row.id)) ?? { rows: [], complete: true }
      return new DirectoryPass(context, place, row, records, this.#options.earlier?.get(placeName(place)))
    })
  }

  async #rowsAfter({ kind }: Place, directory: number, after: string): Promise<StampPage> {
    const marked = isMarked(kind, this.#within.fields)
    const rows = await this.#read((statements) =>
      statements[kind].stamps(directory, after, PAGE_ROWS, marked),
    )
    return { rows, complete: rows.length < PAGE_ROWS }
  }

  #noteChange(): Promise<void> | undefined {
    if (++this.#waiting < COMMIT_ROWS) return undefined
    const current = this.#passes.at(-1)
    return this.#commit().then(() => {
      if (current && this.#disturbed.has(current)) throw new Disturbed()
    })
  }

  /** Commits what waits, except for passes whose rows are no longer those they began with. */
  async #commit(): Promise<void> {
    const dirty = this.#passes.filter((pass) => pass.isDirty && !this.#disturbed.has(pass))
    this.#waiting = 0
    if (dirty.length === 0) return
    const mark = pendingMark(true)
    const { put, disturbed } = await this.#write((statements) => {
      const current = findRows(
        statements,
        dirty.map(({ place }) => place),
      )
      const still = dirty.filter((pass) => pass.isOnTopOf(current.get(placeName(pass.place))))
      const put = [...Map.groupBy(still, (pass) => pass.place.kind)].flatMap(([kind, same]) =>
        putPasses(statements, kind, same),
      )
      const texts = still.filter((pass) => pass.changesTexts).map(({ place }) => place.folder)
      if (texts.length > 0) statements.texts.await(texts, mark)
      return { put, disturbed: dirty.filter((pass) => !still.includes(pass)) }
    })
    for (const { pass, row } of put) pass.committed(row, mark)
    for (const pass of disturbed) this.#disturbed.add(pass)
  }

  #read<T>(work: (statements: Statements) => T): Promise<T> {
    const { index } = this.#within
    return this.#options.patient ? patiently(() => index.read(work)) : index.read(work)
  }

  #write<T>(work: (statements: Statements) => T): Promise<T> {
    const { index } = this.#within
    return this.#options.patient ? patiently(() => index.write(work)) : index.write(work)
  }
}

/** Writes what waits in passes over folders of one kind. Returns each pass with its folder's new row. */
function putPasses(statements: Statements, kind: CollectionKind, passes: readonly DirectoryPass[]) {
  const created = statements.directories.createAll(
    kind,
    passes.flatMap((pass) => pass.toCreate ?? []),
  )
  const rows: ReturnType<typeof rowOf>[] = []
  const put = passes.map((pass) => ({
    pass,
    row: pass.put(statements, created.get(pass.place.folder), rows),
  }))
  statements[kind].put(rows)
  return put
}

function findRows(statements: Statements, places: readonly Place[]): Map<string, DirectoryRow> {
  const rows = new Map<string, DirectoryRow>()
  for (const [kind, same] of Map.groupBy(places, (place) => place.kind))
    for (const row of statements.directories.findAll(
      kind,
      same.map(({ folder }) => folder),
    ))
      rows.set(placeName({ kind, folder: row.name }), row)
  return rows
}

/** Whether rows of that kind have to be checked against the mark of the declared fields. */
function isMarked(kind: CollectionKind, fields: DeclaredFields | undefined): boolean {
  return kind === "session" && fields !== undefined
}

function loadRows(statements: Statements, places: readonly Place[], fields: DeclaredFields | undefined) {
  const rows = findRows(statements, places)
  const known = new Map<number, StampPage>()
  for (const [kind, same] of Map.groupBy(places, (place) => place.kind)) {
    const ids = same.flatMap((place) => rows.get(placeName(place))?.id ?? [])
    for (const [id, page] of statements[kind].firstStamps(ids, PAGE_ROWS, isMarked(kind, fields)))
      known.set(id, page)
  }
  return { rows, known }
}
