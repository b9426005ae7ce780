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

/** How often everything is looked at for one question while files are moved. */
const MAX_LOOKS = 3

/** A session and the files that it is read from. */
export interface PlainSession extends HeldSession {
  readonly files: readonly FileMark[]
}

/** What a container holds, for as long as its files look the same. */
interface PlainContainer {
  readonly look: Buffer
  /** Whether it is the same for as long as its files look the same. */
  readonly isTrusted: boolean
  /** Whether it lay there no more when it was to be read. */
  readonly isGone?: boolean | undefined
  readonly known: KnownContainer
  readonly sessions: readonly PlainSession[]
}

/** A session, and the container that it is read from. */
interface Newest {
  readonly session: PlainSession
  readonly container: FoundContainer
}

/**
 * Finds records by reading transcripts themselves, for where there is no index that can be used. What has changed is read anew from
 * its beginning; it keeps what lies where, and no texts.
 */
export class PlainLookup implements Lookup {
  readonly #transcripts: Transcripts
  #containers = new Map<string, PlainContainer>()
  #newest: ReadonlyMap<string, Newest> = new Map()
  /** The container of a session, by the last look at all. */
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
      // A message bears its session's id in front of its own.
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
   * A session by its container as it is now, and those that this goes on from; no other is looked at where it is still in it.
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

  /** A container and those that it goes on from; nothing where not all of them were there. */
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

  /** Every session, from the container with the newest copy. @throws as `Transcripts.readContainer` */
  async all(): Promise<ReadonlyMap<string, PlainSession>> {
    // What was moved since it was found lies elsewhere by now.
    for (let tries = 1; !(await this.#readAll()) && tries < MAX_LOOKS; tries++);
    return new Map([...this.#newest].map(([id, { session }]) => [id, session]))
  }

  /** @returns whether everything that was found was still there to be read */
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

  /** What a container holds now, of which only what changed is read. @throws as `Transcripts.readContainer` */
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
    // What cannot change without looking different need not be opened again.
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

/** Whether of two copies of a session the first counts. */
function isNewer(a: Newest, b: Newest): boolean {
  return a.session.updated === b.session.updated
    ? compareContainers(a.container, b.container) > 0
    : a.session.updated > b.session.updated
}

/** Gives a fold to the first who asks: as soon as it takes in more it is not what it was. */
function once(resumed: Resumed | undefined): KnownContainer["resume"] {
  let left = resumed
  return async () => {
    const given = left
    left = undefined
    return given
  }
}
