import { join, resolve } from "node:path"
import { StoreError, systemCode } from "../errors.ts"
import { readFieldsPatiently } from "../file/fields-reader.ts"
import { listRecords, recordPath } from "../file/layout.ts"
import type { Fault } from "../file/reader.ts"
import { faultError, readRecord } from "../file/reader.ts"
import { sameStat } from "../file/stamp.ts"
import type { FileStat, FileSystem } from "../file/system.ts"
import type { WriteQueue } from "../file/write-queue.ts"
import { fieldsOf, type JsonObject, sessionFields } from "../record/extract.ts"
import { type Key, keyPath } from "../record/key.ts"
import type { Place } from "../record/kind.ts"
import type { SessionQuery } from "../record/query.ts"
import { placesOf } from "../root/json/bodies.ts"
import {
  FileCatalog,
  folderNames,
  NOTHING_UNWRITTEN,
  type RecordFiles,
  recordIds,
} from "../root/json/file-catalog.ts"
import { missingMessages } from "../root/json/orphans.ts"
import { findOlder, isOlder } from "../root/older/older-folder.ts"
import { OlderLayout } from "../root/older/older-layout.ts"
import { type Problem, ProblemLog } from "../root/problem-log.ts"
import { TimeSlice } from "../time-slice.ts"

/** Records handed to the write queue at once. */
const AT_ONCE = 128
/** Records of any size are copied: none is held whole. */
const ANY_SIZE = Number.MAX_SAFE_INTEGER
/** Larger messages and projects are not asked for their work tree, in bytes. */
const MAX_LOOKED_INTO = 1024 * 1024
/** The project of all sessions outside any repository. */
const GLOBAL = "global"
const COUNTED = { session: "sessions", message: "messages", part: "parts" } as const

/** Which histories of an older layout are copied. */
export interface ImportOlderOptions {
  /** The `project` folder of an older layout; by default the one beside the store. */
  directory?: string | undefined
  signal?: AbortSignal | undefined
  /** Called after every session. */
  onProgress?: ((progress: ImportOlderProgress) => void) | undefined
}

/** How far an import has come. */
export interface ImportOlderProgress {
  /** Sessions that are done, and how many there are. */
  readonly done: number
  readonly total: number
  /** Records copied so far, of all kinds. */
  readonly copied: number
}

/** Records by kind. */
export interface RecordCounts {
  sessions: number
  messages: number
  parts: number
}

/** What an import did. */
export interface ImportOlderResult {
  readonly copied: Readonly<RecordCounts>
  /** What was there already, under the same ids, and was left as it is. */
  readonly present: Readonly<RecordCounts>
  /** Bytes copied. */
  readonly bytes: number
  /** Sessions that were there with another `time.updated`: neither they nor their messages were touched. */
  readonly differing: readonly string[]
  /** What could not be read. It stays where it is, and everything else is copied. */
  readonly unreadable: readonly Problem[]
  readonly elapsedMs: number
}

/** What importing takes of a store. */
export interface ImportTarget {
  readonly fs: FileSystem
  readonly files: RecordFiles
  readonly queue: Pick<WriteQueue, "enqueue">
}

/** As `Store.importOlder`. */
export async function importOlder(
  target: ImportTarget,
  options: ImportOlderOptions,
): Promise<ImportOlderResult> {
  const { fs, files } = target
  const folder = options.directory === undefined ? findOlder(fs, files.directory) : resolve(options.directory)
  if (folder === undefined || !isOlder(fs, folder))
    throw new StoreError("NOT_FOUND", "There is no history in the older layout", {
      path: folder ?? files.directory,
      hint: "It is a folder `project` beside `storage`; name that folder if it is elsewhere.",
    })
  return new OlderImport(target, folder, options).run()
}

/** A session of the older layout, and the project it is of. */
interface Source {
  readonly id: string
  readonly project: string
}

/**
 * One run. A session's own file goes last, after its messages, which each go after their parts: what is there with its file is
 * there whole, and what a killed run left is finished by the next.
 */
class OlderImport {
  readonly #target: ImportTarget
  readonly #options: ImportOlderOptions
  readonly #slice: TimeSlice
  readonly #layout: OlderLayout
  readonly #older: RecordFiles
  readonly #copied: RecordCounts = { sessions: 0, messages: 0, parts: 0 }
  readonly #present: RecordCounts = { sessions: 0, messages: 0, parts: 0 }
  readonly #unreadable = new Map<string, Problem>()
  readonly #differing: string[] = []
  readonly #projects = new Map<string, string>()
  #worktrees: ReadonlyMap<string, string> | undefined
  #bytes = 0

  constructor(target: ImportTarget, folder: string, options: ImportOlderOptions) {
    this.#target = target
    this.#options = options
    this.#slice = new TimeSlice(options.signal)
    this.#layout = new OlderLayout(target.fs, folder)
    this.#older = {
      fs: this.#layout.view(),
      directory: folder,
      maxRecordBytes: ANY_SIZE,
      unwritten: NOTHING_UNWRITTEN,
      // No index speaks of them yet.
      doubt: async () => {},
      problems: new ProblemLog((problem) => this.#report(problem)),
      locate: (path) => this.#layout.locate(path),
    }
  }

  async run(): Promise<ImportOlderResult> {
    const begun = performance.now()
    const sessions = await this.#sessions()
    let done = 0
    for (const session of sessions) {
      await this.#importSession(session)
      const { sessions: s, messages, parts } = this.#copied
      this.#options.onProgress?.({ done: ++done, total: sessions.length, copied: s + messages + parts })
    }
    await this.#importOrphans(new Set(sessions.map(({ id }) => id)))
    for (const { path = "", code, message } of this.#layout.unreadable())
      this.#report({ path, code, message })
    return {
      copied: this.#copied,
      present: this.#present,
      bytes: this.#bytes,
      differing: this.#differing,
      unreadable: [...this.#unreadable.values()],
      elapsedMs: Math.round(performance.now() - begun),
    }
  }

  /** The readable sessions, each once, oldest first; of several copies the newest. */
  async #sessions(): Promise<readonly Source[]> {
    const query: SessionQuery = { archived: "include", order: "created", direction: "asc" }
    return [...(await new FileCatalog(this.#older).sessions(query, { signal: this.#options.signal }))]
  }

  async #importSession({ id, project }: Source): Promise<void> {
    const place: Place = { kind: "session", folder: project }
    const [there] = placesOf(this.#target.files, "session", id)
    if (there && !(await this.#isSameVersion(place, there, id))) {
      this.#present.sessions++
      this.#differing.push(id)
      return
    }
    await this.#importMessages(id)
    if (there) this.#present.sessions++
    else
      await this.#copy([
        { from: place, to: { kind: "session", folder: await this.#projectFor(project) }, id },
      ])
  }

  /**
   * Whether the session that is there is this one, unchanged. Then what it lacks was never copied, as by an upgrade that was
   * interrupted; in a session that went on since then it may have been removed on purpose.
   */
  async #isSameVersion(place: Place, there: Place, id: string): Promise<boolean> {
    const mine = await this.#fields(this.#older, place, id)
    const theirs = await this.#fields(this.#target.files, there, id)
    return (
      mine !== undefined &&
      theirs !== undefined &&
      sessionFields(mine).updated === sessionFields(theirs).updated
    )
  }

  async #fields(files: RecordFiles, place: Place, id: string): Promise<JsonObject | undefined> {
    const path = recordPath(files.directory, place, id)
    const result = await readFieldsPatiently(files.fs, path, ANY_SIZE, this.#slice)
    mustNotBeExhausted(result, path)
    return "body" in result ? result.body : undefined
  }

  async #importMessages(session: string): Promise<void> {
    const place: Place = { kind: "message", folder: session }
    const ids = recordIds(this.#older, place)
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const group = ids.slice(start, start + AT_ONCE)
      const parts = group.flatMap((message): Job[] => this.#partsOf(message))
      await this.#copy(parts)
      await this.#copy(group.map((id) => ({ from: place, to: place, id })))
    }
  }

  #partsOf(message: string): Job[] {
    const place: Place = { kind: "part", folder: message }
    return recordIds(this.#older, place).map((id) => ({ from: place, to: place, id }))
  }

  /** Messages and parts that belong to no readable session come along as what they are: orphans, until their parent is mended. */
  async #importOrphans(imported: ReadonlySet<string>): Promise<void> {
    for (const session of folderNames(this.#older, "message"))
      if (!imported.has(session)) await this.#importMessages(session)
    for await (const message of missingMessages(this.#older, this.#slice))
      await this.#copy(this.#partsOf(message))
  }

  /**
   * The folder of a project's sessions: that of the project with the same work tree where the store knows one, else a folder
   * of the older name. Nothing is asked of the work tree itself, which may be gone.
   */
  async #projectFor(name: string): Promise<string> {
    const known = this.#projects.get(name)
    if (known !== undefined) return known
    const worktree = name === GLOBAL ? undefined : await this.#worktreeOf(name)
    const found = (worktree !== undefined && (await this.#knownWorktrees()).get(worktree)) || name
    this.#projects.set(name, found)
    return found
  }

  /** The first root that a message of the project names: the project's own file does not. */
  async #worktreeOf(name: string): Promise<string | undefined> {
    for (const session of recordIds(this.#older, { kind: "session", folder: name })) {
      const place: Place = { kind: "message", folder: session }
      for (const id of recordIds(this.#older, place)) {
        await this.#slice.pass()
        const path = recordPath(this.#older.directory, place, id)
        const result = await readRecord(this.#older.fs, path, MAX_LOOKED_INTO)
        mustNotBeExhausted(result, path)
        const root = "record" in result ? fieldsOf(fieldsOf(result.record.value).path).root : undefined
        if (typeof root === "string" && root !== "") return root
      }
    }
    return undefined
  }

  /** The store's projects by their work trees. */
  async #knownWorktrees(): Promise<ReadonlyMap<string, string>> {
    if (this.#worktrees) return this.#worktrees
    const { fs, directory } = this.#target.files
    const worktrees = new Map<string, string>()
    for (const id of listRecords(fs, join(directory, "project")).ids) {
      const path = keyPath(directory, ["project", id])
      const result = await readRecord(fs, path, MAX_LOOKED_INTO)
      mustNotBeExhausted(result, path)
      const { worktree } = fieldsOf("record" in result ? result.record.value : undefined)
      if (typeof worktree === "string" && id !== GLOBAL && !worktrees.has(worktree))
        worktrees.set(worktree, id)
    }
    this.#worktrees = worktrees
    return worktrees
  }

  async #copy(jobs: readonly Job[]): Promise<void> {
    for (let start = 0; start < jobs.length; start += AT_ONCE) {
      this.#options.signal?.throwIfAborted()
      const group = jobs.slice(start, start + AT_ONCE)
      const outcomes = await Promise.allSettled(group.map((job) => this.#copyOne(job)))
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason
    }
  }

  async #copyOne({ from, to, id }: Job): Promise<void> {
    const { files, queue } = this.#target
    const key: Key = [to.kind, to.folder, id]
    const path = keyPath(files.directory, key)
    // A session may have been moved, or written to another project, since its place was chosen.
    const isThere = (): boolean =>
      to.kind === "session" ? placesOf(files, "session", id).length > 0 : files.fs.lstat(path) !== undefined
    const field = COUNTED[to.kind]
    if (isThere()) {
      this.#present[field]++
      return
    }
    const source = recordPath(this.#older.directory, from, id)
    const before = this.#older.fs.lstat(source)
    const result = await readFieldsPatiently(this.#older.fs, source, ANY_SIZE, this.#slice)
    mustNotBeExhausted(result, source)
    if ("fault" in result) {
      const { code, message } = result.fault
      if (code !== "NOT_FOUND") this.#report({ path: source, code, message })
      return
    }
    const pieces = (): Iterable<Uint8Array> => this.#pieces(source, before)
    try {
      // Looked at once more under the lock: what came there meanwhile stays.
      const copied = await queue.enqueue({
        key,
        path,
        reads: false,
        decide: () => (isThere() ? undefined : { pieces }),
      })
      if (copied) this.#bytes += before?.size ?? 0
      ;(copied ? this.#copied : this.#present)[field]++
    } catch (error) {
      if (!(error instanceof SourceFailure)) throw error
      this.#report({ path: source, code: error.code, message: error.message })
    }
  }

  /** The bytes of a file that was just looked at. */
  *#pieces(path: string, before: FileStat | undefined): Generator<Uint8Array> {
    const { fs } = this.#older
    try {
      yield* fs.readPieces(path)
      if (sameStat(before, fs.lstat(path))) return
    } catch (cause) {
      const code = systemCode(cause)
      if (code === undefined) throw cause
      throw new SourceFailure("UNREADABLE", `The file cannot be read (${code})`, { path, cause })
    }
    throw new SourceFailure("UNREADABLE", "The file was changed while it was copied", { path })
  }

  #report(problem: Problem): void {
    const path = this.#layout.locate(problem.path)
    this.#unreadable.set(path, { ...problem, path })
  }
}

/** One record to be copied. */
interface Job {
  readonly from: Place
  readonly to: Place
  readonly id: string
}

/** What the system refuses for the moment says nothing of a record: the import ends, and the next goes on. */
function mustNotBeExhausted(result: object | { readonly fault: Fault }, path: string): void {
  if ("fault" in result && result.fault.code === "EXHAUSTED") throw faultError(result.fault, path)
}

/** It is the older file that cannot be read; one that cannot be written ends the import. */
class SourceFailure extends StoreError {}
