import { checkKey, checkPrefix, type Key } from "../record/key.ts"
import type { Update, Writer } from "../root/writer.ts"
import type { Roots } from "./roots.ts"

/**
 * Records of any kind by their keys, straight from the files. A record that the store's own folder does not have is read from the root that
 * its session is read from. Lists and changes concern only the store's own folder.
 */
export class Records {
  readonly #roots: Roots
  readonly #writer: Writer

  constructor(roots: Roots, writer: Writer) {
    this.#roots = roots
    this.#writer = writer
  }

  /**
   * The record's body.
   * @throws StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`, `EXHAUSTED`
   */
  async read<T = unknown>(key: Key): Promise<T> {
    checkKey(key)
    const { records } = await this.#roots.ofKey(key)
    // Whether records have the app's type is up to the app and its schemas.
    return (await records.value(key)) as T
  }

  /**
   * Yields the record's text in pieces, whatever its size and whether or not it is JSON.
   * @throws StoreError `NOT_FOUND`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async *readText(key: Key, options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    checkKey(key)
    const { records } = await this.#roots.ofKey(key)
    yield* records.text(key, options.signal)
  }

  /**
   * Writes a record. Resolves when it is safely on the disk.
   * @throws StoreError `INVALID_KEY`, `INVALID_RECORD`, `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  write(key: Key, value: unknown): Promise<void> {
    return this.#writer.write(key, value)
  }

  /**
   * Changes a record atomically, also across processes, and returns its new body.
   * @throws as `write`; StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`; TypeError if `change` returns a promise; what `change` throws, and
   * then nothing is changed
   */
  update<T = unknown>(key: Key, change: Update<T>): Promise<T> {
    return this.#writer.update(key, change)
  }

  /** Removes one record, whatever its file holds. Returns whether there was one. @throws as `write` */
  remove(key: Key): Promise<boolean> {
    return this.#writer.remove(key)
  }

  /** Yields the keys below a prefix, in the order of their segments. */
  async *keys(
    prefix: Key = [],
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<string[]> {
    checkPrefix(prefix)
    yield* this.#roots.main.keys(prefix, options.signal)
  }

  /** How many records lie below a prefix, by their names. */
  async count(prefix: Key = [], options: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    let count = 0
    for await (const _ of this.keys(prefix, options)) count++
    return count
  }
}
