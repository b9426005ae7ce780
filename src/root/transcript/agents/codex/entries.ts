import type { JsonObject } from "../../../../record/extract.ts"
import type { Span } from "../../agent.ts"
import { soundId } from "../../record-bodies.ts"
import type { Usage } from "./usage.ts"

/** A message as a fold knows it. Fields that are not there are false. */
export interface Entry {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly created: number
  /** The newest time of its lines; 0 where they tell none. */
  last: number
  readonly spans: Span[]
  /** What each span is of, "" for what cannot be told. */
  readonly keys: string[]
  /** Whether the person said something in it. */
  isSaid?: boolean
  /** Whether no further item of the model belongs to it. */
  isClosed?: boolean
  isSummary?: boolean
  isAuto?: boolean
  /** Whether the model asked to see a picture. */
  isViewing?: boolean
  /** Whether a fork wrote it once more: it is counted where it was said first. */
  isReplayed?: boolean | undefined
  /** Whether it lies in the base that was read before. */
  isBase?: boolean
  usage?: Usage | undefined
  error?: JsonObject
  /** The user message before it. */
  parent?: string | undefined
  setting?: JsonObject
}

/** The messages that a fold knows, as plain JSON. */
export interface Kept {
  /** Messages begun so far. */
  count: number
  readonly shown: Entry[]
  /** What each rollback took out of what is shown. */
  readonly reverted: Entry[][]
}

/** What a line is of: an item, a call, its result, the event of its end. */
type Kind = "i" | "c" | "r" | "e"

/** What a line is of, so that a later one of the same is known; `undefined` for one without an id. */
export function keyOf(kind: Kind, id: unknown): string | undefined {
  return typeof id === "string" && id !== "" ? `${kind}:${id}` : undefined
}

/** So many lines of a message are looked through; where those of a longer one are is remembered, for the newest few. */
const FEW = 16
const PLACES_KEPT = 8

/** The messages of a fold, in order: begun, added to, found by their calls, and taken back. */
export class Entries {
  readonly #kept: Kept
  readonly #session: string
  readonly #ids: Set<string>
  #calls: Map<string, Entry>
  readonly #places = new Map<Entry, Map<string, number>>()

  constructor(kept: Kept, session: string) {
    this.#kept = kept
    this.#session = session
    this.#ids = new Set([...kept.shown, ...kept.reverted.flat()].map(({ id }) => id))
    this.#calls = callsOf(kept.shown)
  }

  /** The newest that is shown. */
  get last(): Entry | undefined {
    return this.#kept.shown.at(-1)
  }

  /** The newest that is shown, if the person's words may follow what the client said in it. */
  get unsaid(): Entry | undefined {
    return this.last?.role === "user" && !this.last.isSaid ? this.last : undefined
  }

  /** The response that a turn ended with, behind which the client may have said why. */
  get lastAnswer(): Entry | undefined {
    const entry = this.unsaid ? this.#kept.shown.at(-2) : this.last
    return entry?.role === "assistant" ? entry : undefined
  }

  /** Begins a message. @param agents the id that the agent gave it, if any */
  open(role: Entry["role"], agents: unknown, created: number): Entry {
    this.#kept.count++
    const { last } = this
    const entry: Entry = { id: this.#newId(agents), role, created, last: 0, spans: [], keys: [] }
    if (role === "assistant") entry.parent = last?.role === "user" ? last.id : last?.parent
    this.#kept.shown.push(entry)
    return entry
  }

  /** Adds a line to a message; in the place of one that was of the same thing, so that repeats take no room. */
  put(entry: Entry, key: string | undefined, span: Span, at: number): void {
    const place = key === undefined ? -1 : this.#placeOf(entry, key)
    entry.last = Math.max(entry.last, at)
    if (key?.startsWith("c:")) this.#calls.set(key.slice(2), entry)
    if (place >= 0) {
      entry.spans[place] = span
      return
    }
    if (key !== undefined) this.#places.get(entry)?.set(key, entry.spans.length)
    entry.spans.push(span)
    entry.keys.push(key ?? "")
  }

  /** Whether a message has a line of that. */
  has(entry: Entry, key: string | undefined): boolean {
    return key !== undefined && this.#placeOf(entry, key) >= 0
  }

  /** The newest message that is shown with a call of that id. */
  ofCall(id: string | undefined): Entry | undefined {
    return id === undefined ? undefined : this.#calls.get(id)
  }

  /** Takes back the last so many turns of what is shown. What a replay took back is a child of the session that it replays. */
  takeBack(turns: number): void {
    const { shown } = this.#kept
    let left = turns
    let from = shown.length
    for (let at = shown.length - 1; at >= 0 && left > 0; at--) {
      if (!shown[at]?.isSaid) continue
      from = at
      left--
    }
    const gone = shown.splice(from)
    this.#leave(gone, ({ isReplayed, isBase }) => Boolean(isReplayed || isBase))
    this.#calls = callsOf(shown)
  }

  /** Knows that all messages before a file are of the container's base. @returns whether there are any */
  inherit(file: number): boolean {
    const { shown, reverted } = this.#kept
    const isOthers = ({ spans }: Entry): boolean => spans[0]?.[0] !== file
    const inherited = shown.filter(isOthers)
    for (const entry of inherited) entry.isBase = true
    // What was taken back there is a child of the base's session.
    for (const gone of reverted.splice(0)) this.#leave(gone, isOthers)
    return inherited.length > 0
  }

  /** Keeps what was taken back, but what another session has. */
  #leave(gone: readonly Entry[], isOthers: (entry: Entry) => boolean): void {
    for (const entry of gone) if (isOthers(entry)) this.#ids.delete(entry.id)
    const own = gone.filter((entry) => !isOthers(entry))
    if (own.length > 0) this.#kept.reverted.push(own)
  }

  /** The agent's own where it has one. Those of before 0.16x have none: the session's and the place in it. */
  #newId(agents: unknown): string {
    const place = String(this.#kept.count).padStart(6, "0")
    const isTold = typeof agents === "string" && agents !== ""
    let id = soundId(isTold ? agents : `${this.#session}-${place}`)
    // A stand-in for a model gives the same ids again and again; with its place none is like another at once.
    while (this.#ids.has(id)) id = soundId(`${id}-${place}`)
    this.#ids.add(id)
    return id
  }

  /** Where in a message the line of that is; -1 for nowhere. */
  #placeOf(entry: Entry, key: string): number {
    const { keys } = entry
    if (keys.length <= FEW) return keys.indexOf(key)
    let places = this.#places.get(entry)
    if (!places) {
      places = new Map(keys.flatMap((known, at) => (known === "" ? [] : [[known, at] as const])))
      this.#places.set(entry, places)
      const [oldest] = this.#places.keys()
      if (oldest && this.#places.size > PLACES_KEPT) this.#places.delete(oldest)
    }
    return places.get(key) ?? -1
  }
}

function callsOf(shown: readonly Entry[]): Map<string, Entry> {
  const calls = new Map<string, Entry>()
  for (const entry of shown)
    for (const key of entry.keys) if (key.startsWith("c:")) calls.set(key.slice(2), entry)
  return calls
}
