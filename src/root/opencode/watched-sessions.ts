import { jsonLine } from "../../record/json-text.ts"
import { changeOf, type StoreChange } from "../change.ts"
import type { StampedSession } from "./changes.ts"
import type { OpencodeReader } from "./reader.ts"
import { PROVEN_AFTER_MS } from "./stamps.ts"

/** How many of the sessions that were updated last are looked at each time and, below, how many others that have changed before. */
const NEWEST = 32
const ACTIVE = 32
/** For sessions with more messages it is not told which of them changed. */
const MAX_MESSAGES = 1_000

/** A session at the last look. */
interface Known {
  readonly project: string | undefined
  readonly stamp: string
  /** When that stamp was first seen, ms since 1970. A writer's clock that is ahead must not keep it from being proven. */
  readonly since: number
  /** Whether any later change changes the stamp. */
  readonly isProven: boolean
}

/** What a look found. */
export interface Look {
  readonly changes: readonly StoreChange[]
  /** Whether a stamp is so young that a change may not show in it, so that another look is needed soon. */
  readonly isYoung: boolean
}

/**
 * Finds changes of a database's sessions by comparing their stamps with those of the last look. For the few sessions that have changed
 * before, the stamps of their messages tell which messages changed.
 */
export class WatchedSessions {
  readonly #reader: OpencodeReader
  #sessions: Map<string, Known> | undefined
  /** The stamps of messages of sessions that have changed, the latest session last; `undefined` if it has too many messages. */
  readonly #active = new Map<string, ReadonlyMap<string, string> | undefined>()
  /** Projects and todos at the last look, by their keys as JSON. */
  #small = new Map<string, string>()

  constructor(reader: OpencodeReader) {
    this.#reader = reader
  }

  /** Forgets everything, so that the next look tells no changes. */
  forget(): void {
    this.#sessions = undefined
    this.#active.clear()
    this.#small.clear()
  }

  /** Looks at every session, project and list of todos. @throws StoreError as the reader; the signal's reason */
  async all(signal: AbortSignal): Promise<Look> {
    const before = this.#sessions
    const projects = await this.#reader.projectsOfSessions()
    const now = new Map<string, Known>()
    for await (const run of this.#reader.stamps(signal)) {
      const at = Date.now()
      for (const session of run)
        now.set(session.id, knownOf(session, projects.get(session.id), before?.get(session.id), at))
    }
    this.#sessions = now
    const changes: StoreChange[] = []
    if (before)
      for (const id of new Set([...before.keys(), ...now.keys()]))
        changes.push(...(await this.#changesOf(id, before.get(id), now.get(id), signal)))
    const small = await this.#smallRecords(await this.#reader.plainIds("todo"), signal)
    if (before) changes.push(...smallChanges(this.#small, small))
    this.#small = small
    return { changes, isYoung: now.values().some(({ isProven }) => !isProven) }
  }

  /** Looks at the sessions that most likely changed. @throws as `all` */
  async some(signal: AbortSignal): Promise<Look> {
    const sessions = this.#sessions
    if (!sessions) return this.all(signal)
    const projects = await this.#reader.projectsOfNewest(NEWEST)
    const ids = new Set([...projects.keys(), ...this.#active.keys()])
    const at = Date.now()
    const stamps = await this.#reader.stampsOf([...ids], signal)
    const changes: StoreChange[] = []
    let isYoung = false
    for (const id of ids) {
      const known = sessions.get(id)
      const stamp = stamps.get(id)
      const project = projects.get(id) ?? (await this.#reader.places("session", id))[0]
      const now = stamp && knownOf(stamp, project, known, at)
      if (now) sessions.set(id, now)
      else sessions.delete(id)
      isYoung ||= now?.isProven === false
      changes.push(...(await this.#changesOf(id, known, now, signal)))
    }
    const small = await this.#smallRecords(ids, signal)
    const [others, before] = apart(this.#small, (kind, id) => kind === "todo" && !ids.has(id))
    changes.push(...smallChanges(before, small))
    this.#small = new Map([...others, ...small])
    return { changes, isYoung }
  }

  /** The changes between two states of a session. */
  async #changesOf(
    id: string,
    before: Known | undefined,
    now: Known | undefined,
    signal: AbortSignal,
  ): Promise<StoreChange[]> {
    const changes: StoreChange[] = []
    if (before?.project !== undefined && before.project !== now?.project)
      changes.push(changeOf(["session", before.project, id], "removed", "other"))
    if (!now) {
      this.#active.delete(id)
      return before ? [...changes, changeOf(["message", id], "unknown", "other")] : []
    }
    // A session may have changed under the same stamp if that was not proven.
    if (before?.isProven && before.stamp === now.stamp && before.project === now.project) return []
    if (now.project !== undefined) changes.push(changeOf(["session", now.project, id], "written", "other"))
    return [...changes, ...(await this.#messageChanges(id, now, signal))]
  }

  async #messageChanges(id: string, { isProven }: Known, signal: AbortSignal): Promise<StoreChange[]> {
    const before = this.#active.get(id)
    const now = await this.#messageStamps(id, isProven, signal)
    this.#active.delete(id)
    this.#active.set(id, now)
    const [oldest] = this.#active.keys()
    if (oldest !== undefined && this.#active.size > ACTIVE) this.#active.delete(oldest)
    if (!before || !now) return [changeOf(["message", id], "unknown", "other")]
    const written = [...now].filter(([message, stamp]) => stamp === "" || before.get(message) !== stamp)
    const gone = [...before.keys()].filter((message) => !now.has(message))
    return [
      ...written.map(([message]) => changeOf(["message", id, message], "written", "other")),
      ...gone.map((message) => changeOf(["message", id, message], "removed", "other")),
    ]
  }

  /** The stamps of a session's messages; "" for one that is not proven, so that it is told once more. */
  async #messageStamps(
    id: string,
    isProven: boolean,
    signal: AbortSignal,
  ): Promise<Map<string, string> | undefined> {
    if ((await this.#reader.countMessages(id)) > MAX_MESSAGES) return undefined
    const stamps = new Map<string, string>()
    const at = Date.now()
    for await (const run of this.#reader.messageStamps(id, signal))
      for (const message of run)
        stamps.set(message.id, isProven || at - message.newest >= PROVEN_AFTER_MS ? message.stamp : "")
    return stamps
  }

  /** All projects, and the todos of these sessions. */
  async #smallRecords(sessions: Iterable<string>, signal: AbortSignal): Promise<Map<string, string>> {
    const small = new Map<string, string>()
    for (const project of await this.#reader.projects())
      small.set(JSON.stringify(["project", project.id]), jsonLine(project))
    for (const id of sessions) {
      signal.throwIfAborted()
      const todos = await this.#reader.todos(id)
      if (todos.length > 0) small.set(JSON.stringify(["todo", id]), JSON.stringify(todos))
    }
    return small
  }
}

function knownOf(
  { stamp, newest }: StampedSession,
  project: string | undefined,
  before: Known | undefined,
  at: number,
): Known {
  const since = before?.stamp === stamp ? before.since : at
  return { project, stamp, since, isProven: at - Math.min(newest, since) >= PROVEN_AFTER_MS }
}

type Small = ReadonlyMap<string, string>

function keyOf(text: string): [kind: string, id: string] {
  return JSON.parse(text)
}

/** Splits records into those for which `holds` is true, and the others. */
function apart(small: Small, holds: (kind: string, id: string) => boolean): [Small, Small] {
  const { yes = [], no = [] } = Object.groupBy(small, ([key]) => (holds(...keyOf(key)) ? "yes" : "no"))
  return [new Map(yes), new Map(no)]
}

function smallChanges(before: Small, now: Small): StoreChange[] {
  const written = [...now].filter(([key, text]) => before.get(key) !== text).map(([key]) => key)
  const gone = [...before.keys()].filter((key) => !now.has(key))
  return [
    ...written.map((key) => changeOf(keyOf(key), "written", "other")),
    ...gone.map((key) => changeOf(keyOf(key), "removed", "other")),
  ]
}
