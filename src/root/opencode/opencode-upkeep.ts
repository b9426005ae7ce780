import { IndexFailure } from "../../database/failure.ts"
import { isStoreError, StoreError } from "../../errors.ts"
import { sessionFields } from "../../record/extract.ts"
import { jsonLine } from "../../record/json-text.ts"
import type { RootHealth } from "../health.ts"
import type { Problem } from "../problem-log.ts"
import { ScannedUpkeep } from "../scanned/scanned-upkeep.ts"
import { StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable } from "../upkeep.ts"
import type { Difference, VerifyOptions, VerifyResult } from "../verify-result.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"
import type { Access } from "./access.ts"
import type { OpencodeRecords } from "./opencode-records.ts"
import type { OpencodeTexts } from "./opencode-texts.ts"
import type { OpencodeReader } from "./reader.ts"
import type { SessionCounts } from "./walk-problems.ts"

/** What `OpencodeUpkeep` works on. */
export interface OpencodeUpkeepParts {
  readonly place: string
  readonly reader: OpencodeReader
  readonly access: Access
  readonly records: OpencodeRecords
  readonly texts: OpencodeTexts
}

/** The upkeep of a database. It is only read, so there is only our own full-text index to maintain. */
export class OpencodeUpkeep extends ScannedUpkeep {
  readonly #reader: OpencodeReader
  readonly #access: Access
  readonly #locate: OpencodeRecords["locate"]
  readonly #texts: OpencodeTexts

  constructor({ place, reader, access, records, texts }: OpencodeUpkeepParts) {
    super({ source: "opencode", place }, records)
    this.#reader = reader
    this.#access = access
    this.#locate = (key) => records.locate(key)
    this.#texts = texts
  }

  /** Indexes the texts of what changed, and reads all sessions that changed to find what cannot be read. */
  override async index({ signal }: IndexOptions): Promise<WalkResult> {
    const began = performance.now()
    const unreadable: Problem[] = []
    const counts = { session: 0, message: 0, part: 0 }
    await this.#onIndex(() => this.#texts.update({ signal }))
    const textsMs = performance.now() - began
    const before = await this.#texts.soundSessions(this.#reader, signal)
    let known = 0
    const find = (session: string): SessionCounts | undefined => {
      const found = before?.find(session)
      known += found ? found.message + found.part : 0
      return found
    }
    const note = async (session: string, own: SessionCounts) => before?.note(session, own)
    for await (const problem of this.#reader.problems({ signal, counts, before: { find, note } }))
      unreadable.push(problem)
    const { session: sessions, message: messages, part: parts } = counts
    const read = sessions + messages + parts - known
    return { sessions, messages, parts, read, unreadable, elapsedMs: performance.now() - began, textsMs }
  }

  override async rebuild(options: IndexOptions): Promise<WalkResult> {
    await this.#onIndex(() => this.#texts.forget())
    return this.index(options)
  }

  /** Reads everything, and compares the index with it. */
  override async verify({ repair, signal }: VerifyOptions): Promise<VerifyResult> {
    const counts = { session: 0, message: 0, part: 0 }
    const differences: Difference[] = []
    let ok = true
    await this.#onIndex(async () => {
      differences.push(...(await this.#texts.differences({ repair, signal })))
      // Whether the repair worked, a second comparison tells.
      const left = repair && differences.length > 0 ? await this.#texts.differences({ signal }) : differences
      ok = left.length === 0
    })
    const before = await this.#texts.soundSessions(this.#reader, signal)
    const read = new Map<string, SessionCounts>()
    const note = async (session: string, own: SessionCounts) => void read.set(session, own)
    for await (const _ of this.#reader.problems({ signal, counts, before: { find: () => undefined, note } }));
    await this.#onIndex(async () => {
      for (const session of (await before?.wrong(this.#reader, read)) ?? []) {
        differences.push({ path: this.#locate(["message", session]), kind: "wrong" })
        if (repair) await before?.forget(session)
        else ok = false
      }
    })
    const { session: sessions, message: messages, part: parts } = counts
    return { ok, checked: { sessions, messages, parts }, differences, duplicates: [] }
  }

  override missing(): StoreError | undefined {
    return this.#access.absence()
  }

  override outOfReach(): boolean {
    return this.#access.isGone()
  }

  override isThere(): boolean {
    return this.#access.absence() === undefined
  }

  override health(): RootHealth {
    const index = this.#texts.index?.health()
    return { ...super.health(), ...(index && { index }), backgroundIndex: this.#texts.progress.health }
  }

  override indexBytes(): number {
    return this.#texts.index?.bytes() ?? 0
  }

  override async stop(): Promise<void> {
    await this.#texts.stop()
  }

  override close(): void {
    this.#texts.close()
    this.#reader.close()
  }

  async #onIndex(work: () => Promise<void>): Promise<void> {
    this.#texts.index?.tryAgain()
    try {
      await work()
    } catch (error) {
      // A fault of the database itself is reported among what cannot be read.
      if (isStoreError(error) && error.code !== "CLOSED") return
      if (!(error instanceof IndexFailure)) throw error
      throw new StoreError("INDEX_UNAVAILABLE", `The index cannot be used: ${error.message}`, {
        path: this.#texts.index?.health().path,
        cause: error,
        hint: "Everything still works from the database. Check health(); you can delete the index at any moment.",
      })
    }
  }

  /** Reads all sessions except those that the index knows to be readable. */
  override async *problems({ signal }: Endable): AsyncGenerator<Problem> {
    yield* this.#reader.problems({ signal, before: await this.#texts.soundSessions(this.#reader, signal) })
  }

  /** Counts rows and their sizes, without reading messages and parts. */
  override async stats({ signal }: Endable): Promise<StoreStats> {
    const sum = new StatsSum()
    const at = (...key: string[]): string => this.#locate(key)
    await this.#access.quietly(undefined, async () => {
      for await (const projects of this.#reader.folders("session", signal))
        for (const project of projects)
          for (const id of await this.#reader.ids("session", project)) {
            const [body] = await this.#reader.bodies("session", project, [id])
            const bytes = body ? Buffer.byteLength(jsonLine(body)) : 0
            sum.addSession(id, project, body && sessionFields(body).updated, {
              path: at("session", project, id),
              bytes,
            })
          }
      for await (const { session, message, part, bytes } of this.#reader.sizes(signal))
        if (part === undefined) sum.add("message", session, { path: at("message", session, message), bytes })
        else sum.add("part", session, { path: at("part", message, part), bytes })
      for (const kind of ["project", "todo"])
        for (const id of await this.#reader.plainIds(kind)) {
          const bytes = Buffer.byteLength(jsonLine((await this.#reader.value([kind, id])) ?? null))
          sum.addPlain(kind, id, { path: at(kind, id), bytes })
        }
    })
    return sum.result()
  }
}
