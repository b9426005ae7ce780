import { StoreError } from "../errors.ts"
import type { Place } from "../file/layout.ts"
import { fieldsOf } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import { getBody, holds, placesOf, readBody } from "./bodies.ts"
import type { Catalog } from "./catalog.ts"
import { checkIdOrKey, checkLimit, type IdOrKey } from "./check.ts"
import { type RecordFiles, recordIds } from "./file-catalog.ts"
import type { RecordWriter, Update, WriteOptions } from "./record-writer.ts"

export interface PartListOptions {
  /** At most so many. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
}

/** The parts of messages. A message's few part files are read faster than rows about them could be validated. */
export class PartRepository<P> {
  readonly #files: RecordFiles
  readonly #catalog: Catalog
  readonly #writer: RecordWriter

  constructor(files: RecordFiles, catalog: Catalog, writer: RecordWriter) {
    this.#files = files
    this.#catalog = catalog
    this.#writer = writer
  }

  /**
   * One part by its id or its key, `undefined` where there is none. Where an id lies in several messages' folders, which
   * of them an id alone finds is not defined.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async get(idOrKey: IdOrKey): Promise<P | undefined> {
    const found = await this.#find(idOrKey)
    // Bodies are as the app's type says if the app and its schemas saw to it.
    return found && ((await getBody(this.#files, found.place, found.id)) as P | undefined)
  }

  /**
   * Writes a part at the place its `messageID` and `id` name. With `coalesce`, a part that is streamed costs one writing of its
   * file in so many ms.
   * @throws StoreError `INVALID_RECORD`, `INVALID_KEY`, `READ_ONLY`, `WRITE_FAILED`, `LOCKED`; TypeError
   */
  async write(part: P, options: WriteOptions = {}): Promise<void> {
    const { id, messageID } = fieldsOf(part)
    if (typeof id !== "string" || typeof messageID !== "string")
      throw new StoreError("INVALID_RECORD", "A part needs its `id` and `messageID` to be written")
    await this.#writer.write(["part", messageID, id], part, options)
  }

  /** Changes a part atomically and gives its new body. @throws as `store.update` */
  async update(idOrKey: IdOrKey, change: Update<P>): Promise<P> {
    const found = await this.#find(idOrKey)
    if (!found) throw notFound("part", idOrKey)
    return this.#writer.update<P>(["part", found.place.folder, found.id], change)
  }

  /** Removes one part; tells whether there was one. @throws as `store.remove` */
  async remove(idOrKey: IdOrKey): Promise<boolean> {
    const found = await this.#find(idOrKey)
    return found !== undefined && this.#writer.remove(["part", found.place.folder, found.id])
  }

  /** Yields the ids of a message's parts, by id, readable or not. */
  async *ids(messageID: string, options: PartListOptions = {}): AsyncGenerator<string> {
    checkKey([messageID])
    yield* recordIds(this.#files, { kind: "part", folder: messageID }).slice(0, checkLimit(options.limit))
  }

  /** Yields the bodies of a message's parts, by id; what cannot be read is skipped and reported. */
  async *list(messageID: string, options: PartListOptions = {}): AsyncGenerator<P> {
    const place: Place = { kind: "part", folder: messageID }
    let left = checkLimit(options.limit) ?? Number.POSITIVE_INFINITY
    for await (const id of this.ids(messageID)) {
      if (left <= 0) return
      options.signal?.throwIfAborted()
      const body = await readBody(this.#files, place, id)
      if (!body) continue
      left--
      yield body as P
    }
  }

  /** How many part files a message has, by their names. */
  async count(messageID: string): Promise<number> {
    checkKey([messageID])
    return recordIds(this.#files, { kind: "part", folder: messageID }).length
  }

  async #find(idOrKey: IdOrKey): Promise<{ place: Place; id: string } | undefined> {
    return findRecord(this.#files, this.#catalog, "part", idOrKey)
  }
}

/** Where a message or part lies: as its key says, else as the index says, else wherever it is. */
export async function findRecord(
  files: RecordFiles,
  catalog: Catalog,
  kind: "message" | "part",
  idOrKey: IdOrKey,
): Promise<{ place: Place; id: string } | undefined> {
  const { id, folder } = checkIdOrKey(kind, idOrKey)
  if (folder !== undefined) return { place: { kind, folder }, id }
  const guess = await catalog.guessFolder(kind, id)
  if (guess !== undefined && holds(files, { kind, folder: guess }, id))
    return { place: { kind, folder: guess }, id }
  const place = placesOf(files, kind, id)[0]
  return place && { place, id }
}

export function notFound(kind: string, idOrKey: IdOrKey): StoreError {
  return new StoreError("NOT_FOUND", `There is no ${kind} ${JSON.stringify(idOrKey)}`)
}
