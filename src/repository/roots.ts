import { isStoreError, StoreError } from "../errors.ts"
import { loadedOnce } from "../exhaustion.ts"
import { sessionFields } from "../record/extract.ts"
import { type Key, segmentFault } from "../record/key.ts"
import { type Place, SESSION_SIDE_KINDS } from "../record/kind.ts"
import type { SessionQuery } from "../record/query.ts"
import type { Range, SessionEntry } from "../root/catalog.ts"
import { checkIdOrKey, type IdOrKey } from "../root/check.ts"
import type { Root } from "../root/root.ts"
import type { WritableRoot } from "../root/writable-root.ts"
import type { ApartCounts } from "./apart-counts.ts"
import { Looking } from "./looking.ts"
import type { ReadVersion, RootedEntry } from "./owned-sessions.ts"
import { ReadFrom } from "./read-from.ts"

const ownedSessions = loadedOnce(() => import("./owned-sessions.ts"))
const apartCounts = loadedOnce(() => import("./apart-counts.ts"))

/** How many times a session that is not found is looked for, because another process may be moving it. */
export const MAX_LOOKS = 3

/** Where a record lies. */
export interface Found {
  readonly root: Root
  readonly place: Place
  readonly id: string
}

/** A query to all roots; the projects are passed separately. */
export type RootsQuery = Omit<SessionQuery, "projectID">

/** Project ids; `[undefined]` for all projects. */
type Projects = readonly (string | undefined)[]
const ALL_PROJECTS: Projects = [undefined]

/**
 * The roots that a store reads: its own folder, the only one that is written to, and others beside it.
 *
 * A session that lies in several roots is read whole from one of them, with its messages and parts: where its `time.updated` is newest; among
 * equals where it has most messages; then the store's own folder before the others, in their order. If that root is gone, no older copy stands
 * in for it: listings leave the session out, and calls about it are `UNREADABLE`.
 */
export class Roots {
  readonly main: WritableRoot
  readonly #all: readonly Root[]
  readonly #readFrom = new ReadFrom<Root>()
  #sums: ApartCounts | undefined
  readonly #mustBeOpen: () => void

  /** @param mustBeOpen throws once the store is closed */
  constructor(main: WritableRoot, others: readonly Root[], mustBeOpen: () => void) {
    this.main = main
    this.#all = [main, ...others]
    this.#mustBeOpen = mustBeOpen
    // Asked now, so that each root notes what is there and would be missed.
    for (const { upkeep } of others) upkeep.outOfReach()
  }

  /** The store's own root with those others for which `isMeant` is true; this very object if those are all. */
  only(isMeant: (root: Root) => boolean): Roots {
    const others = this.#all.slice(1).filter(isMeant)
    if (others.length === this.#all.length - 1) return this
    return new Roots(this.main, others, this.#mustBeOpen)
  }

  /** All roots, the store's own first. Every call of a repository begins here. @throws StoreError `CLOSED` */
  get all(): readonly Root[] {
    this.#mustBeOpen()
    return this.#all
  }

  /**
   * As `Catalog.sessions`, over all roots.
   * @param isMeant whether to list sessions that are read from a root
   * @param projects only sessions in these projects; of copies in several of them the newest
   */
  async sessions(
    query: RootsQuery,
    range: Range,
    isMeant: (root: Root) => boolean = () => true,
    projects: Projects = ALL_PROJECTS,
  ): Promise<Iterable<RootedEntry>> {
    const [first] = projects
    if (this.all.length === 1 && projects.length === 1)
      return isMeant(this.main)
        ? rooted(this.main, await this.main.catalog.sessions({ ...query, projectID: first }, range))
        : []
    const before = this.#gone()
    const isLimited = !projects.includes(undefined)
    let gone: ReadonlySet<Root> | undefined
    const isRead = (id: string, version: ReadVersion): boolean => {
      // Looked at after all roots have answered: a root that went away meanwhile counts as gone, and so does one that came back.
      gone ??= new Set([...before, ...this.#gone()])
      if (gone.has(version.root)) return false
      this.#note(id, version, gone, isLimited)
      const newer = this.#readFrom.newerThan(id, version.updated)
      return !newer || !gone.has(newer)
    }
    const views = this.reachable().flatMap((root) => projects.map((projectID) => ({ root, projectID })))
    const { OwnedSessions } = await ownedSessions()
    return new OwnedSessions(views, isRead, isMeant).list(query, range)
  }

  /** As `Catalog.countSessions`, over all roots. */
  async countSessions(
    query: RootsQuery,
    signal?: AbortSignal,
    isMeant: (root: Root) => boolean = () => true,
    projects: Projects = ALL_PROJECTS,
  ): Promise<number> {
    const [first] = projects
    if (this.all.length === 1 && projects.length === 1)
      return isMeant(this.main) ? this.main.catalog.countSessions({ ...query, projectID: first }, signal) : 0
    this.#sums ??= new (await apartCounts()).ApartCounts()
    const areThere = (): boolean => this.#gone().size === 0
    const sum = await this.#sums.of(this.all, projects, areThere, (root, projectID) =>
      isMeant(root) ? root.catalog.countSessions({ ...query, projectID }, signal) : 0,
    )
    if (sum !== undefined) return sum
    let count = 0
    for (const _ of await this.sessions(query, { signal }, isMeant, projects)) count++
    return count
  }

  /** How many sessions there are by name, readable or not, in some projects or all. */
  async countSessionRecords(projects: Projects): Promise<number> {
    const ids = new Set<string>()
    for (const { records } of this.reachable())
      for (const projectID of projects)
        for (const folder of projectID === undefined ? await records.folders("session") : [projectID])
          for (const id of await records.names("session", folder)) ids.add(id)
    return ids.size
  }

  /**
   * The place of a session. Of several copies the one with the newest `time.updated` counts; among equals in one root, the last folder's.
   * @param strict whether a place that is closed to us is an error if nothing is found; otherwise it is only reported
   * @throws StoreError `UNREADABLE` if it lies, or may lie, in a root that is gone, or if nothing is found although not everything could be
   * looked at; `EXHAUSTED`
   */
  async findSession(idOrKey: IdOrKey, strict?: boolean): Promise<Found | undefined> {
    const { id, folder } = checkIdOrKey("session", idOrKey)
    if (folder !== undefined && this.all.length === 1)
      return { root: this.main, place: { kind: "session", folder }, id }
    // Another process may be moving it, from a folder not yet looked at to one that was.
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const found = await this.#findSession(id, folder, strict)
      if (found) return found
    }
    return this.#absent("session", id)
  }

  /**
   * The root that a session, and what belongs to it, is read from. For a session without a file, the root that has its messages.
   * @throws as `findSession`
   */
  async ofSession(id: string, question?: object): Promise<Root> {
    return (await this.#ownerOf(id, question)) ?? this.#absent("session", id) ?? this.main
  }

  /** As `ofSession`, but `undefined` if the session is nowhere. */
  async #ownerOf(id: string, question?: object): Promise<Root | undefined> {
    if (this.all.length === 1) return this.main
    const found = await this.#findSession(checkIdOrKey("session", id).id, undefined, false, question)
    return found?.root ?? (await this.#withRecords("message", id))[0]
  }

  /** As `ofSession`, but `undefined` if the session was read from a root that is gone. */
  async ownerOf(session: string, question?: object): Promise<Root | undefined> {
    try {
      return await this.ofSession(session, question)
    } catch (error) {
      if (!isStoreError(error, "UNREADABLE")) throw error
      return undefined
    }
  }

  /** The root that a message's parts are read from. */
  async ofMessage(id: string): Promise<Root> {
    if (this.all.length === 1) return this.main
    let found = await this.#guess("message", id)
    if (!found) {
      // If no index knows the message, its parts tell the root. Only if several roots have parts, the message is looked for.
      const roots = await this.#withRecords("part", id)
      found = roots.length > 1 ? await this.#scan("message", id, new Looking()) : undefined
      if (!found) return roots[0] ?? this.#absent("message", id) ?? this.main
    }
    return (await this.#preferred(found)).root
  }

  /**
   * The place of a message: by its key, else by an index, else by looking into every folder. Its session's root is preferred. Otherwise as
   * `findSession`.
   */
  async findMessage(idOrKey: IdOrKey, strict?: boolean): Promise<Found | undefined> {
    const found = await this.#find("message", idOrKey, strict)
    return found && this.#preferred(found)
  }

  /** The place of a part; as `findMessage`. */
  async findPart(idOrKey: IdOrKey, strict?: boolean): Promise<Found | undefined> {
    const found = await this.#find("part", idOrKey, strict)
    if (!found || this.all.length === 1) return found
    const root = await this.ofMessage(found.place.folder)
    return (await holds(root, found.place, found.id)) ? { ...found, root } : found
  }

  async #find(kind: "message" | "part", idOrKey: IdOrKey, strict?: boolean): Promise<Found | undefined> {
    const { id, folder } = checkIdOrKey(kind, idOrKey)
    const found =
      folder === undefined
        ? ((await this.#guess(kind, id)) ?? (await this.#scan(kind, id, new Looking(strict))))
        : this.all.length === 1
          ? { root: this.main, place: { kind, folder }, id }
          : await this.#held({ kind, folder }, id)
    return found ?? this.#absent(kind, id)
  }

  /** The root that a record of any kind is read from by its key: the store's own if it has the record, so that a write is read back. */
  async ofKey(key: Key): Promise<Root> {
    const [kind, owner, id] = key
    if (this.all.length === 1 || owner === undefined) return this.main
    if (await this.main.has(key)) return this.main
    if (kind === "session" && id !== undefined)
      return (await this.findSession([kind, owner, id]))?.root ?? this.main
    if (kind === "part" && id !== undefined)
      return (await this.findPart([kind, owner, id]))?.root ?? this.main
    const ofSession = kind === "message" || SESSION_SIDE_KINDS.some((side) => side === kind)
    const root = ofSession ? await this.ofSession(owner) : await this.#withPlain(key)
    // The store's own root does not have it.
    return root && root !== this.main ? root : (this.#absent("record", key.join("/")) ?? this.main)
  }

  /**
   * Checks that a record of a session can be written. If the session lies only in other roots, the record would be hidden behind it. Returns
   * nothing to wait for if the store's own folder has the session, so that a write is queued before its call returns.
   * @throws StoreError `READ_ONLY`
   */
  checkWritable(sessionID: string): Promise<void> | undefined {
    // An invalid id is in no root; if it matters, the write itself refuses it.
    if (this.all.length === 1 || segmentFault(sessionID) !== undefined) return undefined
    try {
      if (this.main.projectsOf(sessionID).length > 0) return undefined
    } catch (error) {
      // Looked for again below, with retries.
      if (!isStoreError(error, "EXHAUSTED")) throw error
    }
    return this.#checkElsewhere(sessionID)
  }

  async #checkElsewhere(sessionID: string): Promise<void> {
    // A root that is gone, and may hold the session, does not prevent writes.
    const root = (await this.#ownerOf(sessionID)) ?? this.main
    if (root !== this.main) throw elsewhere(root, `The session ${sessionID}`)
  }

  /** Checks that a record to be changed lies in the store's own folder. @throws StoreError `READ_ONLY` */
  checkMain({ root, place, id }: Found): void {
    if (root !== this.main) throw elsewhere(root, `The ${place.kind} ${id}`)
  }

  /** Remembers where a session is read from. @param limited whether only copies in some projects were looked at */
  #note(id: string, version: ReadVersion, gone: ReadonlySet<Root>, limited: boolean): void {
    const { root, updated } = version
    const newer = this.#readFrom.newerThan(id, updated)
    if ((newer && gone.has(newer)) || gone.has(root)) return
    if (root !== this.main) this.#readFrom.note(id, version)
    else if (!limited) this.#readFrom.forget(id)
  }

  /** The newest copy of a session, in one project or in any. @throws as `findSession`; StoreError `UNREADABLE` if a newer one is out of reach */
  async #findSession(id: string, folder?: string, strict = false, question = {}): Promise<Found | undefined> {
    const found: Found[] = []
    const looking = new Looking(strict)
    for (const root of this.reachable())
      for (const project of await root.records.foldersOf("session", id, looking.note, question))
        if (folder === undefined || project === folder)
          found.push({ root, place: { kind: "session", folder: project }, id })
    if (found.length === 0) looking.mustHaveSeenAll()
    const [only] = found
    if (found.length < 2 && (!only || only.root === this.main) && !this.#readFrom.has(id)) return only
    if (found.length < 2 && this.all.length === 1) return only
    let updated = Number.NEGATIVE_INFINITY
    let newest: Found[] = []
    for (const candidate of found) {
      const { root, place } = candidate
      const [body] = await root.records.read("session", place.folder, [id], undefined, question)
      const time = body ? sessionFields(body).updated : Number.NEGATIVE_INFINITY
      if (time > updated || newest.length === 0) newest = []
      if (time >= updated) newest.push(candidate)
      updated = Math.max(updated, time)
    }
    const roots = [...new Set(newest.map(({ root }) => root))]
    const { mostMessages } = await ownedSessions()
    const { root, tied } = Number.isFinite(updated)
      ? await mostMessages(id, roots)
      : { root: roots[0], tied: false }
    const gone = this.#gone()
    for (const missing of [this.#readFrom.newerThan(id, updated), root])
      if (missing && gone.has(missing)) throw unreachable(missing, `The session ${id}`)
    const last = newest.findLast((candidate) => candidate.root === root)
    if (last) this.#note(id, { root: last.root, updated, tied }, gone, folder !== undefined)
    return last
  }

  /** The roots that are not gone, the store's own first. */
  reachable(): readonly Root[] {
    return this.all.filter((root) => root === this.main || !root.upkeep.outOfReach())
  }

  #gone(): ReadonlySet<Root> {
    const there = this.reachable()
    return new Set(this.#all.filter((root) => !there.includes(root)))
  }

  /** The answer for what is found nowhere. @throws StoreError `UNREADABLE` if it may lie in a root that is gone */
  #absent(kind: string, id: string): undefined {
    for (const root of this.#gone()) throw unreachable(root, `The ${kind} ${id}`)
  }

  async #guess(kind: "message" | "part", id: string): Promise<Found | undefined> {
    for (const root of this.reachable()) {
      const folder = await root.catalog.guessFolder(kind, id)
      if (folder !== undefined && (await root.records.holds(kind, folder, id)))
        return { root, place: { kind, folder }, id }
    }
    return undefined
  }

  /** Looks into every folder, of which there may be many. */
  async #scan(kind: "message" | "part", id: string, looking: Looking): Promise<Found | undefined> {
    for (const root of this.reachable()) {
      const [folder] = await root.records.foldersOf(kind, id, looking.note)
      if (folder !== undefined) return { root, place: { kind, folder }, id }
    }
    looking.mustHaveSeenAll()
    return undefined
  }

  /** The first root that has a record of a kind without owners' folders, such as a project. */
  async #withPlain([kind = "", id = "", ...deeper]: Key): Promise<Root | undefined> {
    if (deeper.length > 0) return undefined
    for (const root of this.reachable()) if ((await root.records.plainIds(kind)).includes(id)) return root
    return undefined
  }

  /** The roots that have records in a folder, or may have some because it cannot be listed; reading will report why. */
  async #withRecords(kind: "message" | "part", folder: string): Promise<Root[]> {
    const roots: Root[] = []
    for (const root of this.reachable()) {
      let mayHave = false
      const ids = await root.records.ids(kind, folder, ({ code }) => {
        mayHave ||= code === "UNREADABLE"
      })
      if (ids.length > 0 || mayHave) roots.push(root)
    }
    return roots
  }

  async #held(place: Place, id: string): Promise<Found> {
    for (const root of this.reachable()) if (await holds(root, place, id)) return { root, place, id }
    // If no root has it, it would be the store's own.
    return this.#absent(place.kind, id) ?? { root: this.main, place, id }
  }

  /** Prefers the root that the message's session is read from, if it has the message. */
  async #preferred(found: Found): Promise<Found> {
    if (this.all.length === 1) return found
    const root = await this.ofSession(found.place.folder)
    return (await holds(root, found.place, found.id)) ? { ...found, root } : found
  }
}

/** Adds the root to entries, one by one as they are asked for, since a listing may be long. */
function rooted(root: Root, entries: Iterable<SessionEntry>): Iterable<RootedEntry> {
  return {
    *[Symbol.iterator]() {
      for (const { id, time, text, project, body } of entries) yield { id, time, text, project, body, root }
    },
  }
}

function holds({ records }: Root, { kind, folder }: Place, id: string): Promise<boolean> {
  return records.holds(kind, folder, id)
}

function unreachable({ place }: Root, what: string): StoreError {
  return new StoreError("UNREADABLE", `${what} cannot be looked at: ${place} is not there any more`, {
    path: place,
    hint: "Bring the folder back, or open the store without it.",
  })
}

function elsewhere({ place }: Root, what: string): StoreError {
  return new StoreError("READ_ONLY", `${what} lies in ${place}, which is only read`, {
    path: place,
    hint: "Import the session into this store first, or open the store it is in.",
  })
}
