import { StoreError } from "../../errors.ts"
import type { Coalescer, Version } from "../../file/coalescer.ts"
import { faultError, type ReadResult } from "../../file/reader.ts"
import type { Content, WriteJob, WriteQueue } from "../../file/write-queue.ts"
import { encodeRecord } from "../../record/json.ts"
import { checkKey, checkWritableKey, type Key, keyPath } from "../../record/key.ts"
import { checkSchema, type RecordSchemas } from "../../record/schema.ts"

/** Changes a record: alters the draft it is given, or returns what is to stand in its place. Synchronous. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that only alters its draft returns nothing
export type Update<T> = (draft: T) => T | void

/** How to write a record. */
export interface WriteOptions {
  /**
   * For a record that is rewritten again and again while a model streams: write at most one version in so many ms. The
   * promise resolves at once but for the first of them; every reader of this store sees the newest version, and
   * `flush()`, `close()` and the end of the process put it on the disk. A process that is killed loses up to so many ms.
   */
  readonly coalesce?: number | undefined
}

const MAX_COALESCE_MS = 60_000

/** Checks values, and hands changes to the write queue. */
export class RecordWriter {
  readonly #directory: string
  readonly #queue: Pick<WriteQueue, "enqueue">
  readonly #coalescer: Coalescer
  readonly #schemas: RecordSchemas | undefined
  readonly #readOnly: boolean
  readonly #mustBeOpen: () => void

  /** @param mustBeOpen throws once the store is closed */
  constructor(
    directory: string,
    queue: Pick<WriteQueue, "enqueue">,
    coalescer: Coalescer,
    schemas: RecordSchemas | undefined,
    readOnly: boolean,
    mustBeOpen: () => void,
  ) {
    this.#directory = directory
    this.#queue = queue
    this.#coalescer = coalescer
    this.#schemas = schemas
    this.#readOnly = readOnly
    this.#mustBeOpen = mustBeOpen
  }

  /** @throws StoreError `READ_ONLY`, `INVALID_KEY`, `INVALID_RECORD`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `CLOSED`; TypeError */
  async write(at: Key, value: unknown, { coalesce }: WriteOptions = {}): Promise<void> {
    if (coalesce !== undefined && !(coalesce >= 1 && coalesce <= MAX_COALESCE_MS))
      throw new TypeError(`coalesce must be from 1 to ${MAX_COALESCE_MS} ms, not ${String(coalesce)}`)
    const { key, path } = this.#writable(at)
    const content = this.#content(key, path, value)
    if (coalesce !== undefined) await this.#coalescer.write({ key, path, content }, coalesce)
    else await this.#enqueue({ key, path, reads: false, decide: () => content })
  }

  /** Checks all that `write` checks, and writes nothing. @throws as `write` */
  check(key: Key, value: unknown): void {
    this.#content(key, this.#writable(key).path, value)
  }

  /** As `write`, if the record is still wanted after a look at what is there; tells whether it was. */
  async writeIf(at: Key, value: unknown, wanted: (current: ReadResult) => boolean): Promise<boolean> {
    const { key, path } = this.#writable(at)
    const content = this.#content(key, path, value)
    return this.#enqueue({
      key,
      path,
      reads: true,
      decide: (current) => (current && wanted(current) ? content : undefined),
    })
  }

  /** As `write`; also `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`, and TypeError for a function that gives a promise. */
  async update<T>(at: Key, change: Update<T>): Promise<T> {
    const { key, path } = this.#writable(at)
    let updated: { readonly value: T } | undefined
    await this.#enqueue({
      key,
      path,
      reads: true,
      decide: (current) => {
        const draft = present(current, path) as T
        const returned = change(draft)
        if (returned instanceof Promise) {
          // Nobody waits for it: its failure must not end the process.
          returned.catch(() => {})
          throw new TypeError("The function given to update() must be synchronous; it returned a promise")
        }
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
  async remove(at: Key, spare?: (current: ReadResult) => boolean): Promise<boolean> {
    checkKey(at)
    this.mustBeWritable()
    return this.#enqueue({
      key: [...at],
      path: keyPath(this.#directory, at),
      reads: spare !== undefined,
      decide: (current) => (current && spare?.(current) ? undefined : null),
    })
  }

  /** Checks that the store can be written to, before anything is looked at. @throws StoreError `READ_ONLY`, `CLOSED` */
  mustBeWritable(): void {
    this.#mustBeOpen()
    if (this.#readOnly)
      throw new StoreError("READ_ONLY", "The store was opened with readOnly: true", { path: this.#directory })
  }

  async #enqueue(job: WriteJob): Promise<boolean> {
    const before = this.#coalescer.handOver(job.path)
    if (!before) return this.#queue.enqueue(job)
    let decided: Content | undefined
    const changed = await this.#queue.enqueue({
      ...job,
      decide: (current) => {
        // Where the version before this change could not be written, the file is not what the change is of.
        decided = job.decide(this.#coalescer.isWaiting(before) ? unwritten(before) : current)
        return decided
      },
    })
    if (decided !== undefined) this.#coalescer.supersede(before)
    return changed
  }

  /** The key is copied: what was checked must not change while it waits. */
  #writable(key: Key): { key: Key; path: string } {
    checkWritableKey(key)
    this.mustBeWritable()
    return { key: [...key], path: keyPath(this.#directory, key) }
  }

  #content(key: Key, path: string, value: unknown): { text: string; value: unknown } {
    const text = encodeRecord(value, path)
    checkSchema(this.#schemas, key[0] ?? "", value, path)
    return { text, value: JSON.parse(text) }
  }
}

function unwritten({ content: { text } }: Version): ReadResult {
  return { record: { text, value: JSON.parse(text), faithful: true } }
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
