import { isStoreError, type StoreError } from "../../errors.ts"
import type { Problem } from "../problem-log.ts"
import type { Tell } from "../record-source.ts"
import type { OpencodeDatabase } from "./database.ts"
import { lookAt } from "./files.ts"

/**
 * Whether the database can be read. Questions that are asked of all roots go through it: one that cannot be read is told of
 * and has nothing to say, so that the other roots answer; and what it held before counts as out of reach, not as gone.
 */
export class Access {
  readonly #database: OpencodeDatabase
  readonly #tell: Tell
  /** Whether there is something here that would be missed. */
  #holds = false
  #wasRead = false
  /** Why the last question had no answer. */
  #trouble: StoreError | undefined

  constructor(database: OpencodeDatabase, tell: Tell) {
    this.#database = database
    this.#tell = tell
  }

  /**
   * What `ask` gives, or `otherwise` where the database cannot be read, which is told.
   * @param tell told too
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

  /** Why there is no database; `undefined` where there is one, or nobody can look. */
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
    // What was never readable, and is not only held by another program or refused, holds nothing that would be missed.
    if (!this.#wasRead && error.code !== "UNREADABLE" && error.code !== "NOT_FOUND") this.#holds = false
    const known = this.#trouble
    this.#trouble = error
    // A database that never was is a matter for who opens the store.
    if (error.code === "NOT_FOUND" && !this.#holds) return
    if (known?.code !== error.code || known.message !== error.message) this.#tell(this.#problem(error))
  }

  #problem({ code, message }: StoreError): Problem {
    return { path: this.#database.path, code, message }
  }
}
