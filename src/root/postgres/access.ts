import { isStoreError, type StoreError } from "../../errors.ts"
import type { FleetConnection } from "../../postgres/connection.ts"
import type { FleetQueries } from "../../postgres/queries.ts"
import type { Problem } from "../problem-log.ts"
import type { Tell } from "../record-source.ts"

/** How soon after a failure the server is tried again, in ms. */
const AGAIN_AFTER_MS = 1_000

/**
 * Questions to the database. Those that are asked of all roots go through `quietly`: where the server cannot be used that is told once, and
 * the other roots answer. What it holds is out of reach then and not gone, until a look in the background finds it again.
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

  /** @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `CLOSED` */
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
   * As `ask`; `otherwise` where the database cannot be used, which is told.
   * @param tell told too
   */
  quietly<T>(otherwise: T, question: (db: FleetQueries) => Promise<T>, tell?: Tell): Promise<T> {
    return this.attempt(otherwise, () => this.ask(question), tell)
  }

  /** As `quietly`, for work that asks by itself. */
  async attempt<T>(otherwise: T, work: () => Promise<T>, tell?: Tell): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      tell?.(this.#problem(error))
      return otherwise
    }
  }

  /** Whether the last question had no answer. The server is tried again meanwhile, and nobody waits for it. */
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
      // The store was closed meanwhile, or whoever asks next hears of it.
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
