import type { StoreError } from "../../errors.ts"
import { sessionFields } from "../../record/extract.ts"
import type { Problem } from "../problem-log.ts"
import { ScannedUpkeep } from "../scanned/scanned-upkeep.ts"
import { StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import type { Endable } from "../upkeep.ts"
import type { IndexOptions, WalkResult } from "../walk-result.ts"
import type { Access } from "./access.ts"
import type { OpencodeRecords } from "./opencode-records.ts"
import type { OpencodeReader } from "./reader.ts"

/** The upkeep of a database: it is read only, so there is little to keep. */
export class OpencodeUpkeep extends ScannedUpkeep {
  readonly #reader: OpencodeReader
  readonly #access: Access
  readonly #locate: OpencodeRecords["locate"]

  constructor(place: string, reader: OpencodeReader, access: Access, records: OpencodeRecords) {
    super({ source: "opencode", place, close: () => reader.close() }, records)
    this.#reader = reader
    this.#access = access
    this.#locate = (key) => records.locate(key)
  }

  override async index({ signal }: IndexOptions): Promise<WalkResult> {
    const began = performance.now()
    const unreadable: Problem[] = []
    const counts = { session: 0, message: 0, part: 0 }
    for await (const problem of this.#reader.problems(signal, counts)) unreadable.push(problem)
    const { session: sessions, message: messages, part: parts } = counts
    const read = sessions + messages + parts
    return { sessions, messages, parts, read, unreadable, elapsedMs: performance.now() - began }
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

  override async *problems({ signal }: Endable): AsyncGenerator<Problem> {
    yield* this.#reader.problems(signal)
  }

  /** Counts rows by what they take, without reading what is large. */
  override async stats({ signal }: Endable): Promise<StoreStats> {
    const sum = new StatsSum()
    const at = (...key: string[]): string => this.#locate(key)
    await this.#access.quietly(undefined, async () => {
      for await (const projects of this.#reader.folders("session", signal))
        for (const project of projects)
          for (const id of await this.#reader.ids("session", project)) {
            const [body] = await this.#reader.bodies("session", project, [id])
            const bytes = body ? Buffer.byteLength(JSON.stringify(body)) : 0
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
          const bytes = Buffer.byteLength(JSON.stringify((await this.#reader.value([kind, id])) ?? null))
          sum.addPlain(kind, id, { path: at(kind, id), bytes })
        }
    })
    return sum.result()
  }
}
