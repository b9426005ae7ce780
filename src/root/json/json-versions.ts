import { IndexFailure } from "../../database/failure.ts"
import type { Statements } from "../../database/statements.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { SessionPlace, SessionVersions } from "../session-versions.ts"
import type { Endable } from "../upkeep.ts"
import type { JsonIndexing } from "./json-indexing.ts"
import type { JsonRecords } from "./json-records.ts"

/**
 * Versions of whole sessions, made from the index's rows after a walk: from proven stamps, and from the generations of folders in which all
 * stamps are proven. No file is read for them. If the index cannot be used there are none.
 */
export class JsonVersions implements SessionVersions {
  readonly #within: Reconciler
  readonly #indexing: JsonIndexing
  readonly #records: JsonRecords
  /** The database that was walked through. */
  #walked: string | undefined

  constructor(within: Reconciler, indexing: JsonIndexing, records: JsonRecords) {
    this.#within = within
    this.#indexing = indexing
    this.#records = records
  }

  async refresh({ signal }: Endable): Promise<void> {
    this.#walked = undefined
    if (this.#indexing.filesOnly || this.#indexing.isNoStoreYet) return
    try {
      await this.#indexing.walk({ signal })
      this.#walked = await patiently(() => this.#within.index.openDatabase())
    } catch (error) {
      // Without versions the caller reads everything.
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  async of(sessions: readonly SessionPlace[], { signal }: Endable): Promise<readonly (string | undefined)[]> {
    const none = sessions.map(() => undefined)
    if (this.#walked === undefined) return none
    const ids = sessions.map(({ id }) => id)
    const found = await this.#read(({ versions }) => ({
      own: versions.sessions(ids),
      below: versions.messages(ids),
      database: this.#within.index.database,
    }))
    // An index that was begun anew since then has not been walked.
    if (found?.database !== this.#walked) return none
    const result: (string | undefined)[] = []
    for (const { project, id } of sessions) {
      const own = found.own.get(`${project}/${id}`)
      const below = found.below.get(id)
      const beside =
        own === undefined || below === null
          ? undefined
          : await this.#records.version(
              [
                ["todo", id],
                ["session_diff", id],
              ],
              signal,
            )
      result.push(beside === undefined ? undefined : [this.#walked, own, below ?? "", beside].join(" "))
    }
    return result
  }

  async #read<T>(work: (statements: Statements) => T): Promise<T | undefined> {
    try {
      return await patiently(() => this.#within.index.read(work))
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      return undefined
    }
  }
}
