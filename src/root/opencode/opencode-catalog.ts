import type { Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import type { Access } from "./access.ts"
import type { OpencodeReader } from "./reader.ts"

/** Lists what there is in a database. Each question is answered from one snapshot. */
export class OpencodeCatalog implements Catalog {
  readonly #reader: OpencodeReader
  readonly #access: Access
  /** All sessions in the snapshot of a caller's `moment`. */
  readonly #moments = new WeakMap<object, ReadonlyMap<string, SessionCopy>>()

  constructor(reader: OpencodeReader, access: Access) {
    this.#reader = reader
    this.#access = access
  }

  sessions(query: SessionQuery, range: Range): Promise<readonly SessionEntry[]> {
    const { moment } = range
    if (!moment) return this.#access.quietly([], () => this.#reader.sessions(query, range))
    return this.#access.quietly([], async () => {
      // Later questions with the same moment must be answered from the same snapshot. Otherwise a session that is updated in between
      // would lose against another root's copy here and win there, and so be listed nowhere.
      const { entries, copies } = await this.#reader.sessionsAndCopies(query, range)
      this.#moments.set(moment, copies)
      return entries
    })
  }

  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return this.#access.quietly(0, () => this.#reader.countSessions(query, signal))
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { moment, signal }: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    const then = moment && this.#moments.get(moment)
    const there =
      then ??
      (await this.#access.quietly(new Map<string, SessionCopy>(), () => this.#reader.copies(ids, signal)))
    const copies = new Map<string, SessionCopy>()
    for (const id of ids) {
      const copy = there.get(id)
      if (copy && (projectID === undefined || copy.project === projectID)) copies.set(id, copy)
    }
    return copies
  }

  /** @throws StoreError if the database cannot be read, since a conversation that ends too soon would look whole */
  messages(sessionID: string, direction: "asc" | "desc", range: Range): AsyncGenerator<readonly Position[]> {
    return this.#reader.messages(sessionID, direction, range)
  }

  countMessages(sessionID: string): Promise<number> {
    return this.#access.quietly(0, () => this.#reader.countMessages(sessionID))
  }

  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#access.quietly(new Set(messageIDs), () => this.#reader.withSeveralSteps(messageIDs))
  }

  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    return this.#access.quietly(undefined, () => this.#reader.guessFolder(kind, id))
  }
}
