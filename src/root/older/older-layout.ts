import { basename, dirname, join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { isExhausted } from "../../exhaustion.ts"
import { folderRefusal } from "../../file/refusal.ts"
import type { DirectoryEntry, EntryKind, FileStat, FileSystem } from "../../file/system.ts"
import { segmentFault } from "../../record/key.ts"
import { OLDER_SESSIONS } from "./older-folder.ts"

const FOLDERS = { session: "info", message: "message", part: "part" } as const
type Kind = keyof typeof FOLDERS
/** Path separators; no name contains one. */
const SEPARATOR = /[/\\]/

/** For how many places the real folders are remembered. */
const MAX_REMEMBERED = 20_000
/** For how many sessions the folders of parts are remembered. */
const MAX_SESSIONS = 1_000
/** How many recently read sessions are remembered: the next message is probably one of theirs. */
const MAX_RECENT = 16

/**
 * Shows the older layout (`<folder>/<project>/storage/session/{info,message,part}/…`) as if it were the current one, for reading only:
 * `session/<project>/<id>.json`, `message/<session>/<id>.json`, `part/<message>/<id>.json`. So everything that reads, indexes and checks
 * the current layout does the same for the older one, in place.
 *
 * A session that lies in several projects has the messages and parts of all of them; if names clash, those of the first project. A
 * message id is taken to belong to one session: if several sessions have parts for it, the first one found counts.
 */
export class OlderLayout {
  readonly #fs: FileSystem
  readonly #folder: string
  readonly #tell: (error: StoreError) => void
  /** The real folders of messages and parts, by place. Bounded; a missing entry is looked for. */
  readonly #known = new Map<string, readonly string[]>()
  /** Real folders of parts, those of the most recently read sessions first. */
  #recent: string[] = []
  /** For each session its real folders of parts in all projects. Looked for again with every look at its messages. */
  readonly #beside = new Map<string, readonly string[]>()
  readonly #unreadable = new Map<string, StoreError>()
  /** Folders of parts that cannot be shown, as of the last listing of all. */
  #unseen: StoreError[] = []
  /** What lies where a project's folder of sessions should be, as of the last listing of all. */
  #misplaced: StoreError[] = []

  /** @param tell called for each folder that cannot be read, once as long as it stays so */
  constructor(fs: FileSystem, folder: string, tell: (error: StoreError) => void = () => {}) {
    this.#fs = fs
    this.#folder = folder
    this.#tell = tell
  }

  /** The layout as a file system that refuses all changes. */
  view(): FileSystem {
    const refused = Object.keys(this.#fs).map((name) => [
      name,
      (path: unknown) => {
        throw new StoreError("READ_ONLY", "The older layout is only read", { path: String(path) })
      },
    ])
    return {
      ...(Object.fromEntries(refused) as FileSystem),
      stat: (path) => this.#stat(path, (real) => this.#fs.stat(real)),
      lstat: (path) => this.#stat(path, (real) => this.#fs.lstat(real)),
      readNames: (path) => this.#readDirectory(path)?.map(({ name }) => name),
      readDirectory: (path) => this.#readDirectory(path),
      openFile: (path) => this.#fs.openFile(this.locate(path)),
      fstat: (descriptor) => this.#fs.fstat(descriptor),
      readOpen: (descriptor, maxBytes) => this.#fs.readOpen(descriptor, maxBytes),
      close: (descriptor) => this.#fs.close(descriptor),
      readPieces: (path) => this.#fs.readPieces(this.locate(path)),
    }
  }

  /** The folders that could not be read or shown at the last look. */
  unreadable(): StoreError[] {
    return [...this.#unreadable.values(), ...this.#unseen, ...this.#misplaced]
  }

  /** The real path of a path in the view. If nothing exists there, the path itself. */
  locate(path: string): string {
    const [kind, owner, file, deeper] = this.#segments(path)
    if (kind === undefined || (isKind(kind) && owner === undefined)) return this.#folder
    if (!isKind(kind) || owner === undefined || deeper !== undefined) return path
    if (file === undefined) return this.#folders(kind, owner)[0] ?? this.#nearest(kind, owner) ?? path
    return this.#file(kind, owner, file) ?? path
  }

  /** For a project without a folder of sessions, the project's folder, if it exists. */
  #nearest(kind: Kind, owner: string): string | undefined {
    const project = join(this.#folder, owner)
    return kind === "session" && this.#exists(project) ? project : undefined
  }

  #segments(path: string): string[] {
    return path.slice(this.#folder.length).split(SEPARATOR).filter(Boolean)
  }

  #stat(path: string, look: (real: string) => FileStat | undefined): FileStat | undefined {
    const [kind, owner, file] = this.#segments(path)
    if (kind === undefined || (isKind(kind) && owner === undefined)) return this.#fs.stat(this.#folder)
    if (!isKind(kind) || owner === undefined) return undefined
    if (file !== undefined) return this.#look(kind, owner, file, look)
    this.#forget(kind, owner)
    if (kind === "session") {
      // A project that is a link is not followed; its target would look like a folder.
      const project = this.#fs.lstat(join(this.#folder, owner))
      if (project?.kind === "link") return project
    }
    return combined(this.#folders(kind, owner).flatMap((real) => look(real) ?? []))
  }

  #look(
    kind: Kind,
    owner: string,
    file: string,
    look: (real: string) => FileStat | undefined,
  ): FileStat | undefined {
    const real = this.#file(kind, owner, file)
    return real === undefined ? undefined : look(real)
  }

  #readDirectory(path: string): DirectoryEntry[] | undefined {
    const [kind, owner, file] = this.#segments(path)
    if (!isKind(kind) || file !== undefined) return kind === undefined ? [] : undefined
    if (owner === undefined) return this.#readKind(kind)
    const folders = this.#folders(kind, owner)
    if (kind === "message") this.#note(folders)
    const entries = new Map<string, DirectoryEntry>()
    for (const folder of folders)
      for (const entry of this.#fs.readDirectory(folder) ?? [])
        if (!entries.has(entry.name)) entries.set(entry.name, entry)
    return folders.length === 0 ? undefined : [...entries.values()]
  }

  #readKind(kind: Kind): DirectoryEntry[] {
    if (kind === "session") {
      const projects = this.#entries(this.#folder)
      this.#misplaced = projects.flatMap(({ name, kind: of }) => (of === "directory" ? this.#odd(name) : []))
      return projects.filter(({ name, kind: of }) => of !== "directory" || this.#real(name, kind, ""))
    }
    const entries = new Map<string, DirectoryEntry>()
    if (kind === "part") this.#unseen = []
    for (const sessions of this.#inProjects(kind, ""))
      for (const session of this.#entries(sessions)) {
        const folder = join(sessions, session.name)
        if (kind === "message") entries.set(session.name, session)
        else if (session.kind === "link") this.#unseen.push(noFolder(folder, "link"))
        else if (session.kind === "directory")
          for (const message of this.#entries(folder)) {
            const path = join(folder, message.name)
            const known = entries.has(message.name) ? this.#known.get(`part/${message.name}`) : undefined
            if (!known) this.#remember("part", message.name, [path])
            else if (sessionOfParts(known[0]) !== session.name) this.#unseen.push(notSeen(path))
            else if (!known.includes(path)) this.#remember("part", message.name, [...known, path])
            entries.set(message.name, message)
          }
      }
    return [...entries.values()]
  }

  /** The entries whose names can be an owner's, links included. A folder that cannot be read is noted and has none. */
  #entries(folder: string): DirectoryEntry[] {
    let entries: DirectoryEntry[] = []
    try {
      entries = this.#fs.readDirectory(folder) ?? []
      this.#unreadable.delete(folder)
    } catch (cause) {
      const refusal = folderRefusal(folder, cause)
      if (isExhausted(refusal)) throw refusal
      if (!this.#unreadable.has(folder)) this.#tell(refusal)
      this.#unreadable.set(folder, refusal)
    }
    return entries.filter(({ name, kind }) => kind !== "other" && segmentFault(name) === undefined)
  }

  /** What lies under a path. If it cannot be looked at, "unknown": it counts as there, and reading it will report why. */
  #kindAt(path: string): EntryKind | "unknown" | undefined {
    try {
      return this.#fs.lstat(path)?.kind
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return "unknown"
    }
  }

  #exists(path: string): boolean {
    return this.#kindAt(path) !== undefined
  }

  /** Whether a path is a folder. A link is not: links are followed only at the first level. */
  #isFolder(path: string): boolean {
    return isFolderKind(this.#kindAt(path))
  }

  #projects(): string[] {
    return this.#entries(this.#folder)
      .filter(({ kind }) => kind === "directory")
      .map(({ name }) => name)
      .sort()
  }

  /** What lies where a project should have the folders that lead to its records. */
  #odd(project: string): StoreError[] {
    const found = new Map<string, StoreError>()
    for (const name of Object.values(FOLDERS)) {
      const { path, kind } = this.#wayTo(project, name)
      if (kind !== undefined && !isFolderKind(kind)) found.set(path, noFolder(path, kind))
    }
    return [...found.values()]
  }

  /** The folder of one kind in a project, or the first thing on the way there that is no folder. Links are not followed. */
  #wayTo(project: string, name: string): { path: string; kind: EntryKind | "unknown" | undefined } {
    let path = join(this.#folder, project)
    for (const step of [...OLDER_SESSIONS, name]) {
      path = join(path, step)
      const kind = this.#kindAt(path)
      if (!isFolderKind(kind)) return { path, kind }
    }
    return { path, kind: "directory" }
  }

  /** The real folder of a place in a project, if it exists. */
  #real(project: string, kind: Kind, owner: string): string | undefined {
    const way = this.#wayTo(project, FOLDERS[kind])
    if (!isFolderKind(way.kind)) return undefined
    const path = join(way.path, owner)
    return this.#exists(path) ? path : undefined
  }

  #file(kind: Kind, owner: string, file: string): string | undefined {
    const folders = this.#folders(kind, owner)
    if (kind === "message") this.#note(folders)
    const found = this.#among(folders, file)
    if (found !== undefined || folders.every((folder) => this.#exists(folder))) return found
    this.#known.delete(`${kind}/${owner}`)
    return this.#among(this.#folders(kind, owner), file)
  }

  /** The first existing path with that name in these folders. */
  #among(folders: Iterable<string>, name: string): string | undefined {
    for (const folder of folders) {
      const path = join(folder, name)
      if (this.#exists(path)) return path
    }
    return undefined
  }

  #folders(kind: Kind, owner: string): readonly string[] {
    if (kind === "session") return present(this.#real(owner, kind, ""))
    const known = this.#known.get(`${kind}/${owner}`)
    if (known) return known
    const found = kind === "message" ? this.#inProjects(kind, owner) : this.#partsOf(owner)
    if (found.length > 0) this.#remember(kind, owner, found)
    return found
  }

  #inProjects(kind: Kind, owner: string): string[] {
    return this.#projects().flatMap((project) => present(this.#real(project, kind, owner)))
  }

  /** The folders with a message's parts: those of its session, in all projects. */
  #partsOf(message: string): string[] {
    const found = this.#among(this.#recent, message) ?? this.#among(this.#sessionsWithParts(), message)
    if (found === undefined) return []
    const session = sessionOfParts(found)
    const all = this.#withSiblings(session, message)
    if (all.includes(found)) return all
    // A project was added or renamed since.
    this.#beside.delete(session)
    return this.#withSiblings(session, message)
  }

  #withSiblings(session: string, message: string): string[] {
    let folders = this.#beside.get(session)
    if (!folders) {
      folders = this.#inProjects("part", session).filter((folder) => this.#isFolder(folder))
      this.#beside.set(session, folders)
      const oldest = this.#beside.keys().next()
      if (this.#beside.size > MAX_SESSIONS && !oldest.done) this.#beside.delete(oldest.value)
    }
    return folders.map((folder) => join(folder, message)).filter((path) => this.#exists(path))
  }

  *#sessionsWithParts(): Generator<string> {
    for (const folder of this.#inProjects("part", "")) {
      for (const { name, kind } of this.#entries(folder)) if (kind === "directory") yield join(folder, name)
    }
  }

  /** Notes that messages in these folders were read, since their parts will probably be read next. */
  #note(messages: readonly string[]): void {
    for (const folder of messages) {
      const parts = join(dirname(dirname(folder)), FOLDERS.part, basename(folder))
      if (this.#recent[0] === parts || !this.#isFolder(parts)) continue
      this.#recent = [parts, ...this.#recent.filter((other) => other !== parts)].slice(0, MAX_RECENT)
    }
  }

  #remember(kind: Kind, owner: string, folders: readonly string[]): void {
    const place = `${kind}/${owner}`
    this.#known.delete(place)
    this.#known.set(place, folders)
    const oldest = this.#known.keys().next()
    if (this.#known.size > MAX_REMEMBERED && !oldest.done) this.#known.delete(oldest.value)
  }

  /** Forgets where a place really lies: always for messages; for parts only if their folders have changed. */
  #forget(kind: Kind, owner: string): void {
    const place = `${kind}/${owner}`
    if (kind === "message") this.#beside.delete(owner)
    const known = this.#known.get(place)
    if (!known) return
    if (kind === "part") {
      const now = this.#withSiblings(sessionOfParts(known[0]), owner)
      if (now.length === known.length && known.every((folder) => now.includes(folder))) return
    }
    this.#known.delete(place)
  }
}

/** Whether something is a folder. What cannot be looked at counts as one, and reading it will report why. */
function isFolderKind(kind: EntryKind | "unknown" | undefined): boolean {
  return kind === "directory" || kind === "unknown"
}

function noFolder(path: string, kind: EntryKind | "unknown"): StoreError {
  return new StoreError("NOT_A_FILE", `A ${kind} lies where a folder of records should be`, { path })
}

function notSeen(path: string): StoreError {
  const message = "The parts of a message whose id another session has too are not seen"
  return new StoreError("CONFLICT", message, { path })
}

/** The session that a real folder of a message's parts belongs to. */
function sessionOfParts(folder = ""): string {
  return basename(dirname(folder))
}

function isKind(name: string | undefined): name is Kind {
  return name !== undefined && Object.hasOwn(FOLDERS, name)
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}

/**
 * One stat for several folders that are shown as one. A change in any of them is younger than all times before it, so the youngest time
 * shows it; a folder that comes or goes changes the sums.
 */
function combined(stats: readonly FileStat[]): FileStat | undefined {
  const folders = stats.filter(({ kind }) => kind === "directory")
  const [first, ...others] = folders.length > 0 ? folders : stats.slice(0, 1)
  if (!first) return undefined
  let all = first
  for (const stat of others)
    all = {
      ...all,
      mtimeNs: youngest(stat.mtimeNs, all.mtimeNs),
      ctimeNs: youngest(stat.ctimeNs, all.ctimeNs),
      size: all.size + stat.size,
      inode: BigInt.asIntN(64, all.inode + stat.inode),
    }
  return all
}

function youngest(a: bigint, b: bigint): bigint {
  if (a < b) return b
  return a
}
