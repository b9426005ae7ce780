import { join } from "node:path"
import { StoreError } from "../errors.ts"
import { type Place, SESSION_SIDE_KINDS } from "../file/layout.ts"
import { fieldsOf, sessionFields } from "../record/extract.ts"
import { checkKey, type Key } from "../record/key.ts"
import type { SessionQuery } from "../record/query.ts"
import { parseQuery } from "../record/search-query.ts"
import { getBody, parseBody, placesOf, readBody } from "./bodies.ts"
import type { Catalog, SessionEntry } from "./catalog.ts"
import { checkChoice, checkIdOrKey, checkLimit, checkPageSize, type IdOrKey } from "./check.ts"
import { cutPage, type Page } from "./cursor.ts"
import { folderNames, type RecordFiles, recordIds } from "./file-catalog.ts"
import type { MessageRepository } from "./messages.ts"
import { notFound } from "./parts.ts"
import type { RecordWriter, Update } from "./record-writer.ts"
import { type Removal, removeReadable } from "./removal.ts"

/** Messages removed side by side, so that their flushes are shared. */
const MESSAGES_AT_ONCE = 32

export interface SessionFilter {
  projectID?: string | undefined
  /** A parent's id for its children; `null` for sessions without a parent. */
  parentID?: string | null | undefined
  /** The work tree the session ran in. */
  directory?: string | undefined
  /** By default `"include"`. */
  archived?: "include" | "exclude" | "only" | undefined
  /** Only sessions updated at or after this time, ms since 1970. */
  updatedSince?: number | undefined
  /** Only sessions whose title holds these words; as in `store.search`. */
  search?: string | undefined
  signal?: AbortSignal | undefined
}

export interface SessionListOptions extends SessionFilter {
  /** By default `"updated"`. */
  order?: "updated" | "created" | undefined
  /** `"desc"` (newest first, the default) or `"asc"`. */
  direction?: "asc" | "desc" | undefined
  /** At most so many. */
  limit?: number | undefined
}

export interface SessionPageOptions extends SessionFilter {
  order?: "updated" | "created" | undefined
  /** `older` or `newer` of another page with the same order. */
  cursor?: string | undefined
  /** By default 50. */
  limit?: number | undefined
}

/** Sessions of all projects or one. An id found in two projects is listed once, the newest `time.updated` winning. */
export class SessionRepository<S, M, P> {
  readonly #files: RecordFiles
  readonly #catalog: Catalog
  readonly #writer: RecordWriter
  readonly #messages: MessageRepository<M, P>

  constructor(files: RecordFiles, catalog: Catalog, writer: RecordWriter, messages: MessageRepository<M, P>) {
    this.#files = files
    this.#catalog = catalog
    this.#writer = writer
    this.#messages = messages
  }

  /**
   * One session by its id or its key, `undefined` where there is none.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`
   */
  async get(idOrKey: IdOrKey): Promise<S | undefined> {
    const { id } = checkIdOrKey("session", idOrKey)
    const place = await this.#find(idOrKey)
    // Bodies are as the app's type says if the app and its schemas saw to it.
    return place && ((await getBody(this.#files, place, id)) as S | undefined)
  }

  /** The key under which a session lies, `undefined` where there is none; of several copies the newest's. */
  async keyOf(id: string): Promise<Key | undefined> {
    const place = await this.#find(id)
    return place && ["session", place.folder, id]
  }

  /**
   * Writes a session where it already lies, else into the folder of its `projectID`.
   * @throws StoreError `INVALID_RECORD`, `INVALID_KEY`, `READ_ONLY`, `WRITE_FAILED`, `LOCKED`
   */
  async write(session: S): Promise<void> {
    const { id, projectID } = fieldsOf(session)
    if (typeof id !== "string")
      throw new StoreError("INVALID_RECORD", "A session needs its `id` to be written")
    checkKey([id])
    const places = placesOf(this.#files, "session", id)
    const folder =
      places.find((place) => place.folder === projectID)?.folder ?? places[0]?.folder ?? projectID
    if (typeof folder !== "string")
      throw new StoreError("INVALID_RECORD", "A new session needs its `projectID` to be written")
    await this.#writer.write(["session", folder, id], session)
  }

  /** Changes a session atomically and gives its new body. @throws as `store.update` */
  async update(idOrKey: IdOrKey, change: Update<S>): Promise<S> {
    const { id } = checkIdOrKey("session", idOrKey)
    const place = await this.#find(idOrKey)
    if (!place) throw notFound("session", idOrKey)
    return this.#writer.update<S>(["session", place.folder, id], change)
  }

  /**
   * Removes a session in every project that holds it, with its child sessions, messages, parts and side files; the
   * session's own file goes last, so that a removal cut short can be finished by a second call. Files that cannot be
   * read are left and told of.
   * @throws StoreError `READ_ONLY`, `INVALID_KEY`, `WRITE_FAILED`, `LOCKED`
   */
  async remove(idOrKey: IdOrKey, options: { signal?: AbortSignal | undefined } = {}): Promise<Removal> {
    const { id } = checkIdOrKey("session", idOrKey)
    const removal: Removal = { sessions: 0, messages: 0, parts: 0, sideFiles: 0, left: [] }
    await this.#removeTree(id, removal, new Set(), options.signal)
    return removal
  }

  /** Yields session ids in the order of `list`. */
  async *ids(options: SessionListOptions = {}): AsyncGenerator<string> {
    for (const { id } of await this.#entries(options)) yield id
  }

  /**
   * Yields session bodies, newest `time.updated` first unless the options say otherwise. The order is fixed when the
   * first is asked for, so a session touched meanwhile is yielded once; what cannot be read is skipped and reported.
   */
  async *list(options: SessionListOptions = {}): AsyncGenerator<S> {
    for (const { id, project } of await this.#entries(options)) {
      options.signal?.throwIfAborted()
      const body = await readBody(this.#files, { kind: "session", folder: project }, id)
      if (body) yield body as S
    }
  }

  /** Yields the sessions whose parent this is; as `list`. */
  children(id: string, options: Omit<SessionListOptions, "parentID"> = {}): AsyncGenerator<S> {
    checkKey([id])
    return this.list({ ...options, parentID: id })
  }

  /** A page of sessions, newest first. @throws StoreError `INVALID_CURSOR`, `INVALID_KEY`; TypeError */
  async page(options: SessionPageOptions = {}): Promise<Page<S>> {
    const { items, older, newer } = await this.#page(options, true)
    const bodies = await Promise.all(
      items.map(({ id, project, body }) => {
        const place: Place = { kind: "session", folder: project }
        return (
          (body === undefined ? undefined : parseBody(body, place, id)) ?? readBody(this.#files, place, id)
        )
      }),
    )
    return { items: bodies.filter((body) => body !== undefined) as S[], older, newer }
  }

  /** As `page`, with the sessions' keys, for a caller that reads bodies one by one. */
  async pageKeys(options: SessionPageOptions = {}): Promise<Page<Key>> {
    const { items, older, newer } = await this.#page(options, false)
    return { items: items.map(({ id, project }) => ["session", project, id]), older, newer }
  }

  /** How many sessions match; without any filter but `projectID`, how many session files there are by name. */
  async count(options: SessionFilter = {}): Promise<number> {
    const query = toQuery(options)
    const { projectID, parentID, directory, archived, updatedSince, search } = query
    const filters = [parentID, directory, updatedSince, search, archived === "include" ? undefined : archived]
    if (filters.every((filter) => filter === undefined)) return this.#countFiles(projectID)
    return this.#catalog.countSessions(query, options.signal)
  }

  #countFiles(projectID: string | undefined): number {
    if (projectID !== undefined) return recordIds(this.#files, { kind: "session", folder: projectID }).length
    const ids = new Set<string>()
    for (const place of sessionPlaces(this.#files))
      for (const id of recordIds(this.#files, place)) ids.add(id)
    return ids.size
  }

  #page(options: SessionPageOptions, bodies: boolean): Promise<Page<SessionEntry>> {
    const query = toQuery(options)
    return cutPage(
      `session/${query.order}`,
      options.cursor,
      checkPageSize(options.limit),
      (direction, after, most) =>
        this.#catalog.sessions(
          { ...query, direction },
          { after, limit: most, bodies, signal: options.signal },
        ),
    )
  }

  async #entries(options: SessionListOptions): Promise<Iterable<SessionEntry>> {
    const query = toQuery(options)
    return this.#catalog.sessions(query, { limit: checkLimit(options.limit), signal: options.signal })
  }

  /** The session's place; of several copies the newest `time.updated`, then the last folder, wins. */
  async #find(idOrKey: IdOrKey): Promise<Place | undefined> {
    const { id, folder } = checkIdOrKey("session", idOrKey)
    if (folder !== undefined) return { kind: "session", folder }
    const places = placesOf(this.#files, "session", id)
    if (places.length < 2) return places[0]
    let newest: { place: Place; updated: number } | undefined
    for (const place of places) {
      const body = await readBody(this.#files, place, id)
      const updated = body ? sessionFields(body).updated : Number.NEGATIVE_INFINITY
      if (!newest || updated >= newest.updated) newest = { place, updated }
    }
    return newest?.place
  }

  async #removeTree(id: string, removal: Removal, seen: Set<string>, signal?: AbortSignal): Promise<void> {
    if (seen.has(id)) return
    seen.add(id)
    const children = await Array.fromAsync(this.ids({ parentID: id, signal }))
    for (const child of children) await this.#removeTree(child, removal, seen, signal)
    const messages = recordIds(this.#files, { kind: "message", folder: id })
    for (let start = 0; start < messages.length; start += MESSAGES_AT_ONCE) {
      signal?.throwIfAborted()
      const group = messages.slice(start, start + MESSAGES_AT_ONCE)
      await Promise.all(group.map((message) => this.#messages.removeAt(id, message, removal, signal)))
    }
    const { fs, directory } = this.#files
    fs.removeEmptyDirectory(join(directory, "message", id))
    const remove = (keys: Key[]): Promise<number> =>
      removeReadable(this.#files, this.#writer, keys, removal.left, signal)
    removal.sideFiles += await remove(SESSION_SIDE_KINDS.map((kind) => [kind, id]))
    const copies = placesOf(this.#files, "session", id).map(({ folder }) => ["session", folder, id])
    if ((await remove(copies)) > 0) removal.sessions++
  }
}

function sessionPlaces(files: RecordFiles): Place[] {
  return folderNames(files, "session").map((folder) => ({ kind: "session", folder }))
}

function toQuery(options: SessionListOptions): SessionQuery {
  const { projectID, parentID, directory, updatedSince } = options
  if (projectID !== undefined) checkKey([projectID])
  if (typeof parentID === "string") checkKey([parentID])
  if (updatedSince !== undefined && !Number.isFinite(updatedSince))
    throw new TypeError(`updatedSince must be a time in ms, not ${updatedSince}`)
  return {
    projectID,
    parentID,
    directory,
    updatedSince,
    search: options.search === undefined ? undefined : parseQuery(options.search),
    archived: checkChoice("archived", options.archived, ["include", "exclude", "only"], "include"),
    order: checkChoice("order", options.order, ["updated", "created"], "updated"),
    direction: checkChoice("direction", options.direction, ["asc", "desc"], "desc"),
  }
}
