import type { JsonObject } from "../../record/extract.ts"
import { sortTexts } from "../../record/order.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Problem } from "../problem-log.ts"
import { checkpointOf, type Resumed } from "./checkpoint.ts"
import { compareContainers, type FoundContainer, keyOf } from "./container.ts"
import type { FileMark } from "./follow.ts"
import { type HeldSession, heldSessions } from "./held.ts"
import type { LocatedMessage, Lookup } from "./lookup.ts"
import { sessionOfMessage } from "./record-bodies.ts"
import { BASE } from "./sides.ts"
import { containerLook, type KnownContainer, type Sweep, type Transcripts } from "./transcripts.ts"

/** How often one question may sweep again while files are being moved. */
const MAX_LOOKS = 3

/** A session and its files. */
export interface PlainSession extends HeldSession {
  readonly files: readonly FileMark[]
}

/** The sessions of a container, as long as its files look the same. */
interface PlainContainer {
  readonly look: Buffer
  /** Whether the same look of its files proves the same content. */
  readonly isTrusted: boolean
  /** Whether it was gone when it was to be read. */
  readonly isGone?: boolean | undefined
  readonly known: KnownContainer
  readonly sessions: readonly PlainSession[]
}

/** A session and its container. */
interface Newest {
  readonly session: PlainSession
  readonly container: FoundContainer
}

/**
 * Finds records by reading the transcripts themselves, for when no index can be used. It remembers where records are, and no texts. A
 * transcript that changed is read again from its beginning.
 */
export class PlainLookup implements Lookup {
  readonly #transcripts: Transcripts
  #containers = new Map<string, PlainContainer>()
  #newest: ReadonlyMap<string, Newest> = new Map()
  /** The container of a session, by the last sweep. */
  #find: Sweep["find"] = () => undefined
  #refused: readonly Problem[] = []

  constructor(transcripts: Transcripts) {
    this.#transcripts = transcripts
  }

  async folders(kind: "session" | "message"): Promise<readonly string[]> {
    const sessions = await this.all()
    return sortTexts([
      ...new Set(
        [...sessions.values()].flatMap(({ id, project, messages }) =>
          kind === "session" ? [project] : messages.length > 0 ? [id] : [],
        ),
      ),
    ])
  }

  async ids(kind: "session" | "message", folder: string): Promise<readonly string[]> {
    if (kind === "message") return sortTexts((await this.session(folder))?.messages.map(({ id }) => id) ?? [])
    const sessions = await this.all()
    return sortTexts([...sessions.values()].flatMap(({ id, project }) => (project === folder ? [id] : [])))
  }

  async foldersOf(kind: "session" | "message", id: string): Promise<readonly string[]> {
    if (kind === "message") {
      // A message's id begins with its session's id.
      const named = sessionOfMessage(id)
      const session = named === undefined ? undefined : await this.session(named)
      if (session?.messages.some((message) => message.id === id)) return [session.id]
    }
    const sessions = await this.all()
    if (kind === "session") {
      const session = sessions.get(id)
      return session ? [session.project] : []
    }
    return sortTexts(
      [...sessions.values()].flatMap((session) =>
        session.messages.some((message) => message.id === id) ? [session.id] : [],
      ),
    )
  }

  async sessions(project: string, ids: readonly string[]): Promise<readonly (JsonObject | undefined)[]> {
    const sessions = await this.all()
    return ids.map((id) => {
      const session = sessions.get(id)
      return session?.project === project ? session.body : undefined
    })
  }

  async messages(session: string, ids: readonly string[]): Promise<readonly (LocatedMessage | undefined)[]> {
    const found = await this.session(session)
    const wanted = new Set(ids)
    const messages = new Map(
      found?.messages.flatMap((message) => (wanted.has(message.id) ? [[message.id, message]] : [])),
    )
    return ids.map((id) => {
      const message = messages.get(id)
      return found && message ? { message, files: found.files } : undefined
    })
  }

  refused(): readonly Problem[] {
    return this.#refused
  }

  /**
   * A session from its container as it is now, and from the bases of that. If it is still in there, no other file is looked at.
   * @throws as `all`
   */
  async session(id: string): Promise<PlainSession | undefined> {
    const at = this.#newest.get(id)?.container
    const wanted = at && this.#withBases(at)
    if (wanted) {
      const sweep = await this.#transcripts.sweepOnly(...wanted)
      const container = sweep.found.find((one) => keyOf(one) === keyOf(at))
      if (container && sweep.found.length === wanted.length) {
        const held = await this.#hold(container, sweep, new TimeSlice())
        this.#containers.set(keyOf(at), held)
        const session = held.sessions.find((session) => session.id === id)
        if (session) return session
      }
    }
    return (await this.all()).get(id)
  }

  /** A container and its bases; empty if one of them is missing. */
  #withBases(at: FoundContainer): FoundContainer[] | undefined {
    const all = new Map([[keyOf(at), at]])
    for (const [name] of this.#containers.get(keyOf(at))?.known.sides ?? []) {
      if (!name.startsWith(BASE)) continue
      const base = this.#find(name.slice(BASE.length))
      if (!base) return undefined
      all.set(keyOf(base), base)
    }
    return [...all.values()]
  }

  /** All sessions, each from the container with its newest copy. @throws as `Transcripts.readContainer` */
  async all(): Promise<ReadonlyMap<string, PlainSession>> {
    // A file that was moved since it was found is elsewhere now.
    for (let tries = 1; !(await this.#readAll()) && tries < MAX_LOOKS; tries++);
    return new Map([...this.#newest].map(([id, { session }]) => [id, session]))
  }

  /** @returns whether everything that was found could still be read */
  async #readAll(): Promise<boolean> {
    const sweep = await this.#transcripts.sweep()
    this.#refused = sweep.refused
    this.#find = sweep.find
    const slice = new TimeSlice()
    const containers = new Map<string, PlainContainer>()
    const newest = new Map<string, Newest>()
    for (const container of sweep.found) {
      const held = await this.#hold(container, sweep, slice)
      containers.set(keyOf(container), held)
      for (const session of held.sessions) {
        const other = newest.get(session.id)
        if (!other || isNewer({ session, container }, other)) newest.set(session.id, { session, container })
      }
    }
    this.#containers = containers
    this.#newest = newest
    return [...containers.values()].every(({ isGone }) => !isGone)
  }

  /** The sessions of a container now. Reads it only if it changed. @throws as `Transcripts.readContainer` */
  async #hold(container: FoundContainer, sweep: Sweep, slice: TimeSlice): Promise<PlainContainer> {
    const look = containerLook(container)
    const before = this.#containers.get(keyOf(container))
    const looksTheSame = before?.look.equals(look) ?? false
    if (
      before?.isTrusted &&
      looksTheSame &&
      before.known.sides.every(([name, side]) => sweep.sideLook(name) === side)
    )
      return before
    const { read, ...now } = await this.#transcripts.readContainer(container, sweep, before?.known, slice)
    // What cannot have changed without another look need not be opened again.
    const isTrusted = !now.isRefused && sweep.isProven(container)
    if (!read && before && looksTheSame) return { ...before, isTrusted }
    const checkpoint = checkpointOf(now.marks, now.problems)
    const resumed = read?.fold && checkpoint ? { fold: read.fold, checkpoint } : undefined
    return {
      look,
      isTrusted,
      isGone: now.isGone,
      known: { ...now, resume: read ? once(resumed) : (before?.known.resume ?? once(undefined)) },
      sessions: read
        ? heldSessions(container, read.sessions).map((session) => ({ ...session, files: now.marks }))
        : (before?.sessions ?? []).map((session) => ({ ...session, files: now.marks })),
    }
  }
}

/** Whether the first of two copies of a session counts. */
function isNewer(a: Newest, b: Newest): boolean {
  return a.session.updated === b.session.updated
    ? compareContainers(a.container, b.container) > 0
    : a.session.updated > b.session.updated
}

/** Gives a fold to the first caller only, who will change it. */
function once(resumed: Resumed | undefined): KnownContainer["resume"] {
  let left = resumed
  return async () => {
    const given = left
    left = undefined
    return given
  }
}
