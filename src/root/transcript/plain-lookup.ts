import type { JsonObject } from "../../record/extract.ts"
import { sortTexts } from "../../record/order.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Problem } from "../problem-log.ts"
import type { FileMark } from "./follow.ts"
import { type HeldSession, heldSessions } from "./held.ts"
import type { LocatedMessage, Lookup } from "./lookup.ts"
import { containerLook, type KnownContainer, type Transcripts } from "./transcripts.ts"
import { compareContainers, type FoundContainer } from "./walk.ts"

/** A session and the files that it is read from. */
interface PlainSession extends HeldSession {
  readonly files: readonly FileMark[]
}

/** What a container holds, for as long as its files look the same. */
interface PlainContainer {
  readonly look: Buffer
  /** Whether it is the same for as long as its files look the same. */
  readonly isTrusted: boolean
  readonly known: KnownContainer
  readonly sessions: readonly PlainSession[]
}

/**
 * Finds records by reading transcripts themselves, for where there is no index that can be used. Slow and always right; keeps what
 * lies where, and no texts.
 */
export class PlainLookup implements Lookup {
  readonly #transcripts: Transcripts
  #containers = new Map<string, PlainContainer>()
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
    const sessions = await this.all()
    if (kind === "message") return sortTexts(sessions.get(folder)?.messages.map(({ id }) => id) ?? [])
    return sortTexts([...sessions.values()].flatMap(({ id, project }) => (project === folder ? [id] : [])))
  }

  async foldersOf(kind: "session" | "message", id: string): Promise<readonly string[]> {
    const sessions = await this.all()
    if (kind === "session")
      return [...sessions.values()].flatMap((one) => (one.id === id ? [one.project] : []))
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
    const found = (await this.all()).get(session)
    return ids.map((id) => {
      const message = found?.messages.find((message) => message.id === id)
      return found && message ? { message, files: found.files } : undefined
    })
  }

  refused(): readonly Problem[] {
    return this.#refused
  }

  /** Every session, from the container with the newest copy. @throws as `Transcripts.readContainer` */
  async all(): Promise<ReadonlyMap<string, PlainSession>> {
    const sweep = await this.#transcripts.sweep()
    this.#refused = sweep.refused
    const slice = new TimeSlice()
    const containers = new Map<string, PlainContainer>()
    const newest = new Map<string, { session: PlainSession; container: FoundContainer }>()
    for (const container of sweep.found) {
      const key = `${container.folder}/${container.name}`
      const look = containerLook(container)
      const before = this.#containers.get(key)
      const isAsItWas =
        before?.isTrusted &&
        before.look.equals(look) &&
        before.known.sides.every(([name, side]) => sweep.sideLook(name) === side)
      if (isAsItWas) {
        this.#keep(containers, newest, key, container, before)
        continue
      }
      const { read, ...now } = await this.#transcripts.readContainer(container, sweep, before?.known, slice)
      const isSame = !read && before !== undefined && before.look.equals(look)
      // What cannot change without looking different need not be opened again.
      const isTrusted = !now.isRefused && sweep.isProven(container)
      const held: PlainContainer = isSame
        ? { ...before, isTrusted }
        : {
            look,
            isTrusted,
            known: { ...now, state: read ? async () => read.state() : (before?.known.state ?? nothing) },
            sessions: read
              ? heldSessions(container, read.sessions).map((session) => ({ ...session, files: now.marks }))
              : (before?.sessions ?? []).map((session) => ({ ...session, files: now.marks })),
          }
      this.#keep(containers, newest, key, container, held)
    }
    this.#containers = containers
    return new Map([...newest].map(([id, { session }]) => [id, session]))
  }

  #keep(
    containers: Map<string, PlainContainer>,
    newest: Map<string, { session: PlainSession; container: FoundContainer }>,
    key: string,
    container: FoundContainer,
    held: PlainContainer,
  ): void {
    containers.set(key, held)
    for (const session of held.sessions) {
      const other = newest.get(session.id)
      const isNewer =
        !other ||
        session.updated > other.session.updated ||
        (session.updated === other.session.updated && compareContainers(container, other.container) > 0)
      if (isNewer) newest.set(session.id, { session, container })
    }
  }
}

async function nothing(): Promise<null> {
  return null
}
