import { StoreError } from "../errors.ts"
import { fieldsOf, type JsonObject } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import { checkLimit, type IdOrKey } from "../root/check.ts"
import type { Root } from "../root/root.ts"
import type { Update, WriteOptions, Writer } from "../root/writer.ts"
import type { Roots } from "./roots.ts"

/** How to list the parts of a message. */
export interface PartListOptions {
  /** How many at most. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
}

/** The parts of messages. They are read straight from their files: that is faster than checking rows about them. */
export class PartRepository<P> {
  readonly #roots: Roots
  readonly #writer: Writer

  constructor(roots: Roots, writer: Writer) {
    this.#roots = roots
    this.#writer = writer
  }

  /**
   * One part by its id or its key, `undefined` if there is none. If several messages have a part with that id, it is not defined which of
   * them the id alone finds.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`, `EXHAUSTED`
   */
  async get(idOrKey: IdOrKey): Promise<P | undefined> {
    const found = await this.#roots.findPart(idOrKey)
    // Whether bodies have the app's type is up to the app and its schemas.
    return found && ((await found.root.records.get("part", found.place.folder, found.id)) as P | undefined)
  }

  /**
   * Writes a part to the place that its `messageID` and `id` name. Resolves when it is on the disk. With `coalesce` a part that is streamed
   * is written only once in that many ms, and all promises but the first resolve at once. A later version counts as made from what this store
   * last wrote or what `get` returned. If another program has changed or removed the part since, this call or `flush` fails with `CONFLICT`,
   * unless the options say `onConflict: "replace"`.
   * @throws StoreError `INVALID_RECORD`, `INVALID_KEY`, `READ_ONLY`, `CONFLICT`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`; TypeError
   */
  async write(part: P, options: WriteOptions = {}): Promise<void> {
    const { id, messageID, sessionID } = fieldsOf(part)
    if (typeof id !== "string" || typeof messageID !== "string")
      throw new StoreError("INVALID_RECORD", "A part needs its `id` and `messageID` to be written")
    const check = typeof sessionID === "string" ? this.#roots.checkWritable(sessionID) : undefined
    if (check) await check
    await this.#writer.write(["part", messageID, id], part, options)
  }

  /** Changes a part atomically and returns its new body. @throws as `store.update` */
  async update(idOrKey: IdOrKey, change: Update<P>): Promise<P> {
    const found = await this.#roots.findPart(idOrKey, true)
    if (!found) throw notFound("part", idOrKey)
    this.#roots.checkMain(found)
    return this.#writer.update<P>(["part", found.place.folder, found.id], change)
  }

  /** Removes one part. Returns whether there was one. @throws as `store.remove` */
  async remove(idOrKey: IdOrKey): Promise<boolean> {
    this.#writer.mustBeWritable()
    const found = await this.#roots.findPart(idOrKey)
    if (found) this.#roots.checkMain(found)
    return found !== undefined && this.#writer.remove(["part", found.place.folder, found.id])
  }

  /** Yields the ids of a message's parts, readable or not, in the order they were made: by id, except across a wrap (see `idTime`). */
  async *ids(messageID: string, options: PartListOptions = {}): AsyncGenerator<string> {
    const { records } = await this.#root(messageID)
    options.signal?.throwIfAborted()
    const ids = await records.ids("part", messageID)
    for (const id of ids.slice(0, checkLimit(options.limit))) {
      options.signal?.throwIfAborted()
      yield id
    }
  }

  /** Yields the bodies of a message's parts in the order of `ids`. What cannot be read is skipped and reported. */
  async *list(messageID: string, options: PartListOptions = {}): AsyncGenerator<P> {
    const { records } = await this.#root(messageID)
    let left = checkLimit(options.limit) ?? Number.POSITIVE_INFINITY
    options.signal?.throwIfAborted()
    for (const id of await records.ids("part", messageID)) {
      if (left <= 0) return
      options.signal?.throwIfAborted()
      const [body] = await records.read("part", messageID, [id])
      if (!body) continue
      left--
      yield body as P
    }
  }

  /** As `list`, all parts of a message whose root is known; for the listing of messages. */
  async allOf({ records }: Root, messageID: string): Promise<JsonObject[]> {
    const bodies = await records.read("part", messageID, await records.ids("part", messageID))
    return bodies.filter((body) => body !== undefined)
  }

  /** How many parts a message has by name, readable or not. */
  async count(messageID: string): Promise<number> {
    const { records } = await this.#root(messageID)
    return (await records.names("part", messageID)).length
  }

  async #root(messageID: string): Promise<Root> {
    checkKey([messageID])
    return this.#roots.ofMessage(messageID)
  }
}

export function notFound(kind: string, idOrKey: IdOrKey): StoreError {
  return new StoreError("NOT_FOUND", `There is no ${kind} ${JSON.stringify(idOrKey)}`)
}
