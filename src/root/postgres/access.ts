import { isStoreError, type StoreError } from "../../errors.ts"
import type { FleetConnection } from "../../postgres/connection.ts"
import type { FleetQueries } from "../../postgres/queries.ts"
import type { Problem } from "../problem-log.ts"
import type { Tell } from "../record-source.ts"

/** How soon after a failure the server is tried again, in ms. */
const AGAIN_AFTER_MS = 1_000

/**
 * Asks the database. Questions that all roots are asked go through `quietly`: if the server cannot be used, that is reported once and the
 * other roots answer. What it holds is then out of reach, not gone, until a look in the background finds it again.
 */
export class FleetAccess {
  readonly #fleet: FleetConnection
  readonly #tell: Tell
  #trouble: StoreError | undefined
  #failedAt = 0
  #looking = false

  constructor(fleet: FleetConnection, tell: Tell) {
    this.#fleet = fleet
    this.#tell = tell
  }

  get place(): string {
    return this.#fleet.place
  }

  /** Asks, and notes whether there was an answer. @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `CLOSED` */
  async ask<T>(question: (db: FleetQueries) => Promise<T>): Promise<T> {
    try {
      const answer = await this.#fleet.read(question)
      this.#trouble = undefined
      return answer
    } catch (error) {
      if (isStoreError(error) && error.code !== "CLOSED") this.#fail(error)
      throw error
    }
  }

  /**
   * As `ask`, but if the database cannot be used, reports that and returns `otherwise`.
   * @param tell also told
   */
  quietly<T>(otherwise: T, question: (db: FleetQueries) => Promise<T>, tell?: Tell): Promise<T> {
    return this.attempt(otherwise, () => this.ask(question), tell)
  }

  /** As `quietly`, for work that calls `ask` itself. */
  async attempt<T>(otherwise: T, work: () => Promise<T>, tell?: Tell): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      tell?.(this.#problem(error))
      return otherwise
    }
  }

  /** Whether the last question had no answer. Tries the server again in the background. */
  isOutOfReach(): boolean {
    if (this.#trouble && !this.#looking && performance.now() - this.#failedAt >= AGAIN_AFTER_MS) {
      this.#looking = true
      void this.#look()
    }
    return this.#trouble !== undefined
  }

  /** Why the last question had no answer. */
  get trouble(): StoreError | undefined {
    return this.#trouble
  }

  async #look(): Promise<void> {
    try {
      await this.quietly(undefined, async () => undefined)
    } catch {
      // The store was closed meanwhile; any other failure the next question will report.
    } finally {
      this.#looking = false
    }
  }

  #fail(error: StoreError): void {
    const known = this.#trouble
    this.#trouble = error
    this.#failedAt = performance.now()
    if (known?.code !== error.code || known.message !== error.message) this.#tell(this.#problem(error))
  }

  #problem({ code, message }: StoreError): Problem {
    return { path: this.#fleet.place, code, message }
  }
}
