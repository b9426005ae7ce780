import { isStoreError, type StoreError } from "../../errors.ts"
import type { Problem } from "../problem-log.ts"
import type { Tell } from "../record-source.ts"
import type { OpencodeDatabase } from "./database.ts"
import { lookAt } from "./files.ts"

/**
 * Guards questions that all roots are asked. If the database cannot be read, that is reported and it has nothing to answer, so that the
 * other roots do. What it held before then counts as out of reach, not as gone.
 */
export class Access {
  readonly #database: OpencodeDatabase
  readonly #tell: Tell
  /** Whether the database holds, or may hold, something that would be missed. */
  #holds = false
  #wasRead = false
  /** Why the last question could not be answered. */
  #trouble: StoreError | undefined

  constructor(database: OpencodeDatabase, tell: Tell) {
    this.#database = database
    this.#tell = tell
  }

  /**
   * Returns what `ask` does; if the database cannot be read, reports that and returns `otherwise`.
   * @param tell also told
   * @throws what is no fault of the database: StoreError `CLOSED`, the signal's reason
   */
  async quietly<T>(otherwise: T, ask: () => Promise<T>, tell?: Tell): Promise<T> {
    try {
      const answer = await ask()
      this.#holds = true
      this.#wasRead = true
      this.#trouble = undefined
      return answer
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      this.#fail(error)
      tell?.(this.#problem(error))
      return otherwise
    }
  }

  /** As `Upkeep.outOfReach`. */
  isGone(): boolean {
    try {
      lookAt(this.#database.path)
      if (!this.#trouble) {
        this.#holds = true
        return false
      }
      this.#database.snapshot(() => undefined)
      this.#holds = true
      this.#trouble = undefined
      return false
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      this.#fail(error)
      return this.#holds
    }
  }

  /** Why there is no database; `undefined` if there is one, or if nobody can look. */
  absence(): StoreError | undefined {
    try {
      lookAt(this.#database.path)
      return undefined
    } catch (error) {
      if (isStoreError(error, "NOT_FOUND")) return error
      if (isStoreError(error)) return undefined
      throw error
    }
  }

  #fail(error: StoreError): void {
    // A file that was never readable holds nothing that would be missed, unless it is only locked or refused.
    if (!this.#wasRead && error.code !== "UNREADABLE" && error.code !== "NOT_FOUND") this.#holds = false
    const known = this.#trouble
    this.#trouble = error
    // That there never was a database is not reported here; `absence` tells it.
    if (error.code === "NOT_FOUND" && !this.#holds) return
    if (known?.code !== error.code || known.message !== error.message) this.#tell(this.#problem(error))
  }

  #problem({ code, message }: StoreError): Problem {
    return { path: this.#database.path, code, message }
  }
}
