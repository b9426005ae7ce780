import { basename, dirname, join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { isExhausted } from "../../exhaustion.ts"
import { folderRefusal } from "../../file/refusal.ts"
import type { DirectoryEntry, EntryKind, FileStat, FileSystem } from "../../file/system.ts"
import { segmentFault } from "../../record/key.ts"
import { OLDER_SESSIONS } from "./older-folder.ts"

const FOLDERS = { session: "info", message: "message", part: "part" } as const
type Kind = keyof typeof FOLDERS
/** Neither is ever part of a name. */
const SEPARATOR = /[/\\]/

/** Places whose real folders are remembered. */
const MAX_REMEMBERED = 20_000
/** Sessions whose folders of parts are remembered. */
const MAX_SESSIONS = 1_000
/** Sessions that were read last: the next message is likely one of theirs. */
const MAX_RECENT = 16

/**
 * The older layout (`<folder>/<project>/storage/session/{info,message,part}/…`) as if it were the current one, for reading
 * only: `session/<project>/<id>.json`, `message/<session>/<id>.json`, `part/<message>/<id>.json`. So everything that reads,
 * indexes and checks the current layout does the same for the older one, in place.
 *
 * A session that lies in several projects has the messages and parts of all of them, the first project's where names clash.
 * Message ids are taken to be a session's own: of several sessions with parts for one, the first found stands.
 */
export class OlderLayout {
  readonly #fs: FileSystem
  readonly #folder: string
  readonly #tell: (error: StoreError) => void
  /** The real folders of messages and parts, by place. Bounded; what is not there is looked for. */
  readonly #known = new Map<string, readonly string[]>()
  /** Real folders of parts, of the sessions read last first. */
  #recent: string[] = []
  /** Of sessions the real folders of parts in all projects; looked for anew with every look at their messages. */
  readonly #beside = new Map<string, readonly string[]>()
  readonly #unreadable = new Map<string, StoreError>()
  /** Folders of parts that are not seen, as found when all were last listed. */
  #unseen: StoreError[] = []
  /** What lies where a project's folder of sessions should be, as found when all were last listed. */
  #misplaced: StoreError[] = []

  /** @param tell told of each folder that could not be read, once for as long as that is so */
  constructor(fs: FileSystem, folder: string, tell: (error: StoreError) => void = () => {}) {
    this.#fs = fs
    this.#folder = folder
    this.#tell = tell
  }

  /** The layout as a file system whose every change is refused. */
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

  /** The folders that could not be read, or be told apart from others, when they were last looked at. */
  unreadable(): StoreError[] {
    return [...this.#unreadable.values(), ...this.#unseen, ...this.#misplaced]
  }

  /** Where a path of the view really lies; what does not exist keeps its path. */
  locate(path: string): string {
    const [kind, owner, file, deeper] = this.#segments(path)
    if (kind === undefined || (isKind(kind) && owner === undefined)) return this.#folder
    if (!isKind(kind) || owner === undefined || deeper !== undefined) return path
    if (file === undefined) return this.#folders(kind, owner)[0] ?? this.#nearest(kind, owner) ?? path
    return this.#file(kind, owner, file) ?? path
  }

  /** Of a project without a folder of sessions, what of the way there is there. */
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
      // A project that is a link is not looked into: what lies there would pass for a folder.
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

  /** Names that can be an owner's, links among them. A folder that cannot be read does not hide the others. */
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

  /** What cannot be looked at is taken to be there: whoever reads it then tells why it cannot. */
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

  /** A link is none: only the first level is followed. */
  #isFolder(path: string): boolean {
    return isFolderKind(this.#kindAt(path))
  }

  #projects(): string[] {
    return this.#entries(this.#folder)
      .filter(({ kind }) => kind === "directory")
      .map(({ name }) => name)
      .sort()
  }

  /** What lies where a project should have the folders on the way to its records. */
  #odd(project: string): StoreError[] {
    const found = new Map<string, StoreError>()
    for (const name of Object.values(FOLDERS)) {
      const { path, kind } = this.#wayTo(project, name)
      if (kind !== undefined && !isFolderKind(kind)) found.set(path, noFolder(path, kind))
    }
    return [...found.values()]
  }

  /** The folder of one kind in a project, or what on the way there is no folder. Links are not followed. */
  #wayTo(project: string, name: string): { path: string; kind: EntryKind | "unknown" | undefined } {
    let path = join(this.#folder, project)
    for (const step of [...OLDER_SESSIONS, name]) {
      path = join(path, step)
      const kind = this.#kindAt(path)
      if (!isFolderKind(kind)) return { path, kind }
    }
    return { path, kind: "directory" }
  }

  /** The real folder of a place, where it exists in that project. */
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

  /** The first path of that name in folders. */
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

  /** The folders with parts of a message: all that its session has, in whichever project. */
  #partsOf(message: string): string[] {
    const found = this.#among(this.#recent, message) ?? this.#among(this.#sessionsWithParts(), message)
    if (found === undefined) return []
    const session = sessionOfParts(found)
    const all = this.#withSiblings(session, message)
    if (all.includes(found)) return all
    // A project came or was renamed since.
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

  /** Notes that messages of these folders were read: their parts are likely to be next. */
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

  /** Looks at a place anew: always for messages, and for parts where they are no longer where they were, or elsewhere too. */
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

/** What cannot be looked at is taken to be what it should be: whoever reads it tells why it cannot. */
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

/** The session whose parts lie in a real folder of a message's parts. */
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
 * One stat for folders that are seen as one. A change of any of them is younger than what all of them were before, so the
 * youngest time tells of it; one that comes or goes changes the sums.
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
