import type { StoreError } from "../../errors.ts"
import { loaded } from "../../exhaustion.ts"
import { jsonLine } from "../../record/json-text.ts"
import type { RootHealth } from "../health.ts"
import type { Problem } from "../problem-log.ts"
import { ScannedUpkeep } from "../scanned/scanned-upkeep.ts"
import { StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable, Orphan } from "../upkeep.ts"
import type { VerifyResult } from "../verify-result.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"
import type { FleetAccess } from "./access.ts"
import type { PostgresRecords } from "./postgres-records.ts"
import type { Reading } from "./record-rows.ts"
import { largeRecords, recordSizes, sessionSizes, totalsOf } from "./totals.ts"

/** How many sessions are added up at a time. */
const RUN = 500

/** The upkeep of a fleet's database. It is only read: the machines that push keep what is derived in it. */
export class PostgresUpkeep extends ScannedUpkeep {
  readonly #access: FleetAccess
  readonly #records: PostgresRecords
  readonly #reading: Reading
  readonly #close: () => void

  constructor(access: FleetAccess, records: PostgresRecords, reading: Reading, close: () => void) {
    super({ source: "fleet", place: access.place }, records)
    this.#access = access
    this.#records = records
    this.#reading = reading
    this.#close = close
  }

  /** Counts records, and finds those that are too large to be read. */
  override async index({ signal }: IndexOptions): Promise<WalkResult> {
    const began = performance.now()
    const none = { sessions: 0, messages: 0, parts: 0 }
    const { sessions, messages, parts } = await this.#access.quietly(none, (db) =>
      totalsOf(db, this.#reading.me),
    )
    const unreadable = await Array.fromAsync(this.problems({ signal }))
    const elapsedMs = performance.now() - began
    return { sessions, messages, parts, read: 0, unreadable, elapsedMs, textsMs: 0 }
  }

  /** Compares what is derived with the bodies. Only the machines that pushed can repair it. @throws StoreError `FLEET_UNAVAILABLE` */
  override async verify({ signal }: Endable): Promise<VerifyResult> {
    const { compareFleet } = await loaded(() => import("./verify-fleet.ts"))
    const { maxRecordBytes } = this.#reading
    const locate = (...key: string[]): string => this.#records.locate(key)
    const fleet = { access: this.#access, maxRecordBytes, locate, signal }
    const { checked, differences } = await compareFleet(fleet)
    return { ok: differences.length === 0, checked, differences, duplicates: [] }
  }

  override async *problems({ signal }: Endable): AsyncGenerator<Problem> {
    const { me, maxRecordBytes } = this.#reading
    const large = await this.#access.quietly([], (db) => largeRecords(db, me, maxRecordBytes))
    for (const { kind, folder, id, size } of large) {
      signal?.throwIfAborted()
      const path = this.#records.locate([kind, folder, id])
      yield { path, code: "TOO_LARGE", message: `${path} is larger than ${maxRecordBytes} bytes: ${size}` }
    }
  }

  /** None: the database's foreign keys allow no orphans. */
  override async *orphans(): AsyncGenerator<Orphan> {}

  override async stats({ signal }: Endable): Promise<StoreStats> {
    const { me } = this.#reading
    const sum = new StatsSum()
    const at = (...key: string[]): string => this.#records.locate(key)
    for (let after = ""; ; ) {
      const from = after
      const run = await this.#access.quietly([], (db) => sessionSizes(db, me, from, RUN))
      for (const { id, project, updated, size } of run) {
        signal?.throwIfAborted()
        sum.addSession(id, project, updated, { path: at("session", project, id), bytes: size })
        for (const record of await this.#access.quietly([], (db) => recordSizes(db, me, id))) {
          const { kind, folder } = record
          if (kind === "side") sum.addPlain(folder, id, { path: at(folder, id), bytes: record.size })
          else sum.add(kind, id, { path: at(kind, folder, record.id), bytes: record.size })
        }
      }
      const last = run.at(-1)
      if (!last) break
      after = last.id
    }
    for (const id of await this.#records.plainIds("project")) {
      const body = await this.#records.readPlain("project", id)
      const bytes = body ? Buffer.byteLength(jsonLine(body)) : 0
      sum.addPlain("project", id, { path: at("project", id), bytes })
    }
    return sum.result()
  }

  /** Why the last query had no answer; `undefined` before the first. */
  override missing(): StoreError | undefined {
    return this.#access.trouble
  }

  override outOfReach(): boolean {
    return this.#access.isOutOfReach()
  }

  override health(): RootHealth {
    const { index, ...health } = super.health()
    const { trouble } = this.#access
    const state = trouble ? "failing" : index.state
    return { ...health, index: { ...index, state, reason: trouble?.message } }
  }

  override close(): void {
    this.#close()
  }
}
