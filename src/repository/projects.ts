import { StoreError } from "../errors.ts"
import { faultError, readRecord } from "../file/reader.ts"
import { isJsonObject } from "../record/extract.ts"
import { checkKey, keyPath } from "../record/key.ts"
import { compareText } from "../record/order.ts"
import { bodyOf, folderNames, plainIds, type RecordFiles } from "../root/json/file-catalog.ts"
import type { Roots } from "./roots.ts"

/** Projects, straight from their few files; of one id in several roots that of the first. */
export class ProjectRepository<J> {
  readonly #roots: Roots

  constructor(roots: Roots) {
    this.#roots = roots
  }

  /**
   * One project by its id, `undefined` where there is none.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async get(id: string): Promise<J | undefined> {
    checkKey([id])
    for (const { files } of this.#roots.all) {
      const { fs, directory, maxRecordBytes } = files
      const path = keyPath(directory, ["project", id])
      const result = await readRecord(fs, path, maxRecordBytes)
      if ("fault" in result) {
        if (result.fault.code === "NOT_FOUND") continue
        throw faultError(result.fault, path)
      }
      const { value } = result.record
      if (!isJsonObject(value))
        throw new StoreError("CORRUPT", `The file's JSON is not an object: ${path}`, { path })
      return { ...value, id } as J
    }
    return undefined
  }

  /** Yields the ids of all projects, those that have sessions but no file of their own included, by id. */
  async *ids(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    const ids = new Set<string>()
    for (const { files } of this.#roots.all) {
      for (const id of plainIds(files, "project")) ids.add(id)
      for (const id of folderNames(files, "session")) ids.add(id)
    }
    for (const id of [...ids].sort(compareText)) {
      options.signal?.throwIfAborted()
      yield id
    }
  }

  /** Yields all projects by id; what cannot be read is skipped and reported. */
  async *list(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<J> {
    const found = new Map<string, RecordFiles>()
    for (const { files } of this.#roots.all.toReversed())
      for (const id of plainIds(files, "project")) found.set(id, files)
    for (const [id, files] of [...found].sort(([a], [b]) => compareText(a, b))) {
      options.signal?.throwIfAborted()
      const path = keyPath(files.directory, ["project", id])
      const body = bodyOf(files, path, await readRecord(files.fs, path, files.maxRecordBytes))
      // As everywhere, the id is the path's.
      if (body) yield { ...body, id } as J
    }
  }
}
