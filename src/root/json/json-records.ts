import { systemCode } from "../../errors.ts"
import { loaded, untilAdmitted } from "../../exhaustion.ts"
import type { DeviceClock } from "../../file/clock.ts"
import { checkFolders, statRecord } from "../../file/layout.ts"
import { faultError, refused } from "../../file/reader.ts"
import type { JsonObject } from "../../record/extract.ts"
import { type Key, keyPath } from "../../record/key.ts"
import type { CollectionKind } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import { ProblemLog } from "../problem-log.ts"
import type { RecordSource, Tell, Unseen } from "../record-source.ts"
import {
  foldersToLookInto,
  getBody,
  holds,
  placesOf,
  type Refusals,
  readBody,
  reportRefusals,
  unseenOf,
} from "./bodies.ts"
import {
  bodyOf,
  countedNames,
  folderNames,
  partIds,
  plainIds,
  type RecordFiles,
  readAsked,
  readPresent,
  recordIds,
} from "./file-catalog.ts"

/** Reads records from their files. Small files are read synchronously, which is eight times as fast as with a promise for each. */
export class JsonRecords implements RecordSource {
  readonly #files: RecordFiles
  readonly #clock: DeviceClock

  constructor(files: RecordFiles, clock: DeviceClock) {
    this.#files = files
    this.#clock = clock
  }

  async folders(kind: CollectionKind): Promise<readonly string[]> {
    return await untilAdmitted(() => folderNames(this.#files, kind))
  }

  async ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]> {
    const files = this.#telling(tell)
    return await untilAdmitted(() =>
      kind === "part" ? partIds(files, folder) : recordIds(files, { kind, folder }),
    )
  }

  async names(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    return await untilAdmitted(() => countedNames(this.#files, { kind, folder }))
  }

  async foldersOf(
    kind: CollectionKind,
    id: string,
    tell?: (unseen: Unseen) => void,
  ): Promise<readonly string[]> {
    const { folders, refusals } = await untilAdmitted(() => this.#lookFor(kind, id))
    reportRefusals(this.#files, refusals)
    if (tell) for (const refusal of refusals) tell(unseenOf(this.#files, refusal))
    return folders
  }

  async #lookFor(kind: CollectionKind, id: string): Promise<{ folders: string[]; refusals: Refusals }> {
    const files = this.#files
    const refusals: Refusals = []
    // There are few folders of sessions, but there may be a hundred thousand of messages or parts.
    if (kind === "session")
      return { folders: placesOf(files, kind, id, refusals).map(({ folder }) => folder), refusals }
    const slice = new TimeSlice()
    const folders: string[] = []
    for (const folder of foldersToLookInto(files, kind, refusals)) {
      const turn = slice.pass()
      if (turn) await turn
      if (holds(files, { kind, folder }, id, refusals)) folders.push(folder)
    }
    return { folders, refusals }
  }

  async holds(kind: CollectionKind, folder: string, id: string): Promise<boolean> {
    return await untilAdmitted(() => holds(this.#files, { kind, folder }, id))
  }

  async read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
  ): Promise<(JsonObject | undefined)[]> {
    const files = this.#telling(tell)
    const place = { kind, folder }
    // All at once, so that the waits for files that are being written overlap.
    return Promise.all(ids.map((id) => readBody(files, place, id)))
  }

  async get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined> {
    return getBody(this.#files, { kind, folder }, id)
  }

  async plainIds(kind: string): Promise<readonly string[]> {
    return await untilAdmitted(() => plainIds(this.#files, kind))
  }

  async readPlain(kind: string, id: string): Promise<JsonObject | undefined> {
    const path = keyPath(this.#files.directory, [kind, id])
    return bodyOf(this.#files, path, await readPresent(this.#files, path))
  }

  async value(key: Key): Promise<unknown> {
    const path = await this.#path(key)
    const result = await readAsked(this.#files, path)
    if ("fault" in result) throw faultError(result.fault, this.#files.locate(path))
    return result.record.value
  }

  async *text(key: Key, signal?: AbortSignal): AsyncGenerator<string> {
    const { fs, unwritten, locate } = this.#files
    const path = await this.#path(key)
    const newest = unwritten.newest(path)
    if (newest) {
      yield newest.text
      return
    }
    const kind = (await untilAdmitted(() => statRecord(fs, path)))?.kind
    if (kind === undefined)
      throw faultError({ code: "NOT_FOUND", message: "There is no such record" }, locate(path))
    if (kind !== "file")
      throw faultError(
        { code: "NOT_A_FILE", message: `A ${kind} lies where a record should be` },
        locate(path),
      )
    const decoder = new TextDecoder()
    const slice = new TimeSlice(signal)
    const telling = <T>(read: () => T): T => {
      try {
        return read()
      } catch (cause) {
        if (systemCode(cause) === undefined) throw cause
        throw faultError(refused(fs, path, cause).fault, locate(path))
      }
    }
    const begin = () => {
      const pieces = fs.readPieces(path)
      return { pieces, first: pieces.next() }
    }
    const { pieces, first } = await untilAdmitted(() => telling(begin))
    try {
      for (let piece = first; !piece.done; piece = telling(() => pieces.next())) {
        await slice.pass()
        yield decoder.decode(piece.value, { stream: true })
      }
    } finally {
      pieces.return(undefined)
    }
    const rest = decoder.decode()
    if (rest) yield rest
  }

  async version(keys: readonly Key[], signal?: AbortSignal): Promise<string | undefined> {
    const { versionOf } = await loaded(() => import("./versions.ts"))
    return versionOf(this.#files, this.#clock, keys, signal)
  }

  locate(key: Key): string {
    return this.#files.locate(keyPath(this.#files.directory, key))
  }

  #telling(tell: Tell | undefined): RecordFiles {
    if (!tell) return this.#files
    const { problems, locate } = this.#files
    const both = new ProblemLog((problem) => {
      tell({ ...problem, path: locate(problem.path) })
      problems.report(problem)
    })
    return { ...this.#files, problems: both }
  }

  /** The path of a key, after a check of its folders. @throws StoreError `INVALID_KEY`, `NOT_A_FILE`, `UNREADABLE`, `EXHAUSTED` */
  async #path(key: Key): Promise<string> {
    const { fs, directory } = this.#files
    const path = keyPath(directory, key)
    await untilAdmitted(() => checkFolders(fs, directory, key))
    return path
  }
}
