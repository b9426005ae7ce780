import { isStoreError } from "../errors.ts"
import type { ReadResult } from "../file/reader.ts"
import { isJsonObject, type JsonObject, sessionFields } from "../record/extract.ts"
import { identify } from "../record/identify.ts"
import { checkKey, type Key, keyPath } from "../record/key.ts"
import { placeOfKey } from "../record/kind.ts"
import { checkChoice, checkTime } from "../root/check.ts"
import { holds, placesOf } from "../root/json/bodies.ts"
import type { JsonRoot } from "../root/json/json-root.ts"
import type { RecordWriter } from "../root/json/record-writer.ts"
import type { Problem } from "../root/problem-log.ts"
import type { Root, RootContext, RootProvider } from "../root/root.ts"
import { TimeSlice } from "../time-slice.ts"
import type { ConflictChoice } from "./import.ts"

/** Which sessions to copy out of another history, and what stays where the store has them. */
export interface ImportFromOptions {
  /** Only sessions of this project. */
  projectID?: string | undefined
  /** Only sessions updated at that time or later, ms since 1970. */
  since?: number | undefined
  /**
   * Where the store has another version of a session: the one with the newest `time.updated` (`"newest"`, the default), always the
   * store's (`"keep"`), or always the other (`"replace"`).
   */
  onConflict?: ConflictChoice | undefined
  /** Change nothing; tell what would be done with the sessions. */
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: ImportFromProgress) => void) | undefined
}

/** How far the copying has come, in sessions. */
export interface ImportFromProgress {
  readonly done: number
  readonly total: number
  /** Records written so far. */
  readonly records: number
}

/** What was copied. */
export interface ImportFromResult {
  /** Sessions that the store did not have, that it had in another version, that it has in this one, and whose own version stays. */
  readonly sessions: { added: number; replaced: number; unchanged: number; kept: number }
  /** Records written, and those found there with the same content. */
  readonly records: { written: number; unchanged: number }
  /** What cannot be read on either side, or changed while it was read; the sessions of the latter are tried again by the next run. */
  readonly left: Problem[]
}

/** What such an import needs of the store around it. */
export interface ImportFromTarget {
  readonly own: JsonRoot
  readonly writer: RecordWriter
  readonly context: Omit<RootContext, "indexFolder">
}

/** How often a session is copied again that was changed meanwhile. */
const MAX_TRIES = 3
/** Parts held at once: each may be as large as a record can be. */
const PARTS_AT_ONCE = 4
const WRITES_AT_ONCE = 64
const IDS_AT_ONCE = 500

/**
 * Copies sessions out of any history into the store, the one updated first first: parts, their messages, what was planned, and the
 * session itself last, so that a session that is listed is whole. What is there already in the same version is not looked at.
 * Records that only the store has stay. Killed and begun again it goes on.
 * @throws StoreError `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `INVALID_KEY`, `NOT_FOUND` where there is no such history, `UNREADABLE`;
 * TypeError; the signal's reason
 */
export async function importFrom(
  target: ImportFromTarget,
  source: RootProvider,
  options: ImportFromOptions = {},
): Promise<ImportFromResult> {
  const choice = checkChoice("onConflict", options.onConflict, ["keep", "replace", "newest"], "newest")
  if (options.projectID !== undefined) checkKey([options.projectID])
  checkTime("since", options.since)
  if (source.place === target.own.place)
    throw new TypeError(`A store cannot be imported into itself: ${source.place}`)
  if (!options.dryRun) target.writer.mustBeWritable()
  const left: Problem[] = []
  const root = source.open({
    ...target.context,
    // Nothing is searched, and each record is read once.
    indexFolder: undefined,
    mayIndex: () => false,
    search: "off",
    backgroundIndex: false,
    tell: (problem) => left.push(problem),
  })
  try {
    const missing = root.upkeep.missing()
    if (missing) throw missing
    return await new ImportFrom(target, root, choice, options, left).run()
  } finally {
    await root.upkeep.stop()
    root.upkeep.close()
  }
}

interface Waiting {
  readonly session: string
  readonly key: Key
  readonly value: unknown
}

class ImportFrom {
  readonly #target: ImportFromTarget
  readonly #root: Root
  readonly #choice: ConflictChoice
  readonly #options: ImportFromOptions
  readonly #slice: TimeSlice
  readonly #result: ImportFromResult
  readonly #projects = new Set<string>()

  constructor(
    target: ImportFromTarget,
    root: Root,
    choice: ConflictChoice,
    options: ImportFromOptions,
    left: Problem[],
  ) {
    this.#target = target
    this.#root = root
    this.#choice = choice
    this.#options = options
    this.#slice = new TimeSlice(options.signal)
    this.#result = {
      sessions: { added: 0, replaced: 0, unchanged: 0, kept: 0 },
      records: { written: 0, unchanged: 0 },
      left,
    }
  }

  async run(): Promise<ImportFromResult> {
    const { projectID, since, dryRun, onProgress, signal } = this.#options
    const listed = await this.#root.catalog.sessions(
      { projectID, updatedSince: since, archived: "include", order: "updated", direction: "asc" },
      { signal },
    )
    // Of one that is far away that is known only now.
    const missing = this.#root.upkeep.missing()
    if (missing) throw missing
    const all = [...listed].map(({ id, project, time }) => ({ id, project, updated: time }))
    const { sessions, records } = this.#result
    for (let start = 0; start < all.length; start += IDS_AT_ONCE) {
      const run = all.slice(start, start + IDS_AT_ONCE)
      const ids = run.map(({ id }) => id)
      const present = await this.#target.own.catalog.copies(ids, undefined, { signal })
      for (const [at, { id, project, updated }] of run.entries()) {
        await this.#slice.pass()
        onProgress?.({ done: start + at, total: all.length, records: records.written })
        const there = present.get(id)
        if (there?.updated === updated) sessions.unchanged++
        else if (there && !this.#wins(updated, there.updated)) sessions.kept++
        else if (dryRun || (await this.#copy(id, project, there?.project)))
          sessions[there ? "replaced" : "added"]++
      }
    }
    onProgress?.({ done: all.length, total: all.length, records: records.written })
    return this.#result
  }

  #wins(updated: number, present: number): boolean {
    return this.#choice === "replace" || (this.#choice === "newest" && updated > present)
  }

  /** Copies a session as it is at one moment; tells whether that could be. */
  async #copy(id: string, project: string, present: string | undefined): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await this.#updated(id, project)
      if (before === undefined) return false
      let refused = false
      const tell = (problem: Problem): void => {
        // What may be read the next time is then to be copied.
        refused ||= problem.code === "UNREADABLE"
      }
      await this.#copyBelow(id, tell)
      const [body] = await this.#root.records.read("session", project, [id], tell)
      if (refused || !body) return false
      if (sessionFields(body).updated !== before) continue
      const folder = present ?? this.#target.own.projectsOf(id)[0] ?? project
      await this.#copyProject(project)
      await this.#put(id, ["session", folder, id], identify(body, { kind: "session", folder }, id))
      return true
    }
    const path = this.#root.records.locate(["session", project, id])
    const message = "The session was changed each time it was read"
    this.#result.left.push({ path, code: "UNREADABLE", message })
    return false
  }

  async #updated(id: string, project: string): Promise<number | undefined> {
    const [body] = await this.#root.records.read("session", project, [id])
    return body && sessionFields(body).updated
  }

  /** Copies parts, each message after its own, and then what was planned. */
  async #copyBelow(session: string, tell: (problem: Problem) => void): Promise<void> {
    const { catalog, records } = this.#root
    let waiting: Waiting[] = []
    const flush = async (): Promise<void> => {
      const group = waiting
      waiting = []
      await Promise.all(group.map(({ key, value }) => this.#put(session, key, value)))
    }
    const add = async (key: Key, value: unknown): Promise<void> => {
      waiting.push({ session, key, value })
      if (waiting.length >= WRITES_AT_ONCE) await flush()
    }
    for await (const run of catalog.messages(session, "asc", { signal: this.#options.signal }))
      for (const { id } of run) {
        await this.#slice.pass()
        const parts = await records.ids("part", id, tell)
        for (let start = 0; start < parts.length; start += PARTS_AT_ONCE) {
          const group = parts.slice(start, start + PARTS_AT_ONCE)
          const bodies = await records.read("part", id, group, tell)
          for (const [at, part] of group.entries()) if (bodies[at]) await add(["part", id, part], bodies[at])
          // Large ones must not pile up.
          if (bodies.some((body) => body && isLarge(body))) await flush()
        }
        const [message] = await records.read("message", session, [id], tell)
        if (message) await add(["message", session, id], message)
      }
    await flush()
    for (const kind of ["todo", "session_diff"]) {
      const value = await this.#plain([kind, session])
      if (value !== undefined) await this.#put(session, [kind, session], value)
    }
  }

  /** A project's own record, where the store has none. */
  async #copyProject(project: string): Promise<void> {
    if (this.#projects.has(project)) return
    this.#projects.add(project)
    const value = await this.#plain(["project", project])
    if (value === undefined) return
    const wrote = await this.#target.writer.writeIf(["project", project], value, isNothing)
    if (wrote) this.#result.records.written++
  }

  async #plain(key: Key): Promise<unknown> {
    try {
      return await this.#root.records.value(key)
    } catch (error) {
      if (!isStoreError(error)) throw error
      const path = error.path ?? this.#root.records.locate(key)
      if (error.code !== "NOT_FOUND")
        this.#result.left.push({ path, code: error.code, message: error.message })
      return undefined
    }
  }

  /** One that no file of ours can hold, as with a number beyond all bounds, is left. */
  async #put(session: string, key: Key, value: unknown): Promise<void> {
    try {
      await this.#putSound(session, key, value)
    } catch (error) {
      if (!isStoreError(error, "INVALID_RECORD")) throw error
      const path = this.#root.records.locate(key)
      this.#result.left.push({ path, code: error.code, message: error.message })
    }
  }

  async #putSound(session: string, key: Key, value: unknown): Promise<void> {
    const { own, writer } = this.#target
    const { records, left } = this.#result
    const path = keyPath(own.files.directory, key)
    const wrote = await writer.writeIf(key, value, (current) => {
      if (isNothing(current)) return true
      if ("fault" in current) {
        left.push({ path, code: current.fault.code, message: current.fault.message })
        return false
      }
      if (isSame(current.record.value, key, value)) {
        records.unchanged++
        return false
      }
      if (!this.#isForeign(session, key)) return true
      left.push({ path, code: "CONFLICT", message: "It belongs to a message of another session" })
      return false
    })
    if (wrote) records.written++
  }

  /** Whether a part belongs to a message that another session of the store has, and this one has not. */
  #isForeign(session: string, [kind, message = ""]: Key): boolean {
    if (kind !== "part") return false
    const { files } = this.#target.own
    if (holds(files, { kind: "message", folder: session }, message)) return false
    return placesOf(files, "message", message).length > 0
  }
}

function isNothing(current: ReadResult): boolean {
  return "fault" in current && current.fault.code === "NOT_FOUND"
}

function isSame(present: unknown, key: Key, value: unknown): boolean {
  const at = placeOfKey(key)
  const found = at && isJsonObject(present) ? identify(present, at.place, at.id) : present
  return Bun.deepEquals(found, value, true)
}

const LARGE_BYTES = 1024 * 1024

/** Whether one of a part's texts is long; to write it all out would take as long as writing it down. */
function isLarge(body: JsonObject): boolean {
  const { text, state } = body
  const output = isJsonObject(state) ? state.output : undefined
  return [text, output].some((value) => typeof value === "string" && value.length > LARGE_BYTES)
}
