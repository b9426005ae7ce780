import { join } from "node:path"
import { StoreError } from "../errors.ts"
import { listRecords } from "../file/layout.ts"
import { faultError, readRecord } from "../file/reader.ts"
import { isJsonObject } from "../record/extract.ts"
import { checkKey, keyPath } from "../record/key.ts"
import { compareText } from "../record/order.ts"
import { bodyOf, folderNames, type RecordFiles } from "./file-catalog.ts"

/** Projects, straight from their few files. */
export class ProjectRepository<J> {
  readonly #files: RecordFiles

  constructor(files: RecordFiles) {
    this.#files = files
  }

  /**
   * One project by its id, `undefined` where there is none.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async get(id: string): Promise<J | undefined> {
    checkKey([id])
    const { fs, directory, maxRecordBytes } = this.#files
    const path = keyPath(directory, ["project", id])
    const result = await readRecord(fs, path, maxRecordBytes)
    if ("fault" in result) {
      if (result.fault.code === "NOT_FOUND") return undefined
      throw faultError(result.fault, path)
    }
    const { value } = result.record
    if (!isJsonObject(value))
      throw new StoreError("CORRUPT", `The file's JSON is not an object: ${path}`, { path })
    return { ...value, id } as J
  }

  /** Yields the ids of all projects, those that have sessions but no file of their own included, by id. */
  async *ids(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    const { fs, directory } = this.#files
    const ids = new Set(listRecords(fs, join(directory, "project")).ids)
    for (const id of folderNames(this.#files, "session")) ids.add(id)
    for (const id of [...ids].sort(compareText)) {
      options.signal?.throwIfAborted()
      yield id
    }
  }

  /** Yields all projects by id; what cannot be read is skipped and reported. */
  async *list(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<J> {
    const { fs, directory, maxRecordBytes } = this.#files
    for (const id of listRecords(fs, join(directory, "project")).ids) {
      options.signal?.throwIfAborted()
      const path = keyPath(directory, ["project", id])
      const body = bodyOf(this.#files, path, await readRecord(fs, path, maxRecordBytes))
      // As everywhere, the id is the path's.
      if (body) yield { ...body, id } as J
    }
  }
}
