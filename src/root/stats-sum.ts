import type { CollectionKind } from "../record/kind.ts"
import { compareText } from "../record/order.ts"
import type { Amount, MonthStats, ProjectStats, StoreStats } from "./store-stats.ts"

const LARGEST = 10
/** Later times have a year of five digits, in some time zone at least. */
const LAST_TIME = Date.UTC(9999, 11, 30)
const FIELDS = { session: "sessions", message: "messages", part: "parts" } as const
const SIDE_KINDS: ReadonlySet<string> = new Set(["todo", "session_diff", "session_share"])

/** What a message, a part or a side file is counted under. */
interface Owner {
  readonly project: string | null
  readonly month: string | null
}

const NOBODY: Owner = { project: null, month: null }

/** A record to be added up. */
export interface CountedRecord {
  /** Where it lies, for people. */
  readonly path: string
  readonly bytes: number
}

/**
 * Adds up records by kind, project and month. Add sessions first, since they decide where other records are counted. Memory grows
 * only with the sessions.
 */
export class StatsSum {
  readonly #kinds: Record<string, Amount> = {}
  readonly #projects = new Map<string | null, ProjectStats>()
  readonly #months = new Map<string | null, MonthStats>()
  readonly #ownerOf = new Map<string, Owner>()
  #largest: CountedRecord[] = []

  /** @param updated the session's `time.updated`, ms since 1970; `undefined` if it cannot be read */
  addSession(
    id: string,
    project: string,
    updated: number | undefined,
    record: CountedRecord | undefined,
  ): void {
    const owner = { project, month: updated === undefined ? null : monthOf(updated) }
    this.#ownerOf.set(id, owner)
    this.#month(owner.month).sessions++
    this.#addTo(record, [this.#kind("session"), this.#project(project).sessions, this.#month(owner.month)])
  }

  /** @param session the id of its session; `undefined` if it belongs to none */
  add(
    kind: Exclude<CollectionKind, "session">,
    session: string | undefined,
    record: CountedRecord | undefined,
  ): void {
    const { project, month } = this.#owner(session)
    this.#addTo(record, [this.#kind(kind), this.#project(project)[FIELDS[kind]], this.#month(month)])
  }

  /** Adds a record of a kind without owners' folders. */
  addPlain(kind: string, id: string, record: CountedRecord | undefined): void {
    const amounts = [this.#kind(kind)]
    if (SIDE_KINDS.has(kind)) {
      const { project, month } = this.#owner(id)
      amounts.push(this.#project(project).sideFiles, this.#month(month))
    }
    this.#addTo(record, amounts)
  }

  result(): StoreStats {
    const bytes = (stats: ProjectStats): number =>
      stats.sessions.bytes + stats.messages.bytes + stats.parts.bytes + stats.sideFiles.bytes
    return {
      kinds: this.#kinds,
      projects: [...this.#projects.values()].sort((a, b) => bytes(b) - bytes(a)),
      months: [...this.#months.values()].sort((a, b) => compareText(b.month ?? "", a.month ?? "")),
      largest: this.#largest,
    }
  }

  #owner(session: string | undefined): Owner {
    return (session === undefined ? undefined : this.#ownerOf.get(session)) ?? NOBODY
  }

  #addTo(record: CountedRecord | undefined, amounts: readonly Amount[]): void {
    if (record === undefined) return
    const { path, bytes } = record
    for (const amount of amounts) {
      amount.files++
      amount.bytes += bytes
    }
    if (this.#largest.length === LARGEST && bytes <= (this.#largest.at(-1)?.bytes ?? 0)) return
    this.#largest = [...this.#largest, { path, bytes }].sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST)
  }

  #kind(kind: string): Amount {
    this.#kinds[kind] ??= { files: 0, bytes: 0 }
    return this.#kinds[kind]
  }

  #month(month: string | null): MonthStats {
    const known = this.#months.get(month)
    if (known) return known
    const made = { month, sessions: 0, files: 0, bytes: 0 }
    this.#months.set(month, made)
    return made
  }

  #project(project: string | null): ProjectStats {
    const known = this.#projects.get(project)
    if (known) return known
    const none = (): Amount => ({ files: 0, bytes: 0 })
    const made = { project, sessions: none(), messages: none(), parts: none(), sideFiles: none() }
    this.#projects.set(project, made)
    return made
  }
}

function monthOf(time: number): string | null {
  if (!(time > 0 && time < LAST_TIME)) return null
  const date = new Date(time)
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}`
}
