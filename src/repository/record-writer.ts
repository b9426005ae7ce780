import { StoreError } from "../errors.ts"
import { faultError, type ReadResult } from "../file/reader.ts"
import type { WriteQueue } from "../file/write-queue.ts"
import { encodeRecord } from "../record/json.ts"
import { checkKey, checkWritableKey, type Key, keyPath } from "../record/key.ts"
import { checkSchema, type RecordSchemas } from "../record/schema.ts"

/** Changes a record: alters the draft it is given, or returns what is to stand in its place. Synchronous. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that only alters its draft returns nothing
export type Update<T> = (draft: T) => T | void

/** Checks values, and hands changes to the write queue. */
export class RecordWriter {
  readonly #directory: string
  readonly #queue: WriteQueue
  readonly #schemas: RecordSchemas | undefined
  readonly #readOnly: boolean

  constructor(directory: string, queue: WriteQueue, schemas: RecordSchemas | undefined, readOnly: boolean) {
    this.#directory = directory
    this.#queue = queue
    this.#schemas = schemas
    this.#readOnly = readOnly
  }

  /** @throws StoreError `READ_ONLY`, `INVALID_KEY`, `INVALID_RECORD`, `WRITE_FAILED`, `LOCKED` */
  async write(key: Key, value: unknown): Promise<void> {
    const path = this.#writable(key)
    const content = this.#content(key, path, value)
    await this.#queue.enqueue({ key, path, reads: false, decide: () => content })
  }

  /** As `write`; also `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`, and TypeError for a function that gives a promise. */
  async update<T>(key: Key, change: Update<T>): Promise<T> {
    const path = this.#writable(key)
    let updated: { readonly value: T } | undefined
    await this.#queue.enqueue({
      key,
      path,
      reads: true,
      decide: (current) => {
        const draft = present(current, path) as T
        const returned = change(draft)
        if (returned instanceof Promise)
          throw new TypeError("The function given to update() must be synchronous; it returned a promise")
        const value = returned === undefined ? draft : returned
        const content = this.#content(key, path, value)
        updated = { value }
        return content
      },
    })
    if (!updated) throw new Error("The queue settled a job it did not decide")
    return updated.value
  }

  /**
   * Removes a record; tells whether there was one.
   * @param spare gives back `true` to leave the file after a look at it
   */
  async remove(key: Key, spare?: (current: ReadResult) => boolean): Promise<boolean> {
    checkKey(key)
    this.#mustBeWritable()
    return this.#queue.enqueue({
      key,
      path: keyPath(this.#directory, key),
      reads: spare !== undefined,
      decide: (current) => (current && spare?.(current) ? undefined : null),
    })
  }

  #writable(key: Key): string {
    checkWritableKey(key)
    this.#mustBeWritable()
    return keyPath(this.#directory, key)
  }

  #mustBeWritable(): void {
    if (this.#readOnly)
      throw new StoreError("READ_ONLY", "The store was opened with readOnly: true", { path: this.#directory })
  }

  #content(key: Key, path: string, value: unknown): { text: string; value: unknown } {
    const text = encodeRecord(value, path)
    checkSchema(this.#schemas, key[0] ?? "", value, path)
    return { text, value: JSON.parse(text) }
  }
}

function present(current: ReadResult | undefined, path: string): unknown {
  if (!current) throw new Error("The queue gave no content to a job that reads")
  if ("fault" in current) throw faultError(current.fault, path)
  if (!current.record.faithful)
    throw new StoreError(
      "CORRUPT",
      `The file is not valid UTF-8, so writing it back would lose bytes: ${path}`,
      { path },
    )
  return current.record.value
}
