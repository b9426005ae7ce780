import { realpathSync } from "node:fs"
import { StoreError, systemCode } from "../errors.ts"
import { recordPath } from "../file/layout.ts"
import { faultError, type ReadResult, readOnce, readRecord } from "../file/reader.ts"
import { checkSpelling } from "../file/spelling.ts"
import { fieldsOf, isJsonObject, type JsonObject, messageTimes, sessionFields } from "../record/extract.ts"
import { identify } from "../record/identify.ts"
import { checkKey, type Key, keyPath } from "../record/key.ts"
import { placeOfKey } from "../record/kind.ts"
import { newestMessage } from "../retention/last-use.ts"
import { checkChoice } from "../root/check.ts"
import { holds, placesOf, readBody } from "../root/json/bodies.ts"
import type { RecordFiles } from "../root/json/file-catalog.ts"
import type { RecordWriter } from "../root/json/record-writer.ts"
import type { Problem } from "../root/problem-log.ts"
import { TimeSlice } from "../time-slice.ts"
import { type ExportedRecord, readExport } from "./export-reader.ts"

/** What is to stay where the store holds another content under the same id. */
export type ConflictChoice = "keep" | "replace" | "newest"

/** How to bring an export in. */
export interface ImportOptions {
  /**
   * Where the store holds another content under an id of the export: `"keep"` the store's, `"replace"` it by the export's, or let
   * the one win that was used last (`"newest"`: by `time.updated` and the messages' times; the store's among equals). By default a conflict is an error, and nothing is changed.
   */
  onConflict?: ConflictChoice | undefined
  /** The project a session goes into that the store does not have yet; by default the one it names. */
  projectID?: string | undefined
  /** Change nothing; tell what would be done. */
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: ImportProgress) => void) | undefined
}

/** How far an import has come; the file is read twice, first to check it and then to write. */
export interface ImportProgress {
  readonly step: "check" | "write"
  /** Bytes read in this step, and the size of the file. */
  readonly done: number
  readonly total: number
}

/** What an import did, in records. */
export interface ImportResult {
  readonly sessionID: string
  readonly projectID: string
  added: number
  replaced: number
  /** The store holds the same already. */
  unchanged: number
  /** The store holds another content, which stays. */
  kept: number
  /** What the store holds but nobody can read: never overwritten. */
  readonly left: Problem[]
}

/** What an import needs of the store around it. */
export interface ImportTarget {
  readonly files: RecordFiles
  readonly writer: RecordWriter
}

/** A record with the place it goes to. */
interface Arrival {
  readonly key: Key
  readonly body: JsonObject
}

/** What lies where a record is to go. */
type Present = "nothing" | "same" | "other" | { readonly fault: Problem }

const WRITES_AT_ONCE = 64
/** Bytes of records waiting to be written side by side, about. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const CONFLICTS_NAMED = 3

/**
 * Brings a session's export into the store. The file is read twice: first all of it is checked and compared with what is there,
 * so that a bad file or an undecided conflict changes nothing; then each record is written that is missing or is to be
 * replaced, the session's own last, so that a session that is listed is whole. Records that only the store has stay. Killed
 * and begun again it goes on; a second time it changes nothing.
 * @throws StoreError `NOT_FOUND`, `NOT_A_FILE`, `UNREADABLE`, `CORRUPT`, `INVALID_RECORD`, `INVALID_KEY`, `TOO_LARGE` for the
 * export; `CONFLICT`; `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`; TypeError; the signal's reason
 */
export async function importSession(
  target: ImportTarget,
  file: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const choice = checkChoice("onConflict", options.onConflict, ["keep", "replace", "newest", "ask"], "ask")
  if (options.projectID !== undefined) checkKey([options.projectID])
  const run = new ImportRun(target, file, options)
  const survey = await run.survey()
  const wins = choice === "newest" ? survey.isNewer : choice === "replace"
  if (choice === "ask" && survey.conflictCount > 0) throw conflict(file, survey)
  // Of another session's records the times of this one say nothing.
  if (choice === "newest" && survey.foreign) throw conflict(file, survey)
  const { counts } = survey
  if (options.dryRun)
    return { ...counts, kept: wins ? 0 : survey.conflictCount, replaced: wins ? survey.conflictCount : 0 }
  return run.write(counts, wins && (choice !== "newest" || (() => run.isStillNewer(counts.sessionID))))
}

/** Whether the export's content goes over another one of the store's; asked under the lock where it depends. */
type Wins = boolean | (() => boolean)

interface Survey {
  /** With what is missing counted as added, and conflicts not counted. */
  readonly counts: ImportResult
  readonly conflictCount: number
  /** The first of them, by path. */
  readonly conflicts: readonly string[]
  /** Whether the export's session was used later than the store's. */
  readonly isNewer: boolean
  /** Whether a part differs that belongs to a message of that id in another session. */
  readonly foreign: boolean
}

class ImportRun {
  readonly #target: ImportTarget
  readonly #file: string
  readonly #path: string
  readonly #total: number
  readonly #options: ImportOptions
  readonly #slice: TimeSlice
  #project: string | undefined
  /** When the export's session was last used, ms. */
  #used = 0

  constructor(target: ImportTarget, file: string, options: ImportOptions) {
    this.#target = target
    this.#file = file
    this.#options = options
    this.#slice = new TimeSlice(options.signal)
    const { fs } = target.files
    this.#path = realPath(file)
    const stat = fs.lstat(this.#path)
    if (stat?.kind !== "file")
      throw new StoreError(
        "NOT_A_FILE",
        `A ${stat?.kind ?? "hole"} lies where an export should be: ${file}`,
        {
          path: file,
        },
      )
    this.#total = stat.size
  }

  /** Reads and checks everything, and compares it with what the store holds. */
  async survey(): Promise<Survey> {
    const conflicts: string[] = []
    let conflictCount = 0
    let used = 0
    let foreign = false
    let result: ImportResult | undefined
    for await (const { key, body } of this.#arrivals("check")) {
      this.#target.writer.check(key, body)
      const [kind, folder = "", id = ""] = key
      if (kind === "session") {
        result = { sessionID: id, projectID: folder, added: 0, replaced: 0, unchanged: 0, kept: 0, left: [] }
        used = sessionFields(body).updated
      }
      if (kind === "message") used = Math.max(used, ...messageTimes(body))
      if (!result) throw new Error("An export begins with its session")
      const present = await this.#compare(key, body)
      if (present === "nothing") result.added++
      else if (present === "same") result.unchanged++
      else if (present === "other") {
        conflictCount++
        if (kind === "part") foreign ||= this.#isForeign(result.sessionID, folder)
        if (conflicts.length < CONFLICTS_NAMED) conflicts.push(keyPath(this.#target.files.directory, key))
      } else result.left.push(present.fault)
    }
    if (!result) throw new Error("An export holds its session")
    this.#used = used
    const isNewer = used > (await this.#lastUse(result))
    return { counts: result, conflictCount, conflicts, isNewer, foreign }
  }

  /** Whether a message that this session lacks lies in another. */
  #isForeign(session: string, message: string): boolean {
    const { files } = this.#target
    if (holds(files, { kind: "message", folder: session }, message)) return false
    return placesOf(files, "message", message).length > 0
  }

  /** Writes what is missing, and where the export wins, what differs; the session last. */
  async write({ sessionID, projectID }: ImportResult, wins: Wins): Promise<ImportResult> {
    const result: ImportResult = {
      sessionID,
      projectID,
      added: 0,
      replaced: 0,
      unchanged: 0,
      kept: 0,
      left: [],
    }
    let session: Arrival | undefined
    let waiting: Arrival[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      const group = waiting
      waiting = []
      bytes = 0
      await Promise.all(group.map((arrival) => this.#put(arrival, wins, result)))
    }
    for await (const arrival of this.#arrivals("write")) {
      if (arrival.key[0] === "session") {
        session = arrival
        continue
      }
      waiting.push(arrival)
      bytes += arrival.size
      if (waiting.length >= WRITES_AT_ONCE || bytes > MAX_WAITING_BYTES) await flush()
    }
    await flush()
    return session ? this.#putSession(session, wins, result) : result
  }

  /** Puts the session where it lies now: another process may have moved it since it was first looked for. */
  #putSession({ key, body }: Arrival, wins: Wins, result: ImportResult): Promise<ImportResult> {
    const { writer, files } = this.#target
    const [, wanted = "", id = ""] = key
    return writer.exclusively(async (held) => {
      const folders = placesOf(files, "session", id).map(({ folder }) => folder)
      const folder = folders.includes(wanted) ? wanted : (folders[0] ?? wanted)
      const place = { kind: "session", folder } as const
      await this.#put({ key: ["session", folder, id], body: identify(body, place, id) }, wins, result, held)
      return { ...result, projectID: folder }
    })
  }

  async #put({ key, body }: Arrival, wins: Wins, result: ImportResult, writer = this.#target.writer) {
    const path = keyPath(this.#target.files.directory, key)
    let present: Present = "nothing"
    const replaced = await writer.writeIf(key, body, (current) => {
      present = compare(current, key, body, path)
      return present === "nothing" || (present === "other" && (typeof wins === "boolean" ? wins : wins()))
    })
    tally(present, replaced, result)
  }

  /** Whether the export's session is still newer than the store's, which others may go on with. */
  isStillNewer(id: string): boolean {
    const { files } = this.#target
    const places = placesOf(files, "session", id)
    const chosen = places.filter(({ folder }) => folder === this.#project)
    return (chosen.length > 0 ? chosen : places).every((place) => {
      const present = readOnce(files.fs, recordPath(files.directory, place, id), files.maxRecordBytes)
      return "fault" in present || sessionFields(fieldsOf(present.record.value)).updated < this.#used
    })
  }

  /** The records of the export with the places they go to, each with the ids of its place. */
  async *#arrivals(step: ImportProgress["step"]): AsyncGenerator<Arrival & { readonly size: number }> {
    const { files } = this.#target
    let session = ""
    let message = ""
    const messages = new Set<string>()
    let parts = new Set<string>()
    const onRead = (done: number): void => this.#options.onProgress?.({ step, done, total: this.#total })
    for await (const record of readExport(files.fs, this.#path, files.maxRecordBytes, this.#slice, onRead)) {
      const { kind, body, size } = record
      const id = idOf(record, this.#file)
      if (kind === "session") session = id
      if (kind === "message") {
        message = id
        once(messages, record, id, this.#file)
        parts = new Set()
      }
      if (kind === "part") once(parts, record, id, this.#file)
      const folder = kind === "session" ? this.#projectOf(id, body) : kind === "message" ? session : message
      yield { key: [kind, folder, id], body: identify(body, { kind, folder }, id), size }
    }
  }

  /** Where the session lies already, else where it is to go. */
  #projectOf(id: string, { projectID }: JsonObject): string {
    if (this.#project !== undefined) return this.#project
    checkKey([id])
    const wanted = this.#options.projectID
    const folders = placesOf(this.#target.files, "session", id).map(({ folder }) => folder)
    const [present] = folders
    if (wanted !== undefined && present !== undefined && !folders.includes(wanted))
      throw new StoreError("CONFLICT", `The session ${id} lies in the project ${present} already`, {
        hint: "Move it to another project with sessions.move, or `sessiondex move`.",
      })
    const folder = wanted ?? folders.find((candidate) => candidate === projectID) ?? present ?? projectID
    if (typeof folder !== "string")
      throw new StoreError(
        "INVALID_RECORD",
        `The export does not say of which project its session is: ${this.#file}`,
        {
          path: this.#file,
          hint: "Name one: projectID, or --project.",
        },
      )
    this.#project = folder
    return folder
  }

  /** When the store's session was last used, by its records; a session that is not there never was. */
  async #lastUse({ projectID: folder, sessionID: id }: ImportResult): Promise<number> {
    const { files } = this.#target
    const present = await readBody(files, { kind: "session", folder }, id)
    const newest = await newestMessage(files, id, this.#slice)
    if (!present) return newest > 0 ? newest : Number.NEGATIVE_INFINITY
    return Math.max(sessionFields(present).updated, newest)
  }

  async #compare(key: Key, body: JsonObject): Promise<Present> {
    const { fs, directory, maxRecordBytes } = this.#target.files
    const path = keyPath(directory, key)
    // Found here, nothing is written yet.
    checkSpelling(fs, directory, key)
    return compare(await readRecord(fs, path, maxRecordBytes), key, body, path)
  }
}

function compare(current: ReadResult, key: Key, body: JsonObject, path: string): Present {
  if ("fault" in current) {
    const { code, message } = current.fault
    if (code === "EXHAUSTED") throw faultError(current.fault, path)
    return code === "NOT_FOUND" ? "nothing" : { fault: { path, code, message } }
  }
  const { value } = current.record
  const place = placeOfKey(key)
  if (!isJsonObject(value) || !place)
    return { fault: { path, code: "CORRUPT", message: "The file's JSON is not an object" } }
  return Bun.deepEquals(identify(value, place.place, place.id), body, true) ? "same" : "other"
}

function tally(present: Present, wins: boolean, result: ImportResult): void {
  if (present === "nothing") result.added++
  else if (present === "same") result.unchanged++
  else if (present !== "other") result.left.push(present.fault)
  else if (wins) result.replaced++
  else result.kept++
}

function idOf({ kind, body: { id } }: ExportedRecord, file: string): string {
  if (typeof id === "string") return id
  throw new StoreError("INVALID_RECORD", `A ${kind} of the export has no id: ${file}`, { path: file })
}

/** Two records of one id would be one file: nobody could say which of them is to stay. */
function once(seen: Set<string>, { kind }: ExportedRecord, id: string, file: string): void {
  if (seen.has(id))
    throw new StoreError("INVALID_RECORD", `The export holds the ${kind} ${id} twice: ${file}`, {
      path: file,
    })
  seen.add(id)
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    const absent = code === "ENOENT" || code === "ENOTDIR"
    throw new StoreError(
      absent ? "NOT_FOUND" : "UNREADABLE",
      absent ? `There is no file ${file}` : `The file cannot be read (${code}): ${file}`,
      { path: file, cause },
    )
  }
}

function conflict(file: string, { conflicts, conflictCount, counts }: Survey): StoreError {
  const more = conflictCount - conflicts.length
  return new StoreError(
    "CONFLICT",
    `The store holds another version of the session ${counts.sessionID}: ${conflictCount} ${conflictCount === 1 ? "record differs" : "records differ"} (${conflicts.join(", ")}${more > 0 ? `, and ${more} more` : ""})`,
    {
      path: file,
      hint: 'Say which one stays, with onConflict or --on-conflict: "keep", "replace" or "newest".',
    },
  )
}
