import type { RecordRow } from "../database/record-statements.ts"
import { isStoreError } from "../errors.ts"
import { isExhausted, untilAdmitted } from "../exhaustion.ts"
import { readFieldsPatiently } from "../file/fields-reader.ts"
import type { Listing } from "../file/layout.ts"
import { listRecords, namesOfFolders, placePath, recordPath, statRecord } from "../file/layout.ts"
import { faultError, lstatQuietly } from "../file/reader.ts"
import { isKnown, sameStamp } from "../file/stamp.ts"
import { DeclaredFields, type FieldValue } from "../record/fields.ts"
import { COLLECTION_KINDS, type Place } from "../record/kind.ts"
import { compareText, sortTexts } from "../record/order.ts"
import { isSyncCopy, SYNC_COPY } from "../record/sync-copy.ts"
import type { Difference, DifferenceKind, VerifyOptions, VerifyResult } from "../root/verify-result.ts"
import { TimeSlice } from "../time-slice.ts"
import { columnsOf } from "./observation.ts"
import { patiently } from "./patiently.ts"
import { type Reconciler, reconcile } from "./reconcile.ts"
import { titleDifferences } from "./verify-titles.ts"
import { foldersWithRows } from "./walk.ts"

/** Called with the path, as it was read, of each file whose name is not UTF-8. The result does not include these. */
type OnUnnamed = (path: string) => void

const PAGE_ROWS = 1_000

/** Something derived from rows or files that is kept beside the rows: how to compare it, and how to fill it anew. */
export interface Derived {
  differences(slice: TimeSlice): Promise<readonly Difference[]>
  fillAnew(slice: TimeSlice): Promise<void>
}

/**
 * Compares the whole index with the content of every file. Changes nothing unless told to repair.
 * @param texts the full-text table of messages; a layer above knows how to fill it
 * @throws IndexFailure; the signal's reason
 */
export async function verify(
  within: Reconciler,
  texts: Derived,
  options: VerifyOptions = {},
  onUnnamed: OnUnnamed = () => {},
): Promise<VerifyResult> {
  const titles: Derived = {
    differences: (slice) => titleDifferences(within, slice),
    fillAnew: () => patiently(() => within.index.write(({ fullText }) => fullText.refillTitles())),
  }
  const compare = (how: VerifyOptions, tell: OnUnnamed): Promise<VerifyResult> =>
    new Verification(within, [titles, texts], how, tell).run()
  const result = await compare(options, onUnnamed)
  if (!options.repair || result.ok) return result
  // Whether the repair worked, a second comparison tells.
  return { ...result, ok: (await compare({ signal: options.signal }, () => {})).ok }
}

class Verification {
  readonly #within: Reconciler
  readonly #derived: readonly Derived[]
  readonly #onUnnamed: OnUnnamed
  readonly #repair: boolean
  readonly #slice: TimeSlice
  readonly #differences: Difference[] = []
  readonly #checked = { session: 0, message: 0, part: 0 }
  readonly #sessionFolders = new Map<string, string[]>()

  constructor(within: Reconciler, derived: readonly Derived[], options: VerifyOptions, onUnnamed: OnUnnamed) {
    this.#within = within
    this.#derived = derived
    this.#onUnnamed = onUnnamed
    this.#repair = options.repair ?? false
    this.#slice = new TimeSlice(options.signal)
  }

  async run(): Promise<VerifyResult> {
    await this.#checkIntegrity()
    for (const kind of COLLECTION_KINDS) {
      const path = placePath(this.#within.directory, { kind, folder: "" })
      const folders = await untilAdmitted(() => namesOfFolders(this.#within.fs, path))
      for await (const folder of foldersWithRows(this.#within, kind, folders))
        await this.#checkFolder({ kind, folder })
    }
    // After the rows that they are derived from, which are repaired by now.
    for (const derived of this.#derived) {
      const differences = await derived.differences(this.#slice)
      this.#differences.push(...differences)
      if (this.#repair && differences.length > 0) await derived.fillAnew(this.#slice)
    }
    const { session, message, part } = this.#checked
    const duplicates = [...this.#sessionFolders].flatMap(([id, folders]) =>
      folders.length < 2
        ? []
        : [
            {
              id,
              paths: folders.map((folder) =>
                recordPath(this.#within.directory, { kind: "session", folder }, id),
              ),
            },
          ],
    )
    return {
      ok: this.#differences.length === 0,
      checked: { sessions: session, messages: message, parts: part },
      differences: this.#differences,
      duplicates,
    }
  }

  async #checkIntegrity(): Promise<void> {
    const { index } = this.#within
    const faults = await index.integrity()
    if (faults.length === 0) return
    this.#differences.push({ path: index.health().path ?? "", kind: "integrity" })
    if (this.#repair) index.startAnew()
  }

  async #checkFolder(place: Place): Promise<void> {
    const before = this.#differences.length
    const path = placePath(this.#within.directory, place)
    const row = await patiently(() => this.#within.index.read(({ directories }) => directories.find(place)))
    const stat = lstatQuietly(this.#within.fs, path)
    const { ids, odd, copies, unnamed } =
      stat?.kind === "directory"
        ? await untilAdmitted(() => this.#list(path))
        : { ids: [], odd: [], copies: [], unnamed: [] }
    // The index cannot have rows for these; that is no difference.
    for (const name of unnamed) this.#onUnnamed(`${path}/${name}`)
    if (
      row &&
      stat &&
      isKnown(row.stamp) &&
      sameStamp(row.stamp, row.size, stat) &&
      row.entries !== ids.length + unnamed.length
    )
      this.#differences.push({ path, kind: "wrong" })
    this.#checked[place.kind] += ids.length
    if (place.kind === "session")
      for (const id of ids)
        this.#sessionFolders.set(id, [...(this.#sessionFolders.get(id) ?? []), place.folder])
    await this.#checkRecords(place, sortTexts([...ids, ...odd, ...copies]), row?.id)
    if (this.#repair && this.#differences.length > before) await this.#mend(place)
  }

  /** Lists a folder. One that cannot be read has no names to compare. */
  #list(path: string): Pick<Listing, "ids" | "odd" | "copies" | "unnamed"> {
    try {
      const listing = listRecords(this.#within.fs, path)
      const name = listing.ids[0] ?? listing.odd[0]
      if (name !== undefined) statRecord(this.#within.fs, `${path}/${name}.json`)
      return listing
    } catch (error) {
      if (!isStoreError(error) || isExhausted(error)) throw error
      return { ids: [], odd: [], copies: [], unnamed: [] }
    }
  }

  async #checkRecords(place: Place, names: readonly string[], directory: number | undefined): Promise<void> {
    let next = 0
    for (let after = ""; directory !== undefined; ) {
      const rows = await patiently(() =>
        this.#within.index.read((statements) => statements[place.kind].rows(directory, after, PAGE_ROWS)),
      )
      for (const row of rows) {
        for (
          let name = names[next];
          name !== undefined && compareText(name, row.id) < 0;
          name = names[++next]
        )
          this.#differ(place, name, "unindexed")
        if (names[next] === row.id) {
          next++
          await this.#checkRecord(place, row)
        } else this.#differ(place, row.id, "gone")
      }
      const last = rows.at(-1)
      if (!last || rows.length < PAGE_ROWS) break
      after = last.id
    }
    for (let name = names[next]; name !== undefined; name = names[++next])
      this.#differ(place, name, "unindexed")
  }

  async #checkRecord(place: Place, row: RecordRow): Promise<void> {
    await this.#slice.pass()
    const { fs, directory, maxRecordBytes } = this.#within
    const path = recordPath(directory, place, row.id)
    const stat = lstatQuietly(fs, path)
    // The row is compared under its own declaration of fields, which may be another program's.
    const declared = typeof row.fields === "string" ? DeclaredFields.ofMark(row.fields) : undefined
    const result = isSyncCopy(row.id)
      ? { fault: SYNC_COPY }
      : await readFieldsPatiently(fs, path, maxRecordBytes, this.#slice, declared?.names)
    if ("fault" in result && result.fault.code === "EXHAUSTED") throw faultError(result.fault, path)
    const expected = columnsOf(place, result, declared)
    const columns: Record<string, unknown> = { ...row, values: undefined }
    const { values, ...plain } = { values: undefined, ...expected }
    const lacks = place.kind === "session" && row.problem === null && this.#lacksFields(row)
    if (
      !lacks &&
      Object.entries(plain).every(([name, value]) => columns[name] === value) &&
      (place.kind !== "session" || (await this.#hasValues(place, row, values ?? [])))
    )
      return
    const vouched = !lacks && stat !== undefined && isKnown(row.stamp) && sameStamp(row.stamp, row.size, stat)
    this.#differ(place, row.id, vouched ? "wrong" : "outdated")
  }

  /** Whether the next listing would read the record again, because it needs other declared fields. */
  #lacksFields(row: RecordRow): boolean {
    const { fields } = this.#within
    return fields !== undefined && row.fields !== fields.mark
  }

  /** Whether the table of declared fields holds these values of a session, and no others. */
  async #hasValues(
    { folder }: Place,
    { id, row }: RecordRow,
    values: readonly (readonly [name: string, value: FieldValue])[],
  ): Promise<boolean> {
    const found = await patiently(() => this.#within.index.read(({ fields }) => fields.of(Number(row))))
    return (
      found.length === values.length &&
      values.every(([name, value]) =>
        found.some(
          (field) =>
            field.name === name && field.value === value && field.id === id && field.project === folder,
        ),
      )
    )
  }

  #differ(place: Place, id: string, kind: DifferenceKind): void {
    this.#differences.push({ path: recordPath(this.#within.directory, place, id), kind })
  }

  /** Clears the stamps of a folder and its rows, since they vouch for what is wrong, and reconciles the folder. */
  async #mend(place: Place): Promise<void> {
    await this.#within.index.write((statements) => statements.distrust(place))
    await reconcile(this.#within, [place], { slice: this.#slice })
  }
}
