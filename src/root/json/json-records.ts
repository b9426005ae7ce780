import { systemCode } from "../../errors.ts"
import type { DeviceClock } from "../../file/clock.ts"
import { checkFolders, statRecord } from "../../file/layout.ts"
import { faultError } from "../../file/reader.ts"
import type { JsonObject } from "../../record/extract.ts"
import { type Key, keyPath } from "../../record/key.ts"
import type { CollectionKind } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import { ProblemLog } from "../problem-log.ts"
import type { RecordSource, Tell } from "../record-source.ts"
import { getBody, holds, placesOf, readBody } from "./bodies.ts"
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

/** Records as their files hold them. Small files are read synchronously, which is eight times as fast as through a promise each. */
export class JsonRecords implements RecordSource {
  readonly #files: RecordFiles
  readonly #clock: DeviceClock

  constructor(files: RecordFiles, clock: DeviceClock) {
    this.#files = files
    this.#clock = clock
  }

  async folders(kind: CollectionKind): Promise<readonly string[]> {
    return folderNames(this.#files, kind)
  }

  async ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]> {
    const files = this.#telling(tell)
    return kind === "part" ? partIds(files, folder) : recordIds(files, { kind, folder })
  }

  async names(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    return countedNames(this.#files, { kind, folder })
  }

  async foldersOf(kind: CollectionKind, id: string, tell?: Tell): Promise<readonly string[]> {
    const files = this.#telling(tell)
    // Sessions lie in few folders; of messages and parts there may be a hundred thousand.
    if (kind === "session") return placesOf(files, kind, id).map(({ folder }) => folder)
    const slice = new TimeSlice()
    const folders: string[] = []
    for (const folder of folderNames(files, kind)) {
      const turn = slice.pass()
      if (turn) await turn
      if (holds(files, { kind, folder }, id)) folders.push(folder)
    }
    return folders
  }

  async holds(kind: CollectionKind, folder: string, id: string): Promise<boolean> {
    return holds(this.#files, { kind, folder }, id)
  }

  async read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
  ): Promise<(JsonObject | undefined)[]> {
    const files = this.#telling(tell)
    const place = { kind, folder }
    // Files that are just being written are waited for together.
    return Promise.all(ids.map((id) => readBody(files, place, id)))
  }

  async get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined> {
    return getBody(this.#files, { kind, folder }, id)
  }

  async plainIds(kind: string): Promise<readonly string[]> {
    return plainIds(this.#files, kind)
  }

  async readPlain(kind: string, id: string): Promise<JsonObject | undefined> {
    const path = keyPath(this.#files.directory, [kind, id])
    return bodyOf(this.#files, path, await readPresent(this.#files, path))
  }

  async value(key: Key): Promise<unknown> {
    const path = this.#path(key)
    const result = await readAsked(this.#files, path)
    if ("fault" in result) throw faultError(result.fault, this.#files.locate(path))
    return result.record.value
  }

  async *text(key: Key, signal?: AbortSignal): AsyncGenerator<string> {
    const { fs, unwritten, locate } = this.#files
    const path = this.#path(key)
    const newest = unwritten.newest(path)
    if (newest) {
      yield newest.text
      return
    }
    const kind = statRecord(fs, path)?.kind
    if (kind === undefined)
      throw faultError({ code: "NOT_FOUND", message: "There is no such record" }, locate(path))
    if (kind !== "file")
      throw faultError(
        { code: "NOT_A_FILE", message: `A ${kind} lies where a record should be` },
        locate(path),
      )
    const decoder = new TextDecoder()
    const slice = new TimeSlice(signal)
    try {
      for (const piece of fs.readPieces(path)) {
        await slice.pass()
        yield decoder.decode(piece, { stream: true })
      }
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause
      throw faultError(
        { code: "UNREADABLE", message: `The file cannot be read (${systemCode(cause)})`, cause },
        locate(path),
      )
    }
    const rest = decoder.decode()
    if (rest) yield rest
  }

  async version(keys: readonly Key[], signal?: AbortSignal): Promise<string | undefined> {
    const { versionOf } = await import("./versions.ts")
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

  /** The file of a key, whose folders are looked at. @throws StoreError `INVALID_KEY`, `NOT_A_FILE`, `UNREADABLE` */
  #path(key: Key): string {
    const { fs, directory } = this.#files
    const path = keyPath(directory, key)
    checkFolders(fs, directory, key)
    return path
  }
}
