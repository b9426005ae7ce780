import { readFieldsPatiently } from "../../file/fields-reader.ts"
import { recordPath } from "../../file/layout.ts"
import { lstatQuietly } from "../../file/reader.ts"
import { sessionFields } from "../../record/extract.ts"
import { keyPath } from "../../record/key.ts"
import { type CollectionKind, PLAIN_KINDS, type Place } from "../../record/kind.ts"
import { compareText } from "../../record/order.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Amount, MonthStats, ProjectStats, StoreStats } from "../store-stats.ts"
import { folderNames, plainIds, type RecordFiles, recordIds } from "./file-catalog.ts"
import { missingMessages } from "./orphans.ts"
import { findSharedMessages } from "./shared-messages.ts"

const LARGEST = 10
/** Later times have years of more than four digits, in one time zone or another. */
const LAST_TIME = Date.UTC(9999, 11, 30)
const FIELDS = { session: "sessions", message: "messages", part: "parts" } as const
const SIDE_KINDS: ReadonlySet<string> = new Set(["todo", "session_diff", "session_share"])

/** To whom a message, a part or a side file belongs. */
interface Owner {
  readonly project: string | null
  readonly month: string | null
}

const NOBODY: Owner = { project: null, month: null }

/** Counts record files and their bytes by looking at every file; of sessions the times are read. Memory grows with the sessions only. */
export async function collectStats(files: RecordFiles, signal?: AbortSignal): Promise<StoreStats> {
  return new Collector(files, new TimeSlice(signal)).collect()
}

class Collector {
  readonly #files: RecordFiles
  readonly #slice: TimeSlice
  readonly #kinds: Record<string, Amount> = {}
  readonly #projects = new Map<string | null, ProjectStats>()
  readonly #months = new Map<string | null, MonthStats>()
  readonly #ownerOf = new Map<string, Owner>()
  #largest: { path: string; bytes: number }[] = []

  constructor(files: RecordFiles, slice: TimeSlice) {
    this.#files = files
    this.#slice = slice
  }

  async collect(): Promise<StoreStats> {
    for (const project of folderNames(this.#files, "session")) await this.#addSessions(project)
    const shared = await findSharedMessages(this.#files, this.#slice)
    const counted = new Set<string>()
    for (const session of folderNames(this.#files, "message")) {
      const owner = this.#ownerOf.get(session) ?? NOBODY
      for (const id of await this.#addFolder({ kind: "message", folder: session }, owner)) {
        if (counted.has(id)) continue
        // The parts of several sessions are there once, and are counted with the first.
        if (shared.has(id)) counted.add(id)
        await this.#addFolder({ kind: "part", folder: id }, owner)
      }
    }
    for await (const message of missingMessages(this.#files, this.#slice))
      await this.#addFolder({ kind: "part", folder: message }, NOBODY)
    for (const kind of [...PLAIN_KINDS, "session_share"]) await this.#addPlain(kind)
    const bytes = (stats: ProjectStats): number =>
      stats.sessions.bytes + stats.messages.bytes + stats.parts.bytes + stats.sideFiles.bytes
    return {
      kinds: this.#kinds,
      projects: [...this.#projects.values()].sort((a, b) => bytes(b) - bytes(a)),
      months: [...this.#months.values()].sort((a, b) => compareText(b.month ?? "", a.month ?? "")),
      largest: this.#largest,
    }
  }

  async #addSessions(project: string): Promise<void> {
    const place: Place = { kind: "session", folder: project }
    for (const id of recordIds(this.#files, place)) {
      await this.#slice.pass()
      const { fs, directory, maxRecordBytes } = this.#files
      const path = recordPath(directory, place, id)
      const result = await readFieldsPatiently(fs, path, maxRecordBytes, this.#slice)
      const owner = { project, month: "body" in result ? monthOf(sessionFields(result.body).updated) : null }
      this.#ownerOf.set(id, owner)
      this.#month(owner.month).sessions++
      this.#add(path, [this.#kind("session"), this.#project(project).sessions, this.#month(owner.month)])
    }
  }

  async #addFolder(place: Place, { project, month }: Owner): Promise<string[]> {
    const ids = recordIds(this.#files, place)
    for (const id of ids) {
      await this.#slice.pass()
      this.#add(recordPath(this.#files.directory, place, id), [
        this.#kind(place.kind),
        this.#project(project)[FIELDS[place.kind]],
        this.#month(month),
      ])
    }
    return ids
  }

  async #addPlain(kind: string): Promise<void> {
    for (const id of plainIds(this.#files, kind)) {
      await this.#slice.pass()
      const amounts = [this.#kind(kind)]
      if (SIDE_KINDS.has(kind)) {
        const { project, month } = this.#ownerOf.get(id) ?? NOBODY
        amounts.push(this.#project(project).sideFiles, this.#month(month))
      }
      this.#add(keyPath(this.#files.directory, [kind, id]), amounts)
    }
  }

  #add(path: string, amounts: readonly Amount[]): void {
    const bytes = lstatQuietly(this.#files.fs, path)?.size
    if (bytes === undefined) return
    for (const amount of amounts) {
      amount.files++
      amount.bytes += bytes
    }
    if (this.#largest.length === LARGEST && bytes <= (this.#largest.at(-1)?.bytes ?? 0)) return
    this.#largest = [...this.#largest, { path, bytes }].sort((a, b) => b.bytes - a.bytes).slice(0, LARGEST)
  }

  #kind(kind: CollectionKind | string): Amount {
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
