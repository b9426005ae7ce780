import { SQL } from "bun"
import { type BunSQLDatabase, drizzle } from "drizzle-orm/bun-sql/postgres"
import { StoreError } from "../errors.ts"
import { type Address, addressOf } from "./address.ts"
import { failureOf, isLost } from "./failure.ts"
import { migrate, newerError, olderError, schemaState } from "./migrate.ts"
import type { FleetQueries } from "./queries.ts"

/** Limits of a connection. The defaults suit a person who waits. */
export interface FleetOptions {
  /** How many connections may be open at once. Default 4. */
  readonly connections?: number
  /** How long to wait for a connection, in ms. Default 10,000. */
  readonly connectTimeout?: number
  /** How long to wait for a query, in ms. Default 60,000. */
  readonly timeout?: number
  /** How long to wait for a transaction that writes, in ms. Default 600,000. */
  readonly writeTimeout?: number
}

/** Waits before each retry after a lost connection, in ms. A restart of the server takes about this long. */
const AGAIN_AFTER_MS = [100, 400, 1_500]

/**
 * A connection to a database that machines publish to. It connects at the first query. It uses no named statements, so that it works
 * behind a pooler, and closes connections that were idle for a minute.
 */
export class FleetConnection {
  /** The database's URL without credentials. */
  readonly place: string
  readonly #address: Address
  readonly #options: FleetOptions
  #open: { readonly client: SQL; readonly db: BunSQLDatabase } | undefined
  #schema: "unknown" | "current" = "unknown"
  /** Whether the server answered the last time. */
  #wasReached = false
  #closed = false

  /** @throws TypeError if `target` is no URL of a PostgreSQL database. Whether it can be reached the first query tells. */
  constructor(target: string, options: FleetOptions = {}) {
    this.#address = addressOf(target)
    this.#options = options
    this.place = this.#address.place
  }

  /**
   * Runs queries that only read, with retries if the connection is lost. Each statement sees its own snapshot.
   * @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA` if the tables are not those of this version, `CLOSED`
   */
  async read<T>(ask: (db: FleetQueries) => Promise<T>): Promise<T> {
    return this.#trying(async (db) => {
      await this.#checkSchema(db)
      return ask(db)
    })
  }

  /**
   * Runs a transaction; if `work` throws, it is rolled back. It is never retried: only the caller can tell whether it was committed.
   * @throws as `read`; what `work` throws
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
    // Checked first: otherwise every push would wait for the lock, and a role that may not make a schema could not push.
    if ((await this.#trying(schemaState)) !== "current")
      await this.#once((db) => db.transaction((transaction) => migrate(transaction, this.place)))
    this.#schema = "current"
  }

  /** Ends all connections. Later queries fail with `CLOSED`. */
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
      // A server that did not answer the last time is not waited for.
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

  /** Limits a query's time on this side: poolers refuse to set the server's own limit at the start of a connection. */
  async #inTime<T>(answer: Promise<T>, timeout: number): Promise<T> {
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // Closes all connections, since the late query would block the queries behind it.
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
      // After a timeout its rejection is of no interest.
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
