import { isStoreError, type StoreError } from "../../errors.ts"
import { isExhausted } from "../../exhaustion.ts"
import { sessionFields } from "../../record/extract.ts"
import { jsonLine } from "../../record/json-text.ts"
import type { Key } from "../../record/key.ts"
import { COLLECTION_KINDS, type CollectionKind, PLAIN_KINDS, SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { RootHealth } from "../health.ts"
import type { Problem } from "../problem-log.ts"
import type { RecordSource } from "../record-source.ts"
import { StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable, Orphan, Upkeep } from "../upkeep.ts"
import type { VerifyResult } from "../verify-result.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"

/** The upkeep of a root without an index: there is nothing to maintain, and reports are made by reading the records. */
export class ScannedUpkeep implements Upkeep {
  readonly answers = { index: 0, files: 0 }
  readonly #root: { readonly source: string; readonly place: string; close?(): void }
  readonly #records: RecordSource

  constructor(
    root: { readonly source: string; readonly place: string; close?(): void },
    records: RecordSource,
  ) {
    this.#root = root
    this.#records = records
  }

  async index({ signal }: IndexOptions): Promise<WalkResult> {
    const began = performance.now()
    const counts = { session: 0, message: 0, part: 0 }
    const unreadable: Problem[] = []
    for await (const problem of this.problems({ signal }, counts)) unreadable.push(problem)
    return {
      sessions: counts.session,
      messages: counts.message,
      parts: counts.part,
      read: counts.session + counts.message + counts.part,
      unreadable,
      elapsedMs: performance.now() - began,
      textsMs: 0,
    }
  }

  rebuild(options: IndexOptions): Promise<WalkResult> {
    return this.index(options)
  }

  /** Nothing is derived, so nothing can differ. */
  async verify({ signal }: Endable): Promise<VerifyResult> {
    const { sessions, messages, parts } = await this.index({ signal })
    return { ok: true, checked: { sessions, messages, parts }, differences: [], duplicates: [] }
  }

  nudge(): void {}

  missing(): StoreError | undefined {
    return undefined
  }

  outOfReach(): boolean {
    return false
  }

  isThere(): boolean {
    return true
  }

  async *problems(
    { signal }: Endable,
    counts: Record<CollectionKind, number> = { session: 0, message: 0, part: 0 },
  ): AsyncGenerator<Problem> {
    for await (const { kind, folder, id, key } of this.#all(signal)) {
      counts[kind]++
      const problem = await this.#problem(key, () => this.#records.get(kind, folder, id))
      if (problem) yield problem
    }
    for (const kind of PLAIN_KINDS)
      for (const id of await this.#records.plainIds(kind)) {
        signal?.throwIfAborted()
        const key = [kind, id]
        const problem = await this.#problem(key, () => this.#records.value(key))
        if (problem) yield problem
      }
  }

  async *orphans({ signal }: Endable): AsyncGenerator<Orphan> {
    const orphan = (kind: Orphan["kind"], key: Key): Orphan => ({
      kind,
      key,
      path: this.#records.locate(key),
    })
    const sessions = await this.#owners("session")
    const messages = await this.#owners("message")
    for (const kind of ["message", "part"] as const) {
      const owners = kind === "message" ? sessions : messages
      for (const folder of await this.#records.folders(kind)) {
        signal?.throwIfAborted()
        if (owners.has(folder)) continue
        for (const id of await this.#records.ids(kind, folder)) yield orphan(kind, [kind, folder, id])
      }
    }
    for (const kind of SESSION_SIDE_KINDS)
      for (const id of await this.#records.plainIds(kind))
        if (!sessions.has(id)) yield orphan(kind, [kind, id])
  }

  async stats({ signal }: Endable): Promise<StoreStats> {
    const sum = new StatsSum()
    const sessionOf = new Map<string, string>()
    for await (const { kind, folder, id, key } of this.#all(signal)) {
      const [body] = await this.#records.read(kind, folder, [id])
      const bytes = body ? Buffer.byteLength(jsonLine(body)) : 0
      const record = { path: this.#records.locate(key), bytes }
      if (kind === "session") sum.addSession(id, folder, body && sessionFields(body).updated, record)
      else if (kind === "part") sum.add(kind, sessionOf.get(folder), record)
      else {
        if (!sessionOf.has(id)) sessionOf.set(id, folder)
        sum.add(kind, folder, record)
      }
    }
    return sum.result()
  }

  health(): RootHealth {
    return {
      directory: this.#root.place,
      layout: this.#root.source,
      index: {
        state: "unopened",
        reason: undefined,
        kind: undefined,
        path: undefined,
        journalMode: undefined,
        damaged: [],
        failures: 0,
      },
      backgroundIndex: { state: "off" },
    }
  }

  indexBytes(): number {
    return 0
  }

  async stop(): Promise<void> {}

  close(): void {
    this.#root.close?.()
  }

  async *#all(signal: AbortSignal | undefined) {
    const slice = new TimeSlice(signal)
    for (const kind of COLLECTION_KINDS)
      for (const folder of await this.#records.folders(kind))
        for (const id of await this.#records.ids(kind, folder)) {
          const turn = slice.pass()
          if (turn) await turn
          yield { kind, folder, id, key: [kind, folder, id] }
        }
  }

  async #owners(kind: "session" | "message"): Promise<Set<string>> {
    const ids = new Set<string>()
    for (const folder of await this.#records.folders(kind))
      for (const id of await this.#records.ids(kind, folder)) ids.add(id)
    return ids
  }

  async #problem(key: Key, read: () => Promise<unknown>): Promise<Problem | undefined> {
    try {
      await read()
      return undefined
    } catch (error) {
      if (!isStoreError(error) || isExhausted(error)) throw error
      if (error.code === "NOT_FOUND") return undefined
      return { path: error.path ?? this.#records.locate(key), code: error.code, message: error.message }
    }
  }
}
