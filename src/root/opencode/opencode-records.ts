import { StoreError } from "../../errors.ts"
import type { JsonObject } from "../../record/extract.ts"
import { checkKey, type Key } from "../../record/key.ts"
import { type CollectionKind, placeOfKey } from "../../record/kind.ts"
import { sortTexts } from "../../record/order.ts"
import { partsInOrder } from "../../record/part-order.ts"
import type { RecordSource, Tell, WholeMessage } from "../record-source.ts"
import type { Access } from "./access.ts"
import type { OpencodeReader } from "./reader.ts"

/** Reads the bodies of a database's records. */
export class OpencodeRecords implements RecordSource {
  readonly #reader: OpencodeReader
  readonly #access: Access

  constructor(reader: OpencodeReader, access: Access) {
    this.#reader = reader
    this.#access = access
  }

  folders(kind: CollectionKind): Promise<readonly string[]> {
    return this.#access.quietly([], async () => (await Array.fromAsync(this.#reader.folders(kind))).flat())
  }

  ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]> {
    const ask = async (): Promise<string[]> => {
      const ids = await this.#reader.ids(kind, folder)
      if (kind === "part") return partsInOrder(ids)
      return kind === "message" ? sortTexts(ids) : ids
    }
    return this.#access.quietly([], ask, tell)
  }

  /** As `ids`, since every row has an id. */
  names(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    return this.ids(kind, folder)
  }

  foldersOf(kind: CollectionKind, id: string, tell?: Tell): Promise<readonly string[]> {
    return this.#access.quietly([], () => this.#reader.places(kind, id), tell)
  }

  holds(kind: CollectionKind, folder: string, id: string): Promise<boolean> {
    return this.#access.quietly(false, () => this.#reader.holds(kind, folder, id))
  }

  read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
  ): Promise<(JsonObject | undefined)[]> {
    const none = ids.map(() => undefined)
    return this.#access.quietly(none, () => this.#reader.bodies(kind, folder, ids, tell), tell)
  }

  async message(sessionID: string, id: string, withParts: boolean): Promise<WholeMessage | undefined> {
    if (!withParts) {
      const [info] = await this.#reader.bodies("message", sessionID, [id])
      return info && { info, parts: [] }
    }
    const [whole] = await this.#reader.messageRun([{ session: sessionID, id }], Number.POSITIVE_INFINITY)
    if (!whole?.info) return undefined
    const parts = new Map(whole.parts.map((part) => [String(part.id), part]))
    const inOrder = partsInOrder([...parts.keys()]).map((part) => parts.get(part))
    return { info: whole.info, parts: inOrder.filter((part) => part !== undefined) }
  }

  get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined> {
    return this.#reader.get(kind, folder, id)
  }

  plainIds(kind: string): Promise<readonly string[]> {
    return this.#access.quietly([], () => this.#reader.plainIds(kind))
  }

  async readPlain(kind: string, id: string): Promise<JsonObject | undefined> {
    // Todos are a list and no object.
    return kind === "project" ? this.#access.quietly(undefined, () => this.#reader.project(id)) : undefined
  }

  async value(key: Key): Promise<unknown> {
    checkKey(key)
    const value = await this.#reader.value(key)
    if (value === undefined) throw this.#absent(key)
    return value
  }

  async *text(key: Key, signal?: AbortSignal): AsyncGenerator<string> {
    checkKey(key)
    const at = placeOfKey(key)
    if (!at) {
      yield JSON.stringify(await this.value(key))
      return
    }
    const pieces = await this.#reader.text(at.place.kind, at.place.folder, at.id, signal)
    if (!pieces) throw this.#absent(key)
    yield* pieces
  }

  /** Never known: the times in the database cannot prove that nothing changed, and older releases do not count changes. */
  async version(): Promise<undefined> {
    return undefined
  }

  /** A place in the database; a session has one whatever its project. */
  locate(key: Key): string {
    const [kind, , id] = key
    const place = kind === "session" && id !== undefined ? [kind, id] : key
    return `${this.#reader.database.path}#${place.join("/")}`
  }

  #absent(key: Key): StoreError {
    const path = this.locate(key)
    return new StoreError("NOT_FOUND", `There is no such record: ${path}`, { path })
  }
}
