import type { JsonObject } from "../../../../record/extract.ts"
import { timeOf } from "./content.ts"

/** What is kept of a field that no release we know of writes. */
const LONGEST = 1000
const MOST = 50

/** Fields that say something else than what a session is: its messages, notes for the agent's own memory, and what has a place of its own. */
const PLACED = new Set(["messages", "memoryScratchpad", "startTime", "lastUpdated", "sessionId", "summary"])

/** What a session's header says so far, as plain JSON. */
export interface HeaderState {
  readonly id?: string | undefined
  readonly summary?: string | undefined
  /** ms since 1970; 0 for none yet. */
  readonly created: number
  readonly updated: number
  readonly rest: readonly (readonly [string, unknown])[]
}

/** What the first line and every `$set` say of the session: the newest counts, but for when it began. */
export class Header {
  #id: string | undefined
  #summary: string | undefined
  #created: number
  #updated: number
  readonly #rest: Map<string, unknown>

  constructor(state?: HeaderState) {
    this.#id = state?.id
    this.#summary = state?.summary
    this.#created = state?.created ?? 0
    this.#updated = state?.updated ?? 0
    this.#rest = new Map(state?.rest)
  }

  /** A first line, or what a `$set` sets. */
  set(fields: JsonObject): void {
    const { sessionId, summary } = fields
    if (isText(sessionId)) this.#id = sessionId
    if (isText(summary)) this.#summary = summary
    this.saw(timeOf(fields.startTime))
    this.saw(timeOf(fields.lastUpdated))
    for (const [name, value] of Object.entries(fields))
      if (!PLACED.has(name) && isSmall(value) && (this.#rest.size < MOST || this.#rest.has(name)))
        this.#rest.set(name, value)
  }

  /** A line's time, ms since 1970; 0 for none. */
  saw(time: number): void {
    if (time === 0) return
    if (this.#created === 0 || time < this.#created) this.#created = time
    this.#updated = Math.max(this.#updated, time)
  }

  get id(): string | undefined {
    return this.#id
  }

  get isSubagent(): boolean {
    return this.#rest.get("kind") === "subagent"
  }

  /** The title that the agent had made, and shows in its list of sessions; of a subagent what it gave back. */
  get summary(): string | undefined {
    return this.#summary
  }

  get created(): number {
    return this.#created
  }

  get updated(): number {
    return this.#updated
  }

  /** The sha256 of the work tree's path. */
  get projectHash(): string | undefined {
    const hash = this.#rest.get("projectHash")
    return typeof hash === "string" ? hash : undefined
  }

  /** The work trees that it was allowed to look into. */
  get directories(): readonly string[] {
    const directories = this.#rest.get("directories")
    return Array.isArray(directories) ? directories.filter(isText) : []
  }

  /** All else that it says. */
  get metadata(): JsonObject {
    return Object.fromEntries(this.#rest)
  }

  state(): HeaderState {
    return {
      id: this.#id,
      summary: this.#summary,
      created: this.#created,
      updated: this.#updated,
      rest: [...this.#rest],
    }
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}

function isSmall(value: unknown): boolean {
  if (typeof value === "string") return value.length <= LONGEST
  if (Array.isArray(value))
    return value.length <= MOST && value.every((one) => typeof one === "string" && isSmall(one))
  return typeof value === "number" || typeof value === "boolean"
}
