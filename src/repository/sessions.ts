import { StoreError } from "../errors.ts"
import { loaded } from "../exhaustion.ts"
import { fieldsOf, type JsonObject } from "../record/extract.ts"
import type { DeclaredFields, FieldTypes, NoFields } from "../record/fields.ts"
import { parseBody } from "../record/identify.ts"
import { checkKey, checkWritableKey, type Key, segmentFault } from "../record/key.ts"
import type { Session } from "../record/session.ts"
import type { SessionOrigin } from "../root/catalog.ts"
import { checkIdOrKey, checkLimit, checkPageSize, type IdOrKey } from "../root/check.ts"
import type { Root } from "../root/root.ts"
import type { Removal, Update, Writer } from "../root/writer.ts"
import type { Fetch } from "./cursor.ts"
import { cutPage, fetchReadable, type Page } from "./cursor.ts"
import { ofProjects } from "./of-projects.ts"
import { ofSource } from "./of-source.ts"
import type { RootedEntry } from "./owned-sessions.ts"
import { notFound } from "./parts.ts"
import type { RepairOptions } from "./repair.ts"
import type { Roots } from "./roots.ts"
import { MAX_LOOKS } from "./roots.ts"
import {
  type SessionFilter,
  type SessionListOptions,
  type SessionPageOptions,
  toQuery,
} from "./session-query.ts"

/** A session with the place it is read from: the store's own folder, or a root beside it. */
export interface SessionWithOrigin<S = Session> {
  readonly session: S
  /** The agent whose history it is in, such as `codex`; `json` for a folder of JSON files of no known agent. */
  readonly source: string
  /** The folder, file or URL that it is read from. */
  readonly origin: string
  /** For a session that machines published: the name of the machine whose copy is read. `alsoOn` names the others that have a copy. */
  readonly machine?: string
  readonly alsoOn?: readonly string[]
}

/** A restored session, and the path it was, or would be, written to. */
export interface RepairedSession<S = Session> {
  readonly session: S
  readonly path: string
}

/**
 * The sessions of the store's own folder and of the roots beside it. A session that lies in several places is listed once, by the copy with
 * the newest `time.updated`.
 */
export class SessionRepository<S, F extends FieldTypes = NoFields> {
  readonly #roots: Roots
  readonly #writer: Writer
  readonly #declared: DeclaredFields | undefined
  #repairing: Promise<unknown> = Promise.resolve()

  constructor(roots: Roots, writer: Writer, declared?: DeclaredFields) {
    this.#declared = declared
    this.#roots = roots
    this.#writer = writer
  }

  /**
   * One session by its id or its key, `undefined` if there is none.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`, `EXHAUSTED`
   */
  async get(idOrKey: IdOrKey): Promise<S | undefined> {
    return (await this.getWithOrigin(idOrKey))?.session
  }

  /** As `get`, with the place it is read from and the agent whose history that is. */
  async getWithOrigin(idOrKey: IdOrKey): Promise<SessionWithOrigin<S> | undefined> {
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const found = await this.#roots.findSession(idOrKey)
      const body = found && (await found.root.records.get("session", found.place.folder, found.id))
      // Whether bodies have the app's type is up to the app and its schemas.
      if (body) {
        const from = await found.root.origins?.([found.id])
        return { session: body as S, ...originOf(found.root, from?.get(found.id)) }
      }
      if (!found || typeof idOrKey !== "string") return undefined
      // Another process moved it just now.
    }
    return undefined
  }

  /** The place that a session is read from, `undefined` if there is no such session. @throws StoreError `INVALID_KEY` */
  async origin(idOrKey: IdOrKey): Promise<string | undefined> {
    return (await this.#roots.findSession(idOrKey))?.root.place
  }

  /** The key of a session, `undefined` if there is none; of several copies the newest one's. */
  async keyOf(id: string): Promise<Key | undefined> {
    const found = await this.#roots.findSession(id)
    return found && ["session", found.place.folder, id]
  }

  /**
   * Writes a session where it already lies, else into the folder of its `projectID`. Resolves when it is on the disk. A session that lies
   * only in a root beside the store's own is `READ_ONLY`: import it first. If such a root has a newer version, that is still the one read.
   * @throws StoreError `INVALID_RECORD`, `INVALID_KEY`, `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  async write(session: S): Promise<void> {
    const { id, projectID } = fieldsOf(session)
    if (typeof id !== "string")
      throw new StoreError("INVALID_RECORD", "A session needs its `id` to be written")
    checkKey([id])
    await this.#roots.checkWritable(id)
    const find = async (): Promise<Key> => {
      const named =
        typeof projectID === "string" && segmentFault(projectID) === undefined ? projectID : undefined
      const folder = (await this.#roots.main.folderToWrite(id, named)) ?? projectID
      if (typeof folder !== "string")
        throw new StoreError("INVALID_RECORD", "A new session needs its `projectID` to be written")
      return ["session", folder, id]
    }
    await this.#writer.write({ kind: "session", find }, session)
  }

  /**
   * Changes a session atomically and returns its new body. A session whose newest version lies in a root beside the store's own is
   * `READ_ONLY`.
   * @throws as `store.update`
   */
  async update(idOrKey: IdOrKey, change: Update<S>): Promise<S> {
    const find = async (): Promise<Key> => {
      const found = await this.#roots.findSession(idOrKey, true)
      if (!found) throw notFound("session", idOrKey)
      this.#roots.checkMain(found)
      return ["session", found.place.folder, found.id]
    }
    return this.#writer.update<S>({ kind: "session", find }, change)
  }

  /**
   * Removes a session in every project that holds it, with its child sessions, messages, parts and side files. The session's own file goes
   * last, so that a second call can finish a removal that was cut short. Files that cannot be read are kept and returned in `left`, and so
   * are copies in roots beside the store's own, from where the session is listed then. Parts that another session's message shares are kept.
   * @throws StoreError `READ_ONLY`, also for a session that lies only in such roots; `INVALID_KEY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  async remove(idOrKey: IdOrKey, options: { signal?: AbortSignal | undefined } = {}): Promise<Removal> {
    const { id } = checkIdOrKey("session", idOrKey)
    this.#writer.mustBeWritable()
    await this.#roots.checkWritable(id)
    const { catalog } = this.#roots.main
    const childrenOf = async (parentID: string): Promise<string[]> =>
      [...(await catalog.sessions(toQuery({ parentID }), options))].map((child) => child.id)
    const removal = await this.#writer.removeSession(id, childrenOf, options)
    for (const { records } of this.#roots.all.slice(1))
      for (const folder of await records.foldersOf("session", id))
        removal.left.push({
          path: records.locate(["session", folder, id]),
          code: "READ_ONLY",
          message: "Another copy lies in a folder that is only read",
        })
    return removal
  }

  /**
   * Moves a session and its child sessions to another project, which need not have a record. Returns the ids of the sessions that moved.
   * Messages and side files stay where they are, since they lie in no project, and `directory` is not changed. If both projects' names lead
   * to one folder, there is nothing to move.
   * @throws StoreError `NOT_FOUND`, `CONFLICT`, `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `EXHAUSTED`, `READ_ONLY`, `INVALID_KEY`,
   * `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  async move(
    idOrKey: IdOrKey,
    projectID: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<string[]> {
    const { id } = checkIdOrKey("session", idOrKey)
    checkWritableKey([projectID])
    this.#writer.mustBeWritable()
    const found = await this.#roots.findSession(id, true)
    if (!found) throw notFound("session", idOrKey)
    this.#roots.checkMain(found)
    const moved: string[] = []
    const seen = new Set<string>()
    const waiting = [id]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue
      seen.add(next)
      options.signal?.throwIfAborted()
      // Found before their parent moves, so that after an interruption a second call finds them again.
      const children = await this.#roots.main.catalog.sessions(toQuery({ parentID: next }), options)
      for (const child of children) waiting.push(child.id)
      const session = next
      const newest = async (): Promise<string | undefined> =>
        (await this.#roots.findSession(session))?.place.folder
      if (await this.#writer.moveSession(session, projectID, newest)) moved.push(session)
    }
    return moved
  }

  /**
   * Restores a session whose own file is gone but whose messages are there: writes a file made from what is left, and returns its body and
   * path. The id is that of the messages' folder, the times are theirs, the title is the person's first words, the directory and project are
   * those the model worked in. If the session has a file in any project, readable or not, that stays as it is.
   * @throws StoreError `CONFLICT` if there is a file, `NOT_FOUND` if there are no messages either, `UNREADABLE` if that cannot be told,
   * `READ_ONLY`, `INVALID_KEY`, `INVALID_RECORD`, `WRITE_FAILED`, `LOCKED`; the signal's reason
   */
  async repair(id: string, options: RepairOptions = {}): Promise<RepairedSession<S>> {
    const { repairSession } = await loaded(() => import("./repair.ts"))
    // One after another: two at once, for different projects, would not see each other's file.
    const repaired = this.#repairing.then(() => repairSession(this.#roots, this.#writer, id, options))
    this.#repairing = repaired.catch(() => {})
    const { session, path } = await repaired
    return { session: session as S, path }
  }

  /**
   * The body that `repair` would write for a session whose own file is gone; `undefined` if it has a file, or no messages.
   * @throws StoreError `UNREADABLE` if that cannot be told, `INVALID_KEY`; the signal's reason
   */
  async recover(id: string, options: { signal?: AbortSignal | undefined } = {}): Promise<S | undefined> {
    checkKey([id])
    const { recoverSession, sessionFile } = await loaded(() => import("./recovery.ts"))
    if ((await sessionFile(this.#roots, id)) !== undefined) return undefined
    const root = await this.#roots.ofSession(id)
    return (await recoverSession(this.#roots, root, id, undefined, options.signal)) as S | undefined
  }

  /** Yields session ids in the order of `list`. */
  async *ids(options: SessionListOptions<F> = {}): AsyncGenerator<string> {
    for (const { id } of await this.#entries(options)) {
      options.signal?.throwIfAborted()
      yield id
    }
  }

  /**
   * Yields session bodies, newest `time.updated` first unless the options say otherwise. The order is fixed when the first is asked for, so a
   * session that changes meanwhile is yielded once. What cannot be read is skipped and reported.
   */
  async *list(options: SessionListOptions<F> = {}): AsyncGenerator<S> {
    for await (const { session } of this.listWithOrigin(options)) yield session
  }

  /** As `list`, each session with the place it is read from. */
  async *listWithOrigin(options: SessionListOptions<F> = {}): AsyncGenerator<SessionWithOrigin<S>> {
    let missing = checkLimit(options.limit)
    // Later rounds make up for sessions that cannot be read; one that changed meanwhile may come again there.
    const given = new Set<string>()
    for (let after: RootedEntry | undefined; missing !== 0; ) {
      let asked = missing
      for (const entry of await this.#entries({ ...options, limit: missing }, after, "some")) {
        options.signal?.throwIfAborted()
        after = entry
        if (asked !== undefined) asked--
        const session = given.has(entry.id) ? undefined : await readEntry(entry)
        if (!session) continue
        if (missing !== undefined) {
          missing--
          given.add(entry.id)
        }
        yield { session: session as S, ...originOf(entry.root, entry.from) }
      }
      if (asked !== 0) return
    }
  }

  /** Yields the child sessions of a session, as `list` does. */
  children(id: string, options: Omit<SessionListOptions<F>, "parentID"> = {}): AsyncGenerator<S> {
    checkKey([id])
    return this.list({ ...options, parentID: id })
  }

  /** A page of sessions, newest first. @throws StoreError `INVALID_CURSOR`, `INVALID_KEY`; TypeError */
  async page(options: SessionPageOptions<F> = {}): Promise<Page<S>> {
    const { items, older, newer } = await this.pageWithOrigin(options)
    return { items: items.map(({ session }) => session), older, newer }
  }

  /** As `page`, each session with the place it is read from. */
  async pageWithOrigin(options: SessionPageOptions<F> = {}): Promise<Page<SessionWithOrigin<S>>> {
    const { items, older, newer } = await this.#page(
      options,
      (fetch) => fetchReadable(fetch, readEntry),
      true,
    )
    return {
      items: items.map(({ read, root, from }) => ({ session: read as S, ...originOf(root, from) })),
      older,
      newer,
    }
  }

  /** As `page`, with the sessions' keys, for a caller that reads bodies one by one. */
  async pageKeys(options: SessionPageOptions<F> = {}): Promise<Page<Key>> {
    const { items, older, newer } = await this.#page(options, (fetch) => fetch)
    return { items: items.map(({ id, project }) => ["session", project, id]), older, newer }
  }

  /** How many sessions match. Without any filter except `projectID`, how many session files there are by name, readable or not. */
  async count(options: SessionFilter<F> = {}): Promise<number> {
    const query = toQuery(options, this.#declared)
    const { parentID, directory, archived, updatedSince, search, where } = query
    const projects = ofProjects(options.projectID)
    const filters = [
      parentID,
      directory,
      updatedSince,
      search,
      where,
      archived === "include" ? undefined : archived,
    ]
    options.signal?.throwIfAborted()
    const isMeant = ofSource(options.source)
    if (!isMeant && filters.every((filter) => filter === undefined))
      return this.#roots.countSessionRecords(projects)
    return this.#roots.countSessions(query, options.signal, isMeant, projects)
  }

  #page<Entry extends RootedEntry>(
    options: SessionPageOptions<F>,
    fetching: (fetch: Fetch<RootedEntry>) => Fetch<Entry>,
    bodies = false,
  ): Promise<Page<Entry>> {
    const query = toQuery(options, this.#declared)
    const { by, order } = query
    const isMeant = ofSource(options.source)
    const projects = ofProjects(options.projectID)
    return cutPage(
      `session/${by ? `${by.type}/${by.name}` : order}`,
      options.cursor,
      checkPageSize(options.limit),
      fetching((direction, range) =>
        this.#roots.sessions(
          { ...query, direction },
          { ...range, bodies, signal: options.signal },
          isMeant,
          projects,
        ),
      ),
    )
  }

  async #entries(
    { limit, signal, ...options }: SessionListOptions<F>,
    after?: RootedEntry,
    bodies?: "some",
  ): Promise<Iterable<RootedEntry>> {
    const range = { after, limit: checkLimit(limit), bodies, signal }
    return this.#roots.sessions(
      toQuery(options, this.#declared),
      range,
      ofSource(options.source),
      ofProjects(options.projectID),
    )
  }
}

function readEntry({ id, project, root, body }: RootedEntry): JsonObject | Promise<JsonObject | undefined> {
  const kept = body === undefined ? undefined : parseBody(body, { kind: "session", folder: project }, id)
  return kept ?? root.records.read("session", project, [id]).then(([read]) => read)
}

function originOf(
  { place, source }: Root,
  from: SessionOrigin | undefined,
): Omit<SessionWithOrigin, "session"> {
  return { source, origin: place, ...from }
}
