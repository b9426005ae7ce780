import { SQL } from "bun"
import { type BunSQLDatabase, drizzle } from "drizzle-orm/bun-sql/postgres"
import { StoreError } from "../errors.ts"
import { type Address, addressOf } from "./address.ts"
import { failureOf, isLost } from "./failure.ts"
import { migrate, newerError, olderError, schemaState } from "./migrate.ts"
import type { FleetQueries } from "./queries.ts"

/** How a connection behaves; the defaults are for people who wait. */
export interface FleetOptions {
  /** At most so many connections at once. Default 4. */
  readonly connections?: number
  /** Give up connecting after so many ms. Default 10,000. */
  readonly connectTimeout?: number
  /** Give up a question after so many ms. Default 60,000. */
  readonly timeout?: number
  /** Give up a transaction that changes something after so many ms. Default 600,000. */
  readonly writeTimeout?: number
}

/** How long after a lost connection the same question is asked again, in ms, each time: a restart takes about that. */
const AGAIN_AFTER_MS = [100, 400, 1_500]

/**
 * A database that machines publish to. Nothing is connected before the first question. It asks without named statements, so that a pooler
 * may stand between, and closes what has been idle for a minute.
 */
export class FleetConnection {
  /** Its URL without credentials. */
  readonly place: string
  readonly #address: Address
  readonly #options: FleetOptions
  #open: { readonly client: SQL; readonly db: BunSQLDatabase } | undefined
  #schema: "unknown" | "current" = "unknown"
  /** Whether the server answered when it was last waited for. */
  #wasReached = false
  #closed = false

  /** @throws TypeError for what is no URL of a PostgreSQL database; what cannot be reached is told by the first question */
  constructor(target: string, options: FleetOptions = {}) {
    this.#address = addressOf(target)
    this.#options = options
    this.place = this.#address.place
  }

  /**
   * Asks, on any connection, and where that was lost once more: for what only reads. Each statement is a snapshot of its own.
   * @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA` where the tables are not those of this version, `CLOSED`
   */
  async read<T>(ask: (db: FleetQueries) => Promise<T>): Promise<T> {
    return this.#trying(async (db) => {
      await this.#checkSchema(db)
      return ask(db)
    })
  }

  /**
   * Runs a transaction; what it throws undoes it. It is not tried again: only its maker knows whether it may have been committed.
   * @throws as `read`, and what `work` throws
   */
  async write<T>(work: (db: FleetQueries) => Promise<T>): Promise<T> {
    const { writeTimeout = 600_000 } = this.#options
    return this.#once(
      (db) =>
        db.transaction(async (transaction) => {
          await this.#checkSchema(transaction)
          return work(transaction)
        }),
      writeTimeout,
    )
  }

  /** Makes the tables, or brings them up to date. @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA` */
  async migrate(): Promise<void> {
    // Without the look first, every push would wait for the lock, and a role that may only push could not make a schema.
    if ((await this.#trying(schemaState)) !== "current")
      await this.#once((db) => db.transaction((transaction) => migrate(transaction, this.place)))
    this.#schema = "current"
  }

  /** Ends all connections; questions from then on are `CLOSED`. */
  async close(): Promise<void> {
    this.#closed = true
    const open = this.#open
    this.#open = undefined
    await open?.client.close({ timeout: 0 })
  }

  async #checkSchema(db: FleetQueries): Promise<void> {
    if (this.#schema === "current") return
    const state = await schemaState(db)
    if (state === "newer") throw newerError(this.place)
    if (state !== "current") throw olderError(this.place, state)
    this.#schema = "current"
  }

  async #trying<T>(ask: (db: BunSQLDatabase) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const wait = AGAIN_AFTER_MS[attempt]
      // A server that was never there is not waited for.
      const mayRetry = this.#wasReached && wait !== undefined
      try {
        return await this.#once(ask)
      } catch (error) {
        const cause = error instanceof StoreError ? error.cause : error
        if (!mayRetry || !isLost(cause)) {
          if (isLost(cause)) this.#wasReached = false
          throw error
        }
        await Bun.sleep(wait)
      }
    }
  }

  async #once<T>(
    ask: (db: BunSQLDatabase) => Promise<T>,
    timeout = this.#options.timeout ?? 60_000,
  ): Promise<T> {
    if (this.#closed) throw new StoreError("CLOSED", "The connection is closed", { path: this.place })
    this.#open ??= this.#connect()
    const open = this.#open
    try {
      const answer = await this.#inTime(ask(open.db), timeout)
      this.#wasReached = true
      return answer
    } catch (error) {
      if (this.#closed) throw new StoreError("CLOSED", "The connection was closed", { path: this.place })
      throw failureOf(error, this.place)
    }
  }

  /** The server's own limit cannot be set at the start of a connection: poolers refuse it. */
  async #inTime<T>(answer: Promise<T>, timeout: number): Promise<T> {
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // What still waits on these connections would keep those behind it waiting.
        const open = this.#open
        this.#open = undefined
        void open?.client.close({ timeout: 0 })
        reject(
          new StoreError("FLEET_UNAVAILABLE", `${this.place} has not answered for ${timeout} ms`, {
            path: this.place,
            hint: "Try again, or look at what keeps it busy.",
          }),
        )
      }, timeout)
    })
    try {
      return await Promise.race([answer, late])
    } finally {
      clearTimeout(timer)
      // It is told of already.
      answer.catch(() => {})
    }
  }

  #connect(): { readonly client: SQL; readonly db: BunSQLDatabase } {
    const { hostname, port, database, username, password, socket, tls, rootCertificate } = this.#address
    const { connections = 4, connectTimeout = 10_000 } = this.#options
    const client = new SQL({
      adapter: "postgres",
      hostname,
      port,
      database,
      username,
      password: password ?? "",
      ...(socket !== undefined && { path: `${socket}/.s.PGSQL.${port}` }),
      tls: rootCertificate !== undefined && tls !== "disable" ? Bun.file(rootCertificate) : tls,
      channelBinding: tls === "disable" ? "disable" : "prefer",
      prepare: false,
      max: connections,
      idleTimeout: 60,
      connectionTimeout: connectTimeout / 1_000,
      connection: { application_name: "sessiondex" },
    })
    return { client, db: drizzle({ client }) }
  }
}
