import { join } from "node:path"
import { StoreError, systemCode } from "../errors.ts"
import { checkFolders, statRecord } from "../file/layout.ts"
import { faultError } from "../file/reader.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { checkKey, checkPrefix, type Key, keyPath, segmentFault, stemOfFile } from "../record/key.ts"
import { compareText } from "../record/order.ts"
import { isSyncCopy, SYNC_COPY } from "../record/sync-copy.ts"
import { type RecordFiles, readPresent } from "./file-catalog.ts"
import type { RecordWriter, Update } from "./record-writer.ts"
import type { Roots } from "./roots.ts"

/**
 * Records of any kind by their keys, straight from the files. A record that the store's own folder does not have is read from the root
 * its session is read from; lists and changes are of the store's own folder.
 */
export class Records {
  readonly #roots: Roots
  readonly #files: RecordFiles
  readonly #writer: RecordWriter

  constructor(roots: Roots, writer: RecordWriter) {
    this.#roots = roots
    this.#files = roots.main.files
    this.#writer = writer
  }

  /**
   * The record's body.
   * @throws StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async read<T = unknown>(key: Key): Promise<T> {
    checkKey(key)
    const { files } = await this.#roots.ofKey(key)
    const { fs, directory } = files
    const path = keyPath(directory, key)
    checkFolders(fs, directory, key)
    const result = await readPresent(files, path)
    if ("fault" in result) throw faultError(result.fault, files.locate(path))
    // The file is as the app's type says if the app and its schemas saw to it.
    return result.record.value as T
  }

  /**
   * Yields the record's text in pieces, whatever its size and whether or not it is JSON.
   * @throws StoreError `NOT_FOUND`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async *readText(key: Key, options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    checkKey(key)
    const { files } = await this.#roots.ofKey(key)
    const { fs, directory } = files
    const path = keyPath(directory, key)
    checkFolders(fs, directory, key)
    const unwritten = files.unwritten.newest(path)
    if (unwritten) {
      yield unwritten.text
      return
    }
    const kind = statRecord(fs, path)?.kind
    if (kind === undefined)
      throw faultError({ code: "NOT_FOUND", message: "There is no such record" }, files.locate(path))
    if (kind !== "file")
      throw faultError(
        { code: "NOT_A_FILE", message: `A ${kind} lies where a record should be` },
        files.locate(path),
      )
    const decoder = new TextDecoder()
    const slice = new TimeSlice(options.signal)
    try {
      for (const piece of fs.readPieces(path)) {
        await slice.pass()
        yield decoder.decode(piece, { stream: true })
      }
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause
      throw faultError(
        { code: "UNREADABLE", message: `The file cannot be read (${systemCode(cause)})`, cause },
        files.locate(path),
      )
    }
    const rest = decoder.decode()
    if (rest) yield rest
  }

  /**
   * Puts a body in the record's place; resolves when it is safely on the disk.
   * @throws StoreError `INVALID_KEY`, `INVALID_RECORD`, `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  write(key: Key, value: unknown): Promise<void> {
    return this.#writer.write(key, value)
  }

  /**
   * Changes a record atomically, also across processes, and gives its new body.
   * @throws as `write`; StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`; TypeError where `change` gives a promise; what
   * `change` throws, and then nothing is changed
   */
  update<T = unknown>(key: Key, change: Update<T>): Promise<T> {
    return this.#writer.update(key, change)
  }

  /** Removes one record, whatever its file holds; tells whether there was one. @throws as `write` */
  remove(key: Key): Promise<boolean> {
    return this.#writer.remove(key)
  }

  /** Yields the keys below a prefix in the order of their segments; none where the prefix is missing. */
  async *keys(
    prefix: Key = [],
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<string[]> {
    checkPrefix(prefix)
    const slice = new TimeSlice(options.signal)
    for (const key of this.#walk(prefix)) {
      const turn = slice.pass()
      if (turn) await turn
      if (key) yield key
    }
  }

  /** How many records lie below a prefix, by their names. */
  async count(prefix: Key = [], options: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    let count = 0
    for await (const _ of this.keys(prefix, options)) count++
    return count
  }

  /** Keys, and `undefined` after every folder that was looked at. */
  *#walk(prefix: Key): Generator<string[] | undefined> {
    const { fs, directory } = this.#files
    const path = join(directory, ...prefix)
    try {
      checkFolders(fs, directory, [...prefix, ""])
      const records = new Set<string>()
      const folders = new Set<string>()
      for (const { name, kind } of fs.readDirectory(path) ?? []) {
        const id = stemOfFile(name)
        if (id !== undefined && kind === "file" && isSyncCopy(id))
          this.#files.problems.report({ path: keyPath(directory, [...prefix, id]), ...SYNC_COPY })
        else if (id !== undefined && kind === "file") records.add(id)
        else if (
          segmentFault(name) === undefined &&
          (kind === "directory" || this.#isFolderLink(prefix, name, kind))
        )
          folders.add(name)
      }
      yield undefined
      for (const name of [...records.union(folders)].sort(compareText)) {
        if (records.has(name)) yield [...prefix, name]
        if (folders.has(name)) yield* this.#walk([...prefix, name])
      }
    } catch (error) {
      this.#report(path, error)
    }
  }

  /** Only the store's first level may be links to elsewhere. */
  #isFolderLink(prefix: Key, name: string, kind: string): boolean {
    const { fs, directory } = this.#files
    return prefix.length === 0 && kind === "link" && fs.stat(join(directory, name))?.kind === "directory"
  }

  #report(path: string, error: unknown): void {
    if (error instanceof StoreError)
      this.#files.problems.report({ path: error.path ?? path, code: error.code, message: error.message })
    else if (systemCode(error) !== undefined)
      this.#files.problems.report({
        path,
        code: "UNREADABLE",
        message: `The folder cannot be read (${systemCode(error)})`,
      })
    else throw error
  }
}
