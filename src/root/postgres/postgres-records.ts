import { StoreError } from "../../errors.ts"
import { isJsonObject, type JsonObject } from "../../record/extract.ts"
import { identify } from "../../record/identify.ts"
import { checkKey, type Key } from "../../record/key.ts"
import { type CollectionKind, placeOfKey, SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { sortTexts } from "../../record/order.ts"
import type { ProblemLog } from "../problem-log.ts"
import type { RecordSource, Tell, WholeMessage } from "../record-source.ts"
import type { FleetAccess } from "./access.ts"
import { foldersOfRecord } from "./message-list.ts"
import type { MessagesAhead } from "./messages-ahead.ts"
import type { ReadAhead } from "./read-ahead.ts"
import {
  type BodyRow,
  listFolders,
  listIds,
  listPlain,
  projectsOf,
  type Reading,
  readBodies,
  readPlain,
  versionOf,
} from "./record-rows.ts"
import type { SessionsAhead } from "./sessions-ahead.ts"

/** Reads the bodies of a fleet's records: of each session those of the copy that counts. */
export class PostgresRecords implements RecordSource {
  readonly #access: FleetAccess
  readonly #ahead: MessagesAhead
  readonly #sessions: SessionsAhead
  /** Reads from one folder that arrive at the same time and become one query. */
  readonly #waiting = new Map<string, { readonly ids: Set<string>; readonly rows: Promise<BodyRow[]> }>()
  readonly #reading: Reading
  readonly #problems: ProblemLog

  constructor(access: FleetAccess, { ahead, sessions }: ReadAhead, reading: Reading, problems: ProblemLog) {
    this.#access = access
    this.#ahead = ahead
    this.#sessions = sessions
    this.#reading = reading
    this.#problems = problems
  }

  folders(kind: CollectionKind): Promise<readonly string[]> {
    return this.#access.quietly([], (db) => listFolders(db, kind, this.#reading.me))
  }

  async ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]> {
    const known = kind === "part" ? this.#ahead.partsOf(folder) : undefined
    if (known) return known
    const ids = await this.#access.quietly([], (db) => listIds(db, kind, folder, this.#reading.me), tell)
    if (kind === "message") this.#ahead.expect(folder, ids, false)
    return ids
  }

  /** As `ids`, since every row has an id. */
  names(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    return this.ids(kind, folder)
  }

  async foldersOf(kind: CollectionKind, id: string, tell?: Tell): Promise<readonly string[]> {
    const ahead = kind === "session" ? this.#sessions.find(id) : undefined
    if (ahead) return ahead.projects
    const folders = await this.#access.quietly<string[]>(
      [],
      (db) => (kind === "session" ? projectsOf(db, id) : foldersOfRecord(db, kind, id, this.#reading.me)),
      tell,
    )
    return sortTexts(folders)
  }

  async holds(kind: CollectionKind, folder: string, id: string): Promise<boolean> {
    const ahead = kind === "session" ? this.#sessions.find(id) : undefined
    if (ahead) return ahead.projects.includes(folder)
    const rows = await this.#access.quietly<BodyRow[]>([], (db) =>
      readBodies(db, kind, folder, [id], { ...this.#reading, maxRecordBytes: -1 }),
    )
    return rows.length > 0
  }

  async read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
  ): Promise<(JsonObject | undefined)[]> {
    const rows = await this.#rows(kind, folder, ids, tell)
    const byID = new Map(rows.map((row) => [row.id, row]))
    return ids.map((id) => this.#body(kind, folder, byID.get(id), tell))
  }

  async #rows(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
  ): Promise<readonly BodyRow[]> {
    const [id] = ids
    if (id !== undefined && ids.length === 1) {
      const ahead = kind === "session" ? this.#sessions.find(id) : undefined
      if (ahead?.project === folder) return [ahead]
      const part = kind === "part" ? this.#ahead.part(folder, id) : undefined
      if (part) return [part]
    }
    return this.#access.attempt<BodyRow[]>([], () => this.#together(kind, folder, ids), tell)
  }

  /** Joins reads from one folder that arrive at the same time into one query. A message of a walk is read with those after it. */
  #together(kind: CollectionKind, folder: string, ids: readonly string[]): Promise<BodyRow[]> {
    const name = `${kind}/${folder}`
    const waiting = this.#waiting.get(name)
    if (waiting) {
      for (const id of ids) waiting.ids.add(id)
      return waiting.rows
    }
    const wanted = new Set(ids)
    const ask = async (): Promise<BodyRow[]> => {
      await new Promise<void>((resolve) => queueMicrotask(resolve))
      this.#waiting.delete(name)
      const [only = ""] = wanted
      if (kind === "message" && wanted.size === 1 && this.#ahead.expects(folder, only)) {
        const whole = await this.#ahead.take(folder, only)
        return whole ? [whole.message] : []
      }
      return this.#access.ask((db) => readBodies(db, kind, folder, [...wanted], this.#reading))
    }
    const rows = ask()
    this.#waiting.set(name, { ids: wanted, rows })
    return rows
  }

  async message(sessionID: string, id: string, withParts: boolean): Promise<WholeMessage | undefined> {
    const whole = await this.#ahead.take(sessionID, id, withParts)
    const info = this.#body("message", sessionID, whole?.message)
    if (!whole || !info) return undefined
    const parts = withParts ? whole.parts.map((row) => this.#body("part", id, row)) : []
    return { info, parts: parts.filter((part) => part !== undefined) }
  }

  async get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined> {
    const [row] = await this.#access.ask((db) => readBodies(db, kind, folder, [id], this.#reading))
    return row && identify(this.#parse(row, [kind, folder, id]), { kind, folder }, id)
  }

  plainIds(kind: string): Promise<readonly string[]> {
    return this.#access.quietly([], (db) => listPlain(db, kind, this.#reading.me))
  }

  async readPlain(kind: string, id: string): Promise<JsonObject | undefined> {
    const row = await this.#access.quietly(undefined, (db) => readPlain(db, kind, id, this.#reading))
    if (!row) return undefined
    const value = this.#quietly(() => this.#value(row, [kind, id]))
    return isJsonObject(value) ? value : undefined
  }

  async value(key: Key): Promise<unknown> {
    checkKey(key)
    const at = placeOfKey(key)
    if (at) {
      const body = await this.get(at.place.kind, at.place.folder, at.id)
      if (!body) throw this.#absent(key)
      return body
    }
    return this.#value(await this.#plain(key), key)
  }

  async *text(key: Key): AsyncGenerator<string> {
    checkKey(key)
    const at = placeOfKey(key)
    // A text is given whatever its size.
    const reading = { ...this.#reading, maxRecordBytes: Number.MAX_SAFE_INTEGER }
    const row = at
      ? (await this.#access.ask((db) => readBodies(db, at.place.kind, at.place.folder, [at.id], reading)))[0]
      : await this.#plain(key, reading)
    if (row?.body == null) throw this.#absent(key)
    yield row.body
  }

  async version(keys: readonly Key[]): Promise<string | undefined> {
    const versions: string[] = []
    for (const [kind, folder, id] of keys) {
      const session = kind === "session" ? id : isOfSession(kind) ? folder : undefined
      if (session === undefined) return undefined
      const version = await this.#access.ask((db) => versionOf(db, session, this.#reading.me))
      versions.push(version ?? "")
    }
    return versions.join()
  }

  locate(key: Key): string {
    const [kind, , id] = key
    const place = kind === "session" && id !== undefined ? [kind, id] : key
    return `${this.#access.place}#${place.join("/")}`
  }

  async #plain(key: Key, reading = this.#reading): Promise<BodyRow> {
    const [kind = "", id = "", ...deeper] = key
    const row =
      deeper.length === 0 ? await this.#access.ask((db) => readPlain(db, kind, id, reading)) : undefined
    if (!row) throw this.#absent(key)
    return row
  }

  /** A body for a list; what cannot be read is reported. */
  #body(kind: CollectionKind, folder: string, row: BodyRow | undefined, tell?: Tell): JsonObject | undefined {
    if (!row) return undefined
    const body = this.#quietly(() => this.#parse(row, [kind, folder, row.id]), tell)
    return body && identify(body, { kind, folder }, row.id)
  }

  #quietly<T>(read: () => T, tell?: Tell): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      const problem = { path: error.path ?? this.#access.place, code: error.code, message: error.message }
      this.#problems.report(problem)
      tell?.(problem)
      return undefined
    }
  }

  #parse(row: BodyRow, key: Key): JsonObject {
    const value = this.#value(row, key)
    if (isJsonObject(value)) return value
    const path = this.locate(key)
    throw new StoreError("CORRUPT", `The body of ${path} is no JSON object`, { path })
  }

  #value({ body, size }: BodyRow, key: Key): unknown {
    const path = this.locate(key)
    const { maxRecordBytes } = this.#reading
    if (body === null)
      throw new StoreError("TOO_LARGE", `${path} is larger than ${maxRecordBytes} bytes: ${size}`, { path })
    try {
      return JSON.parse(body)
    } catch (cause) {
      throw new StoreError("CORRUPT", `The body of ${path} is no JSON`, { path, cause })
    }
  }

  #absent(key: Key): StoreError {
    const path = this.locate(key)
    return new StoreError("NOT_FOUND", `There is no such record: ${path}`, { path })
  }
}

function isOfSession(kind: string | undefined): boolean {
  return kind === "message" || SESSION_SIDE_KINDS.some((side) => side === kind)
}
