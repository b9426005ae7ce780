import { isStoreError, StoreError } from "../errors.ts"
import { placePath, statPlace } from "../file/layout.ts"
import { lstatQuietly } from "../file/reader.ts"
import { sessionFields } from "../record/extract.ts"
import { type Key, keyPath, segmentFault } from "../record/key.ts"
import { type Place, SESSION_SIDE_KINDS } from "../record/kind.ts"
import { comparePosition } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"
import type { Catalog, Range, SessionEntry } from "../root/catalog.ts"
import { checkIdOrKey, type IdOrKey } from "../root/check.ts"
import { holds, placesOf, readBody } from "../root/json/bodies.ts"
import { folderNames, type RecordFiles, recordIds } from "../root/json/file-catalog.ts"
import { TimeSlice } from "../time-slice.ts"

/** A folder of sessions, and what there is in it. */
export interface Root {
  readonly files: RecordFiles
  readonly catalog: Catalog
}

/** Where a record lies. */
export interface Found {
  readonly root: Root
  readonly place: Place
  readonly id: string
}

/** A session's place in a listing over all roots. */
export interface RootedEntry extends SessionEntry {
  readonly root: Root
}

/**
 * The folders a store reads: its own, which alone is written to, and others beside it.
 *
 * A session that lies in several is read from one of them, whole, with its messages and parts: where its `time.updated` is
 * newest; among equals the store's own folder, then the others in their order.
 */
export class Roots {
  readonly main: Root
  readonly #all: readonly Root[]
  readonly #mustBeOpen: () => void

  /** @param mustBeOpen throws once the store is closed */
  constructor(main: Root, others: readonly Root[], mustBeOpen: () => void) {
    this.main = main
    this.#all = [main, ...others]
    this.#mustBeOpen = mustBeOpen
  }

  /** All of them, the store's own first; every call of a repository begins here. @throws StoreError `CLOSED` */
  get all(): readonly Root[] {
    this.#mustBeOpen()
    return this.#all
  }

  /** As `Catalog.sessions`, over all roots. */
  async sessions(query: SessionQuery, range: Range): Promise<Iterable<RootedEntry>> {
    if (this.all.length === 1) return rooted(this.main, await this.main.catalog.sessions(query, range))
    const newest = await this.#newest(query.projectID, range.signal)
    let entries: RootedEntry[] = []
    for (const root of this.all) entries = entries.concat(await ownEntries(root, query, range, newest))
    const sign = query.direction === "asc" ? 1 : -1
    entries.sort((a, b) => sign * comparePosition(a, b))
    return range.limit === undefined ? entries : entries.slice(0, range.limit)
  }

  /** As `Catalog.countSessions`, over all roots. */
  async countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    if (this.all.length === 1) return this.main.catalog.countSessions(query, signal)
    let count = 0
    for (const _ of await this.sessions(query, { signal })) count++
    return count
  }

  /** How many sessions there are by the names of their files, of a project or all. */
  countSessionFiles(projectID: string | undefined): number {
    const ids = new Set<string>()
    for (const { files } of this.all)
      for (const folder of projectID === undefined ? folderNames(files, "session") : [projectID])
        for (const id of recordIds(files, { kind: "session", folder })) ids.add(id)
    return ids.size
  }

  /** The session's place; of several copies the newest `time.updated` wins, among equals of one root the last folder. */
  async findSession(idOrKey: IdOrKey): Promise<Found | undefined> {
    const { id, folder } = checkIdOrKey("session", idOrKey)
    if (folder !== undefined && this.all.length === 1)
      return { root: this.main, place: { kind: "session", folder }, id }
    // The winner is the last of the newest, so the store's own folder comes last.
    const found = this.all.toReversed().flatMap((root) =>
      placesOf(root.files, "session", id)
        .filter((place) => folder === undefined || place.folder === folder)
        .map((place): Found => ({ root, place, id })),
    )
    if (found.length < 2) return found[0]
    let newest: { found: Found; updated: number } | undefined
    for (const candidate of found) {
      const body = await readBody(candidate.root.files, candidate.place, id)
      const updated = body ? sessionFields(body).updated : Number.NEGATIVE_INFINITY
      if (!newest || updated >= newest.updated) newest = { found: candidate, updated }
    }
    return newest?.found
  }

  /** The root that a session, and what belongs to it, is read from; of one without a file, where its messages are. */
  async ofSession(id: string): Promise<Root> {
    if (this.all.length === 1) return this.main
    const found = await this.findSession(id)
    return (
      found?.root ?? this.all.find((root) => hasFolder(root, { kind: "message", folder: id })) ?? this.main
    )
  }

  /** The root that a message's parts are read from. */
  async ofMessage(id: string): Promise<Root> {
    if (this.all.length === 1) return this.main
    let found = await this.#guess("message", id)
    if (!found) {
      // Where no index knows the message, its parts tell; only where several roots have some it must be looked for.
      const roots = this.all.filter((root) => hasFolder(root, { kind: "part", folder: id }))
      found = roots.length > 1 ? await this.#scan("message", id) : undefined
      if (!found) return roots[0] ?? this.main
    }
    return (await this.#preferred(found)).root
  }

  /** Where a message lies: as its key says, else as an index says, else wherever it is; its session's root is preferred. */
  async findMessage(idOrKey: IdOrKey): Promise<Found | undefined> {
    const { id, folder } = checkIdOrKey("message", idOrKey)
    if (folder !== undefined && this.all.length === 1)
      return { root: this.main, place: { kind: "message", folder }, id }
    const found =
      folder === undefined
        ? ((await this.#guess("message", id)) ?? (await this.#scan("message", id)))
        : this.#held({ kind: "message", folder }, id)
    return found && this.#preferred(found)
  }

  /** Where a part lies; as `findMessage`. */
  async findPart(idOrKey: IdOrKey): Promise<Found | undefined> {
    const { id, folder } = checkIdOrKey("part", idOrKey)
    if (folder !== undefined && this.all.length === 1)
      return { root: this.main, place: { kind: "part", folder }, id }
    const found =
      folder === undefined
        ? ((await this.#guess("part", id)) ?? (await this.#scan("part", id)))
        : this.#held({ kind: "part", folder }, id)
    if (!found || this.all.length === 1) return found
    const root = await this.ofMessage(found.place.folder)
    return holds(root.files, found.place, id) ? { ...found, root } : found
  }

  /** The root that a record of any kind is read from by its key: the store's own if it has it, so that a write is read back. */
  async ofKey(key: Key): Promise<Root> {
    const [kind, owner, id] = key
    if (this.all.length === 1 || owner === undefined) return this.main
    const { fs, directory, unwritten } = this.main.files
    const path = keyPath(directory, key)
    if (unwritten.newest(path) || lstatQuietly(fs, path)) return this.main
    if (kind === "session" && id !== undefined)
      return (await this.findSession([kind, owner, id]))?.root ?? this.main
    if (kind === "part" && id !== undefined)
      return (await this.findPart([kind, owner, id]))?.root ?? this.main
    const ofSession = kind === "message" || SESSION_SIDE_KINDS.some((side) => side === kind)
    return ofSession ? this.ofSession(owner) : this.main
  }

  /**
   * Checks that a record of a session can be written: it would be lost behind the session if that lies in other roots only.
   * There is nothing to wait for where the store's own folder has the session: then a write is taken before its call returns.
   * @throws StoreError `READ_ONLY`
   */
  checkWritable(sessionID: string): Promise<void> | undefined {
    // An id that cannot be one is in no root; where it matters the write itself refuses it.
    if (this.all.length === 1 || segmentFault(sessionID) !== undefined) return undefined
    if (placesOf(this.main.files, "session", sessionID).length > 0) return undefined
    return this.#checkElsewhere(sessionID)
  }

  async #checkElsewhere(sessionID: string): Promise<void> {
    const root = await this.ofSession(sessionID)
    if (root !== this.main) throw elsewhere(root, `The session ${sessionID}`)
  }

  /** The one to be changed must lie in the store's own folder. @throws StoreError `READ_ONLY` */
  checkMain({ root, place, id }: Found): void {
    if (root !== this.main) throw elsewhere(root, `The ${place.kind} ${id}`)
  }

  /** Of each session the root it is read from, and when it was updated there. */
  async #newest(
    projectID: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Newest>> {
    const query: SessionQuery = { projectID, archived: "include", order: "updated", direction: "desc" }
    const newest = new Map<string, Newest>()
    for (const root of this.all)
      for (const { id, time } of await root.catalog.sessions(query, { signal })) {
        const known = newest.get(id)
        if (!known || time > known.updated) newest.set(id, { root, updated: time })
      }
    return newest
  }

  async #guess(kind: "message" | "part", id: string): Promise<Found | undefined> {
    for (const root of this.all) {
      const folder = await root.catalog.guessFolder(kind, id)
      if (folder !== undefined && holds(root.files, { kind, folder }, id))
        return { root, place: { kind, folder }, id }
    }
    return undefined
  }

  /** Looks into every folder, of which there may be many. */
  async #scan(kind: "message" | "part", id: string): Promise<Found | undefined> {
    const slice = new TimeSlice()
    for (const root of this.all)
      for (const folder of folderNames(root.files, kind)) {
        const turn = slice.pass()
        if (turn) await turn
        const place: Place = { kind, folder }
        if (holds(root.files, place, id)) return { root, place, id }
      }
    return undefined
  }

  #held(place: Place, id: string): Found | undefined {
    const root = this.all.find(({ files }) => holds(files, place, id))
    // Where there is none it would be the store's own.
    return { root: root ?? this.main, place, id }
  }

  /** A message of several roots is that of the root its session is read from. */
  async #preferred(found: Found): Promise<Found> {
    if (this.all.length === 1) return found
    const root = await this.ofSession(found.place.folder)
    return holds(root.files, found.place, found.id) ? { ...found, root } : found
  }
}

interface Newest {
  readonly root: Root
  readonly updated: number
}

/** The entries with their root, made when they are asked for: a listing may be long. */
function rooted(root: Root, entries: Iterable<SessionEntry>): Iterable<RootedEntry> {
  return {
    *[Symbol.iterator]() {
      for (const { id, time, project, body } of entries) yield { id, time, project, body, root }
    },
  }
}

/** The entries of a root's listing that are read from it. */
async function ownEntries(
  root: Root,
  query: SessionQuery,
  { after, signal }: Range,
  newest: Map<string, Newest>,
): Promise<RootedEntry[]> {
  const own: RootedEntry[] = []
  for (const entry of rooted(root, await root.catalog.sessions(query, { after, signal }))) {
    const known = newest.get(entry.id)
    // One that came up since then is this root's.
    if (!known) newest.set(entry.id, { root, updated: entry.time })
    if (!known || known.root === root) own.push(entry)
  }
  return own
}

function hasFolder({ files }: Root, place: Place): boolean {
  try {
    return statPlace(files.fs, placePath(files.directory, place)) !== undefined
  } catch (error) {
    if (!isStoreError(error)) throw error
    // Listing it reports why it cannot be read.
    return false
  }
}

function elsewhere({ files }: Root, what: string): StoreError {
  const { directory } = files
  return new StoreError("READ_ONLY", `${what} lies in ${directory}, which is only read`, {
    path: directory,
    hint: "Import the session into this store first, or open the store it lies in.",
  })
}
