import { IndexFailure } from "../../database/failure.ts"
import { isStoreError } from "../../errors.ts"
import { untilAdmitted } from "../../exhaustion.ts"
import { Unsettled } from "../../migrator/reconcile.ts"
import type { Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import type { AnswerCounts } from "../health.ts"

/** Whether the files may be able to answer what the index could not. Not for a bug in our code. */
function filesMayAnswer(error: unknown): boolean {
  return error instanceof IndexFailure || error instanceof Unsettled || isStoreError(error)
}

/** Asks the index and, if it fails, the files. A listing goes on from the files at the position where the index failed. */
export class FallbackCatalog implements Catalog {
  readonly answers: AnswerCounts = { index: 0, files: 0 }
  readonly #index: Catalog
  readonly #files: Catalog

  constructor(index: Catalog, files: Catalog) {
    this.#index = index
    this.#files = files
  }

  sessions(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>> {
    return this.#ask((catalog) => catalog.sessions(query, range))
  }

  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return this.#ask((catalog) => catalog.countSessions(query, signal))
  }

  copies(
    ids: readonly string[],
    projectID: string | undefined,
    range: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    return this.#ask((catalog) => catalog.copies(ids, projectID, range))
  }

  countMessages(sessionID: string): Promise<number> {
    return this.#ask((catalog) => catalog.countMessages(sessionID))
  }

  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#ask((catalog) => catalog.withSeveralSteps(messageIDs))
  }

  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    return this.#ask((catalog) => catalog.guessFolder(kind, id))
  }

  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    let { after, limit } = range
    try {
      for await (const run of this.#index.messages(sessionID, direction, range)) {
        yield run
        after = run.at(-1) ?? after
        if (limit !== undefined) limit -= run.length
      }
      this.answers.index++
    } catch (error) {
      if (!filesMayAnswer(error)) throw error
      this.answers.files++
      yield* this.#files.messages(sessionID, direction, { ...range, after, limit })
    }
  }

  async #ask<T>(question: (catalog: Catalog) => Promise<T>): Promise<T> {
    try {
      const answer = await untilAdmitted(() => question(this.#index))
      this.answers.index++
      return answer
    } catch (error) {
      if (!filesMayAnswer(error)) throw error
      this.answers.files++
      return question(this.#files)
    }
  }
}
