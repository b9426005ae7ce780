import { isStoreError, StoreError } from "../errors.ts"
import { ProcessLock } from "../file/lock.ts"
import type { FileSystem } from "../file/system.ts"
import { FleetConnection } from "../postgres/connection.ts"
import { stateOf } from "../postgres/failure.ts"
import { isJsonObject } from "../record/extract.ts"
import { ofSource } from "../repository/of-source.ts"
import type { RootedEntry } from "../repository/owned-sessions.ts"
import type { Roots } from "../repository/roots.ts"
import type { Problem } from "../root/problem-log.ts"
import type { Root } from "../root/root.ts"
import { pause, TimeSlice } from "../time-slice.ts"
import { type Begun, beginPush } from "./begin.ts"
import { type Chooser, chooserOf, directoryOf } from "./choice.ts"
import { ContentHash } from "./content-hash.ts"
import { goneSessions } from "./gone-sessions.ts"
import type { Making } from "./local-session.ts"
import { MachineFile } from "./machine.ts"
import type { Pushed, PushOptions, PushResult } from "./options.ts"
import { pushProjects } from "./projects.ts"
import { forgottenOf, type PublishedSession, publishedSessions } from "./published.ts"
import type { SecretCounts } from "./secrets.ts"
import { checkNotPoorer, diffSession, type SessionDiff } from "./session-diff.ts"
import { Forgotten, noteVersions, publishSession, withdrawSession } from "./session-transaction.ts"

/** What a push needs of the store. */
export interface PushSource {
  readonly roots: Roots
  readonly fs: FileSystem
  /** Where the machine's identity is kept. */
  readonly folder: string
  readonly readOnly: boolean
}

/** A change of how records are published raises it, so that all are looked at again. */
const FORMAT = 1
/** The source of a database that is read. */
const FLEET = "fleet"
const SESSIONS_AT_ONCE = 500
/** So many are published at the same time. */
const AT_ONCE = 3
/** What is tried again where the connection was lost, in ms after which. */
const AGAIN_AFTER_MS = [200, 1_000, 3_000]
/** How long another push of this machine is waited for, in ms. */
const PATIENCE_MS = 5_000
/** Errors that are about the push as a whole, and not about one session. */
const OF_ALL = new Set([
  "FLEET_UNAVAILABLE",
  "FLEET_SCHEMA",
  "LOCKED",
  "MACHINE_COPIED",
  "CLOSED",
  "EXHAUSTED",
])

/**
 * Publishes the sessions of a store, of all its roots, to a database, the one updated last first; yields each that was published, and returns the
 * sums. What changed is known from the indexes and proven by hashes of content. Each session is one transaction: killed at any moment and begun
 * again, nothing is there twice or in half. One that cannot be published is told of and hinders no other.
 * @throws TypeError; StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `MACHINE_COPIED`, `LOCKED`, `READ_ONLY`, `WRITE_FAILED`, `EXHAUSTED`; the
 * signal's reason
 */
export async function* push(
  source: PushSource,
  url: string,
  options: PushOptions = {},
): AsyncGenerator<Pushed, PushResult> {
  const chooser = chooserOf(options)
  const isMeant = ofSource(options.source)
  const fleet = new FleetConnection(url, { connections: AT_ONCE + 1 })
  try {
    const file = new MachineFile(source.fs, source.folder)
    if (options.dryRun) return yield* new Push(source, fleet, chooser, isMeant, options, file).run()
    if (source.readOnly && options.machineFolder === undefined)
      throw new StoreError("READ_ONLY", "A push keeps the machine's identity in the store's folder", {
        path: source.folder,
        hint: "Open the store without readOnly, or name a `machineFolder`.",
      })
    const lock = new ProcessLock(file.lockPath, undefined, source.fs)
    try {
      const release = await lock.acquire(PATIENCE_MS)
      try {
        return yield* new Push(source, fleet, chooser, isMeant, options, file).run()
      } finally {
        release()
      }
    } finally {
      lock.close()
    }
  } finally {
    await fleet.close()
  }
}

class Push {
  readonly #source: PushSource
  readonly #fleet: FleetConnection
  readonly #chooser: Chooser
  readonly #isMeant: ((root: Root) => boolean) | undefined
  readonly #options: PushOptions
  readonly #file: MachineFile
  readonly #slice: TimeSlice
  readonly #sessions = { added: 0, changed: 0, unchanged: 0, removed: 0, forgotten: 0 }
  readonly #masked: SecretCounts = new Map()
  readonly #left: Problem[] = []
  readonly #projects = new Map<string, Root>()
  #looked = 0
  #records = 0

  constructor(
    source: PushSource,
    fleet: FleetConnection,
    chooser: Chooser,
    isMeant: ((root: Root) => boolean) | undefined,
    options: PushOptions,
    file: MachineFile,
  ) {
    // What other machines have published is theirs.
    this.#source = { ...source, roots: source.roots.only((root) => root.source !== FLEET) }
    this.#fleet = fleet
    this.#chooser = chooser
    this.#isMeant = isMeant
    this.#options = options
    this.#file = file
    this.#slice = new TimeSlice(options.signal)
  }

  async *run(): AsyncGenerator<Pushed, PushResult> {
    const { signal, dryRun = false } = this.#options
    const begun = await beginPush(this.#fleet, this.#file, this.#options)
    const { roots } = this.#source
    for (const { versions } of roots.reachable()) await versions?.refresh({ signal })
    const listed = await roots.sessions(
      { archived: "include", order: "updated", direction: "desc", updatedSince: this.#options.since },
      { signal },
      this.#isMeant,
    )
    let run: RootedEntry[] = []
    for (const entry of listed) {
      run.push(entry)
      if (run.length < SESSIONS_AT_ONCE) continue
      yield* this.#run(begun, run)
      run = []
    }
    yield* this.#run(begun, run)
    this.#records += await pushProjects(begun, this.#projects, this.#making(new Map()), dryRun)
    if (this.#options.delete) yield* this.#withdraw(begun)
    return {
      machine: { id: begun.machine, name: begun.name },
      fleet: this.#fleet.place,
      sessions: this.#sessions,
      records: this.#records,
      masked: Object.fromEntries(this.#masked),
      left: this.#left,
    }
  }

  async *#run(begun: Begun, entries: readonly RootedEntry[]): AsyncGenerator<Pushed> {
    if (entries.length === 0) return
    const ids = entries.map(({ id }) => id)
    const versions = await this.#versions(entries)
    const published = begun.isNew
      ? new Map<string, PublishedSession>()
      : await this.#fleet.read((db) => publishedSessions(db, begun.machine, ids))
    const forgotten = begun.isEmpty ? new Set<string>() : await this.#fleet.read((db) => forgottenOf(db, ids))
    const same: { id: string; version: string }[] = []
    // While the server writes one, others are read.
    const begunOnes: Promise<Pushed | undefined>[] = []
    try {
      for (const entry of entries) {
        const turn = this.#slice.pass()
        if (turn) await turn
        const before = published.get(entry.id)
        const version = versions.get(entry.id)
        const isKnown = version !== undefined && before?.version === version
        if (!(await this.#isChosen(entry, isKnown ? before : undefined))) continue
        this.#projects.set(entry.project, entry.root)
        if (forgotten.has(entry.id)) this.#sessions.forgotten++
        else if (isKnown) this.#sessions.unchanged++
        else {
          const one = this.#publish(begun, entry, before, version).then((pushed) => {
            if (pushed === "same" && version !== undefined) same.push({ id: entry.id, version })
            return typeof pushed === "object" ? pushed : undefined
          })
          // One that fails is told when it is its turn.
          one.catch(() => {})
          begunOnes.push(one)
        }
        if (begunOnes.length >= AT_ONCE) yield* told(await begunOnes.shift())
        this.#looked++
        this.#options.onProgress?.({ sessions: this.#looked, records: this.#records })
      }
      while (begunOnes.length > 0) yield* told(await begunOnes.shift())
    } finally {
      // None may go on when the push has ended.
      await Promise.allSettled(begunOnes)
    }
    if (!this.#options.dryRun) await noteVersions(begun, same)
  }

  /** What the indexes say of sessions, together with how they are published. */
  async #versions(entries: readonly RootedEntry[]): Promise<Map<string, string>> {
    const { signal, mask = true } = this.#options
    const found = new Map<string, string>()
    for (const [root, own] of Map.groupBy(entries, (entry) => entry.root)) {
      const all = await root.versions?.of(own, { signal })
      for (const [at, { id, project }] of own.entries()) {
        const version = all?.[at]
        if (version === undefined) continue
        const how = [String(FORMAT), String(mask), root.source, root.place, project]
        found.set(id, new ContentHash().add(...how, version).end())
      }
    }
    return found
  }

  async #isChosen(entry: RootedEntry, published: PublishedSession | undefined): Promise<boolean> {
    const { project, time, root, id } = entry
    let directory = published?.directory ?? undefined
    if (this.#chooser.needsDirectory && !published)
      directory = directoryOf((await root.records.read("session", project, [id]))[0])
    return this.#chooser.isChosen({ project, updated: time, directory })
  }

  /** Publishes one session; `"same"` where that changes nothing, `undefined` where it was not published. */
  async #publish(
    begun: Begun,
    entry: RootedEntry,
    before: PublishedSession | undefined,
    version: string | undefined,
  ): Promise<Pushed | "same" | undefined> {
    let published = before
    for (let attempt = 0; ; attempt++)
      try {
        return await this.#publishOnce(begun, entry, published, version)
      } catch (error) {
        this.#options.signal?.throwIfAborted()
        const wait = AGAIN_AFTER_MS[attempt]
        if (wait === undefined || !isStoreError(error, "FLEET_UNAVAILABLE")) {
          this.#tell(entry, error)
          return undefined
        }
        await pause(wait, this.#options.signal)
        // It may have been committed before the connection was lost.
        const now = await this.#fleet.read((db) => publishedSessions(db, begun.machine, [entry.id]))
        published = now.get(entry.id)
      }
  }

  async #publishOnce(
    begun: Begun,
    entry: RootedEntry,
    published: PublishedSession | undefined,
    version: string | undefined,
  ): Promise<Pushed | "same" | undefined> {
    const counts: SecretCounts = new Map()
    const making = this.#making(counts)
    const against = { fleet: this.#fleet, machine: begun.machine, published }
    const diff = await diffSession(entry, against, making)
    if (!diff) return undefined
    if (published?.hash === diff.hash) {
      this.#sessions.unchanged++
      return "same"
    }
    if (!this.#options.force) checkNotPoorer(diff, published)
    if (!this.#options.dryRun)
      try {
        await publishSession(begun, diff, version ?? null, making)
      } catch (error) {
        if (!(error instanceof Forgotten)) throw error
        this.#sessions.forgotten++
        return undefined
      }
    for (const [kind, count] of counts) this.#masked.set(kind, (this.#masked.get(kind) ?? 0) + count)
    const action = published ? "changed" : "added"
    this.#sessions[action]++
    this.#records += diff.records
    return pushedOf(diff, action, counts)
  }

  /** A session that cannot be published hinders no other. @throws what is about all of them */
  #tell({ root, project, id }: RootedEntry, error: unknown): void {
    const path = root.records.locate(["session", project, id])
    if (isStoreError(error) && !OF_ALL.has(error.code)) {
      this.#left.push({ path, code: error.code, message: error.message })
      return
    }
    // Of the server's codes those that begin so are about the values it was given.
    const state = stateOf(error)
    if (state === undefined || !/^(?:22|23|54)/.test(state)) throw error
    this.#left.push({ path, code: "INVALID_RECORD", message: `The database does not take it (${state})` })
  }

  async *#withdraw(begun: Begun): AsyncGenerator<Pushed> {
    const { roots } = this.#source
    for await (const gone of goneSessions(begun, roots, this.#isMeant, this.#options, this.#left)) {
      if (!this.#options.dryRun) await withdrawSession(begun, gone.sessionID)
      this.#sessions.removed++
      yield gone
    }
  }

  #making(counts: SecretCounts): Making {
    return { mask: this.#options.mask ?? true, counts, slice: this.#slice }
  }
}

function* told(pushed: Pushed | undefined): Generator<Pushed> {
  if (pushed) yield pushed
}

function pushedOf(
  { entry, text, records }: SessionDiff,
  action: Pushed["action"],
  counts: SecretCounts,
): Pushed {
  const body: unknown = JSON.parse(text)
  const { title } = isJsonObject(body) ? body : {}
  return {
    sessionID: entry.id,
    projectID: entry.project,
    source: entry.root.source,
    place: entry.root.place,
    title: typeof title === "string" ? title : "",
    action,
    records,
    masked: Object.fromEntries(counts),
  }
}
