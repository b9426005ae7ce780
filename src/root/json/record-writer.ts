import { join } from "node:path"
import { StoreError } from "../../errors.ts"
import type { Coalescer, Version } from "../../file/coalescer.ts"
import { faultError, type ReadResult } from "../../file/reader.ts"
import type { Content, WriteJob, Writes } from "../../file/write-queue.ts"
import { encodeRecord } from "../../record/json.ts"
import { checkKey, checkWritableKey, type Key, keyPath } from "../../record/key.ts"
import { checkSchema, type RecordSchemas } from "../../record/schema.ts"
import type { Sought, Update, WriteOptions } from "../writer.ts"

const MAX_COALESCE_MS = 60_000

/** Checks values and hands changes to the write queue. */
export class RecordWriter {
  readonly #directory: string
  readonly #queue: Writes
  readonly #coalescer: Coalescer
  readonly #schemas: RecordSchemas | undefined
  readonly #readOnly: boolean
  readonly #mustBeOpen: () => void

  /** @param mustBeOpen throws once the store is closed */
  constructor(
    directory: string,
    queue: Writes,
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

  /** As `Writer.write`. @throws StoreError `READ_ONLY`, `INVALID_KEY`, `INVALID_RECORD`, `CONFLICT`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `CLOSED`; TypeError */
  async write(at: Key | Sought, value: unknown, options: WriteOptions = {}): Promise<void> {
    const { coalesce, onConflict } = options
    if (coalesce !== undefined && !(coalesce >= 1 && coalesce <= MAX_COALESCE_MS))
      throw new TypeError(`coalesce must be from 1 to ${MAX_COALESCE_MS} ms, not ${String(coalesce)}`)
    if (onConflict !== undefined && onConflict !== "replace")
      throw new TypeError(`onConflict must be "replace", not ${String(onConflict)}`)
    if ("kind" in at) {
      this.mustBeWritable()
      const content = this.#content(at.kind, join(this.#directory, at.kind), value)
      await this.#queue.enqueue({ find: () => this.#find(at), reads: false, decide: () => content })
      return
    }
    const { key, path } = this.#writable(at)
    const content = this.#content(key[0] ?? "", path, value)
    if (coalesce === undefined) await this.#enqueue({ key, path, reads: false, decide: () => content })
    else await this.#coalescer.write({ key, path, content, replaces: onConflict === "replace" }, coalesce)
  }

  /**
   * Runs work that reads and then writes with the writer it gets, under one hold of the write lock, so that nobody else writes in between.
   * The work must not wait for other writes, which would deadlock.
   * @throws what `work` throws; StoreError `READ_ONLY`, `LOCKED`, `CLOSED`
   */
  async exclusively<T>(work: (held: RecordWriter) => Promise<T>): Promise<T> {
    this.mustBeWritable()
    return this.#queue.exclusively((held) =>
      work(
        new RecordWriter(
          this.#directory,
          held,
          this.#coalescer,
          this.#schemas,
          this.#readOnly,
          this.#mustBeOpen,
        ),
      ),
    )
  }

  /** Makes all checks of `write`, but writes nothing. @throws as `write` */
  check(key: Key, value: unknown): void {
    this.#content(key[0] ?? "", this.#writable(key).path, value)
  }

  /** As `write`, but only if `wanted` says so after a look at what is there. Returns whether it was written. */
  async writeIf(at: Key, value: unknown, wanted: (current: ReadResult) => boolean): Promise<boolean> {
    const { key, path } = this.#writable(at)
    const content = this.#content(key[0] ?? "", path, value)
    return this.#enqueue({
      key,
      path,
      reads: true,
      decide: (current) => (current && wanted(lookedAt(current, path)) ? content : undefined),
    })
  }

  /** As `Writer.update`. @throws as `write`; StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`; TypeError if `change` returns a promise */
  async update<T>(at: Key | Sought, change: Update<T>): Promise<T> {
    let updated: { readonly value: T } | undefined
    const decideAt = (kind: string, path: string, current: ReadResult | undefined): Content => {
      this.#coalescer.checkTold(path)
      const draft = present(current, path) as T
      const returned = change(draft)
      if (returned instanceof Promise) {
        // Nobody awaits it, and an unhandled rejection would end the process.
        returned.catch(() => {})
        throw new TypeError("The function given to update() must be synchronous; it returned a promise")
      }
      const value = returned === undefined ? draft : returned
      const content = this.#content(kind, path, value)
      updated = { value }
      return content
    }
    if ("kind" in at) {
      this.mustBeWritable()
      let path = ""
      const find = async (): Promise<Key> => {
        const key = await this.#find(at)
        path = keyPath(this.#directory, key)
        return key
      }
      const decide = (current: ReadResult | undefined): Content => decideAt(at.kind, path, current)
      await this.#queue.enqueue({ find, reads: true, decide })
    } else {
      const { key, path } = this.#writable(at)
      const decide = (current: ReadResult | undefined): Content => decideAt(key[0] ?? "", path, current)
      await this.#enqueue({ key, path, reads: true, decide })
    }
    if (!updated) throw new Error("The queue settled a job it did not decide")
    return updated.value
  }

  /**
   * Removes a record. Returns whether there was one.
   * @param spare returns `true`, after a look at the record, to leave the file
   */
  async remove(at: Key, spare?: (current: ReadResult) => boolean): Promise<boolean> {
    checkKey(at)
    this.mustBeWritable()
    const path = keyPath(this.#directory, at)
    return this.#enqueue({
      key: [...at],
      path,
      reads: spare !== undefined,
      decide: (current) => (current && spare?.(lookedAt(current, path)) ? undefined : null),
    })
  }

  /** As `Writer.mustBeWritable`. @throws StoreError `READ_ONLY`, `CLOSED` */
  mustBeWritable(): void {
    this.#mustBeOpen()
    if (this.#readOnly)
      throw new StoreError("READ_ONLY", "The store was opened with readOnly: true", { path: this.#directory })
  }

  async #enqueue(job: Extract<WriteJob, { key: Key }>): Promise<boolean> {
    const before = this.#coalescer.handOver(job.path, this.#queue)
    if (!before) return this.#queue.enqueue(job)
    let decided: Content | undefined
    const changed = await this.#queue.enqueue({
      ...job,
      decide: (current) => {
        // If the version before this change could not be written, the change is applied to that version and not to the file.
        decided = job.decide(this.#coalescer.isWaiting(before) ? unwritten(before) : current)
        if (decided !== undefined) this.#coalescer.overtake(before)
        return decided
      },
    })
    if (decided !== undefined) this.#coalescer.supersede(before)
    return changed
  }

  async #find(at: Sought): Promise<Key> {
    const key = await at.find()
    checkWritableKey(key)
    return key
  }

  /** Checks a key and copies it, so that it cannot change while it waits. */
  #writable(key: Key): { key: Key; path: string } {
    checkWritableKey(key)
    this.mustBeWritable()
    return { key: [...key], path: keyPath(this.#directory, key) }
  }

  #content(kind: string, path: string, value: unknown): { text: string; value: unknown } {
    const text = encodeRecord(value, path)
    checkSchema(this.#schemas, kind, value, path)
    return { text, value: JSON.parse(text) }
  }
}

function unwritten({ content: { text } }: Version): ReadResult {
  return { record: { text, value: JSON.parse(text), faithful: true } }
}

/** Passes a result on. @throws StoreError `EXHAUSTED`, which says nothing about the record */
function lookedAt(current: ReadResult, path: string): ReadResult {
  if ("fault" in current && current.fault.code === "EXHAUSTED") throw faultError(current.fault, path)
  return current
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
