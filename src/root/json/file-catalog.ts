import { isStoreError } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { readFieldsPatiently } from "../../file/fields-reader.ts"
import type { Listing } from "../../file/layout.ts"
import { listFolders, listRecords, placePath, recordPath, statPlace, UNNAMED } from "../../file/layout.ts"
import { type Fault, faultError, type ReadRecord, type ReadResult, readRecord } from "../../file/reader.ts"
import type { FileSystem } from "../../file/system.ts"
import { isJsonObject, type JsonObject, messageFields, sessionFields } from "../../record/extract.ts"
import { type Field, type FieldValue, fieldValue, MISSING, positionOf } from "../../record/fields.ts"
import type { Place } from "../../record/kind.ts"
import { comparePosition, type Position } from "../../record/order.ts"
import { partsInOrder } from "../../record/part-order.ts"
import { fieldsAsked, matchesFields, type SessionQuery } from "../../record/query.ts"
import { SYNC_COPY } from "../../record/sync-copy.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import type { ProblemLog } from "../problem-log.ts"
import { type FoundSession, isNewer, matchesSession } from "../scanned/scanned-catalog.ts"

/** What reading records needs. One object serves all calls of a store. */
export interface RecordFiles {
  readonly fs: FileSystem
  readonly directory: string
  readonly maxRecordBytes: number
  readonly problems: ProblemLog
  /** Versions of records that this store has accepted and not written yet. */
  readonly unwritten: {
    newest(path: string): ReadRecord | undefined
    /** Called with what a caller got when it read one record by id; `undefined` if there was no file. */
    noteRead?(path: string, text: string | undefined): void
  }
  /** Says that a record could not be read although a listing may have named it, so that the next listing reads it anew. */
  doubt(place: Place, id: string): Promise<void>
  /** The real path of a path, which differs in the older layout. */
  locate(path: string): string
}

/** `unwritten` for a folder that the store does not write to. */
export const NOTHING_UNWRITTEN: RecordFiles["unwritten"] = { newest: () => undefined }

/** Reads a record as this store last wrote it, whether that is on the disk or not. */
export async function readPresent(files: RecordFiles, path: string): Promise<ReadResult> {
  const record = files.unwritten.newest(path)
  return record ? { record } : readRecord(files.fs, path, files.maxRecordBytes)
}

/** As `readPresent`, for a caller that asked for this record by id. Its next version may be made from that, so the read is noted. */
export async function readAsked(files: RecordFiles, path: string): Promise<ReadResult> {
  const record = files.unwritten.newest(path)
  if (record) return { record }
  const result = await readRecord(files.fs, path, files.maxRecordBytes)
  if ("record" in result) files.unwritten.noteRead?.(path, result.record.text)
  else if (result.fault.code === "NOT_FOUND") files.unwritten.noteRead?.(path, undefined)
  return result
}

const RUN_LENGTH = 256

interface ValuedSession extends FoundSession {
  /** The values of the declared fields that the query needs, by name. */
  readonly values: ReadonlyMap<string, FieldValue>
}

/** A catalog that reads the files for every question. Slow and always right. During a call it keeps fields, not bodies. */
export class FileCatalog implements Catalog {
  readonly #files: RecordFiles

  constructor(files: RecordFiles) {
    this.#files = files
  }

  async sessions(query: SessionQuery, range: Range): Promise<readonly SessionEntry[]> {
    const { after } = range
    const found = await this.#matchingSessions(query, range.signal)
    const sign = query.direction === "asc" ? 1 : -1
    const entries = found
      .map(({ id, project, fields, values }) => ({
        ...(query.by
          ? positionOf(values.get(query.by.name) ?? MISSING, id)
          : { id, time: fields[query.order] }),
        project,
      }))
      .filter((entry) => !after || sign * comparePosition(entry, after) > 0)
      .sort((a, b) => sign * comparePosition(a, b))
    return range.limit === undefined ? entries : entries.slice(0, range.limit)
  }

  async countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return (await this.#matchingSessions(query, signal)).length
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { signal }: Pick<Range, "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    const found = await this.#newest(projectID, [], signal, new Set(ids))
    return new Map([...found].map(([id, { project, fields }]) => [id, { project, updated: fields.updated }]))
  }

  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    const { after } = range
    const sign = direction === "asc" ? 1 : -1
    const entries: Position[] = []
    for await (const { id, body } of readable(
      this.#files,
      { kind: "message", folder: sessionID },
      range.signal,
    )) {
      const entry = { id, time: messageFields(body).created }
      if (!after || sign * comparePosition(entry, after) > 0) entries.push(entry)
    }
    entries.sort((a, b) => sign * comparePosition(a, b))
    const end = Math.min(entries.length, range.limit ?? entries.length)
    for (let start = 0; start < end; start += RUN_LENGTH)
      yield entries.slice(start, Math.min(end, start + RUN_LENGTH))
  }

  async countMessages(sessionID: string): Promise<number> {
    const place: Place = { kind: "message", folder: sessionID }
    return (await untilAdmitted(() => countedNames(this.#files, place))).length
  }

  async withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(messageIDs)
  }

  async guessFolder(): Promise<undefined> {
    return undefined
  }

  async #matchingSessions(query: SessionQuery, signal?: AbortSignal): Promise<ValuedSession[]> {
    const newest = await this.#newest(query.projectID, fieldsAsked(query), signal)
    return [...newest.values()].filter(
      ({ fields, values }) => matchesSession(fields, query) && matchesFields(values, query),
    )
  }

  /** The copy that counts of each session, or of each `wanted` one, with the values of the `asked` fields. */
  async #newest(
    projectID: string | undefined,
    asked: readonly Field[],
    signal?: AbortSignal,
    wanted?: ReadonlySet<string>,
  ): Promise<Map<string, ValuedSession>> {
    const newest = new Map<string, ValuedSession>()
    const names = asked.map(({ name }) => name)
    const projects =
      projectID === undefined ? await untilAdmitted(() => folderNames(this.#files, "session")) : [projectID]
    for (const project of projects) {
      const place: Place = { kind: "session", folder: project }
      for await (const { id, body } of readable(this.#files, place, signal, wanted, names)) {
        const values = new Map(asked.map((field) => [field.name, fieldValue(body, field)]))
        const session = { id, project, fields: sessionFields(body), values }
        const copy = newest.get(id)
        if (!copy || isNewer(session, copy)) newest.set(id, session)
      }
    }
    return newest
  }
}

/** Yields the readable records of a folder in the order of their ids. Others are reported and skipped. @throws StoreError `EXHAUSTED` */
async function* readable(
  files: RecordFiles,
  place: Place,
  signal?: AbortSignal,
  wanted?: ReadonlySet<string>,
  more?: readonly string[],
): AsyncGenerator<{ id: string; body: JsonObject }> {
  const slice = new TimeSlice(signal)
  for (const id of await untilAdmitted(() => recordIds(files, place))) {
    if (wanted && !wanted.has(id)) continue
    const turn = slice.pass()
    if (turn) await turn
    const path = recordPath(files.directory, place, id)
    const result = await readFieldsPatiently(files.fs, path, files.maxRecordBytes, slice, more)
    if ("body" in result) yield { id, body: result.body }
    else if (result.fault.code !== "NOT_FOUND") report(files, path, result.fault)
  }
}

/** Reports a record's fault. @throws StoreError `EXHAUSTED`, which is no fault of the record */
export function report(files: RecordFiles, path: string, fault: Fault): void {
  const { code, message } = fault
  if (code === "EXHAUSTED") throw faultError(fault, files.locate(path))
  files.problems.report({ path, code, message })
}

/** The object in a record's file; otherwise `undefined` and, unless the file is gone, a report. @throws StoreError `EXHAUSTED` */
export function bodyOf(files: RecordFiles, path: string, result: ReadResult): JsonObject | undefined {
  if ("fault" in result) {
    if (result.fault.code !== "NOT_FOUND") report(files, path, result.fault)
    return undefined
  }
  const { value } = result.record
  if (isJsonObject(value)) return value
  files.problems.report({ path, code: "CORRUPT", message: "The file's JSON is not an object" })
  return undefined
}

/**
 * The ids of a folder's records, readable or not, in the order of `compareText`. Odd entries are reported, and so is a folder that cannot
 * be listed. @throws StoreError `EXHAUSTED`
 */
export function recordIds(files: RecordFiles, place: Place): string[] {
  return reporting(files, () => listPlace(files, place), NOTHING).ids
}

/** The names that counts include: the ids of a folder's records, and names that are not UTF-8. @throws StoreError `EXHAUSTED` */
export function countedNames(files: RecordFiles, place: Place): string[] {
  const { ids, unnamed } = reporting(files, () => listPlace(files, place), NOTHING)
  return unnamed.length === 0 ? ids : [...ids, ...unnamed]
}

const NOTHING: Listing = { ids: [], odd: [], copies: [], hidden: [], unnamed: [] }

/** As `recordIds`. @throws StoreError `UNREADABLE`, `NOT_A_FILE` for a folder that cannot be listed; `EXHAUSTED` */
export function listedIds(files: RecordFiles, place: Place): string[] {
  return listPlace(files, place).ids
}

function listPlace(files: RecordFiles, place: Place): Listing {
  const path = placePath(files.directory, place)
  if (!statPlace(files.fs, path)) return NOTHING
  const listing = reportUnnamed(files, path, listRecords(files.fs, path))
  for (const id of listing.odd)
    files.problems.report({
      path: recordPath(files.directory, place, id),
      code: "NOT_A_FILE",
      message: "Something else lies where a record should be",
    })
  for (const name of listing.copies)
    files.problems.report({ path: recordPath(files.directory, place, name), ...SYNC_COPY })
  return listing
}

/** As `recordIds`, for a message's parts, in the order they were made. */
export function partIds(files: RecordFiles, messageID: string): string[] {
  return partsInOrder(recordIds(files, { kind: "part", folder: messageID }))
}

/**
 * The folders of one kind, in the order of `compareText`. Links among them are reported, and so is a kind that cannot be listed.
 * @throws StoreError `EXHAUSTED`
 */
export function folderNames(files: RecordFiles, kind: Place["kind"]): string[] {
  return reporting(files, () => listedFolders(files, kind), [])
}

/** As `folderNames`. @throws StoreError `UNREADABLE` if they cannot be listed; `EXHAUSTED` */
export function listedFolders(files: RecordFiles, kind: Place["kind"]): string[] {
  const path = placePath(files.directory, { kind, folder: "" })
  const { ids, odd } = reportUnnamed(files, path, listFolders(files.fs, path))
  for (const folder of odd)
    files.problems.report({
      path: placePath(files.directory, { kind, folder }),
      code: "NOT_A_FILE",
      message: "A link lies where a folder of records should be",
    })
  return ids
}

/** The ids of a kind without owners' folders (projects, side files), in the order of `compareText`; none, and a report, if it cannot be listed. */
export function plainIds(files: RecordFiles, kind: string): string[] {
  const path = `${files.directory}/${kind}`
  const list = (): Listing => {
    const listing = reportUnnamed(files, path, listRecords(files.fs, path))
    for (const name of listing.copies) files.problems.report({ path: `${path}/${name}.json`, ...SYNC_COPY })
    return listing
  }
  return reporting(files, list, NOTHING).ids
}

function reportUnnamed(files: RecordFiles, path: string, listing: Listing): Listing {
  for (const name of listing.unnamed) files.problems.report({ path: `${path}/${name}`, ...UNNAMED })
  return listing
}

/** Lists something; if that fails, reports it and returns `nothing`. @throws StoreError `EXHAUSTED` */
function reporting<T>(files: RecordFiles, list: () => T, nothing: T): T {
  try {
    return list()
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    files.problems.report({ path: error.path ?? files.directory, code: error.code, message: error.message })
    return nothing
  }
}
