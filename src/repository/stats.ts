import { join } from "node:path"
import { isStoreError } from "../errors.ts"
import { type CollectionKind, listRecords, PLAIN_KINDS, type Place, recordPath } from "../file/layout.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { keyPath } from "../record/key.ts"
import { folderNames, type RecordFiles, recordIds } from "./file-catalog.ts"
import { missingMessages } from "./orphans.ts"

/** Record files and their bytes. */
export interface Amount {
  files: number
  bytes: number
}

/** What belongs to one project; `project` is `null` for what belongs to no session that has a file. */
export interface ProjectStats {
  readonly project: string | null
  readonly sessions: Amount
  readonly messages: Amount
  readonly parts: Amount
  /** Todos, diffs and shares. */
  readonly sideFiles: Amount
}

export interface StoreStats {
  /** By kind, in the order session, message, part, project, todo, session_diff, permission, session_share. */
  readonly kinds: Readonly<Record<string, Amount>>
  /** By project, most bytes first. */
  readonly projects: readonly ProjectStats[]
  /** The largest records, largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[]
}

const LARGEST = 10
const FIELDS = { session: "sessions", message: "messages", part: "parts" } as const
const SIDE_KINDS: ReadonlySet<string> = new Set(["todo", "session_diff", "session_share"])

/** Counts record files and their bytes by looking at every file; none is read. Memory grows with the sessions only. */
export async function collectStats(files: RecordFiles, signal?: AbortSignal): Promise<StoreStats> {
  return new Collector(files, new TimeSlice(signal)).collect()
}

class Collector {
  readonly #files: RecordFiles
  readonly #slice: TimeSlice
  readonly #kinds: Record<string, Amount> = {}
  readonly #projects = new Map<string | null, ProjectStats>()
  readonly #projectOf = new Map<string, string>()
  #largest: { path: string; bytes: number }[] = []

  constructor(files: RecordFiles, slice: TimeSlice) {
    this.#files = files
    this.#slice = slice
  }

  async collect(): Promise<StoreStats> {
    for (const project of folderNames(this.#files, "session")) {
      await this.#addFolder({ kind: "session", folder: project }, project)
      for (const id of recordIds(this.#files, { kind: "session", folder: project }))
        this.#projectOf.set(id, project)
    }
    for (const session of folderNames(this.#files, "message")) {
      const project = this.#projectOf.get(session) ?? null
      for (const id of await this.#addFolder({ kind: "message", folder: session }, project))
        await this.#addFolder({ kind: "part", folder: id }, project)
    }
    for await (const message of missingMessages(this.#files, this.#slice))
      await this.#addFolder({ kind: "part", folder: message }, null)
    for (const kind of [...PLAIN_KINDS, "session_share"]) await this.#addPlain(kind)
    const bytes = (stats: ProjectStats): number =>
      stats.sessions.bytes + stats.messages.bytes + stats.parts.bytes + stats.sideFiles.bytes
    return {
      kinds: this.#kinds,
      projects: [...this.#projects.values()].sort((a, b) => bytes(b) - bytes(a)),
      largest: this.#largest,
    }
  }

  async #addFolder(place: Place, project: string | null): Promise<string[]> {
    const ids = recordIds(this.#files, place)
    for (const id of ids) {
      await this.#slice.pass()
      this.#add(recordPath(this.#files.directory, place, id), [
        this.#kind(place.kind),
        this.#project(project)[FIELDS[place.kind]],
      ])
    }
    return ids
  }

  async #addPlain(kind: string): Promise<void> {
    for (const id of this.#plainIds(kind)) {
      await this.#slice.pass()
      const amounts = [this.#kind(kind)]
      if (SIDE_KINDS.has(kind)) amounts.push(this.#project(this.#projectOf.get(id) ?? null).sideFiles)
      this.#add(keyPath(this.#files.directory, [kind, id]), amounts)
    }
  }

  #plainIds(kind: string): string[] {
    try {
      return listRecords(this.#files.fs, join(this.#files.directory, kind)).ids
    } catch (error) {
      if (!isStoreError(error)) throw error
      this.#files.problems.report({ path: error.path ?? kind, code: error.code, message: error.message })
      return []
    }
  }

  #add(path: string, amounts: readonly Amount[]): void {
    const bytes = this.#files.fs.lstat(path)?.size
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

  #project(project: string | null): ProjectStats {
    const known = this.#projects.get(project)
    if (known) return known
    const none = (): Amount => ({ files: 0, bytes: 0 })
    const made = { project, sessions: none(), messages: none(), parts: none(), sideFiles: none() }
    this.#projects.set(project, made)
    return made
  }
}
