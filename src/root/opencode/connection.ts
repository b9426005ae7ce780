import { constants, Database } from "bun:sqlite"
import { pathToFileURL } from "node:url"
import { drizzle } from "drizzle-orm/bun-sqlite"
import { type DatabaseFiles, isProven, lookAgain, lookAt, sameLook, sameWal, walHeader } from "./files.ts"
import { configure, dataVersion, schemaVersion } from "./pragmas.ts"
import { View } from "./view.ts"
import { stillFits, URI_PARAMETERS, type Way, wayOf } from "./way.ts"

type Work = (view: View) => unknown

/** The files were changed between the look at them and their opening. */
export class Overtaken extends Error {}

/** A database that was opened read-only, in the way that its files need. */
export class Connection {
  readonly way: Way
  readonly #files: DatabaseFiles
  readonly #client: Database
  readonly #transaction: { deferred(work: Work): unknown }
  #view: View | undefined
  #schema = -1
  /** How long opening took, in ms: a WAL without an index is read from end to end. */
  readonly opening: number

  /** @throws Overtaken; what SQLite throws */
  constructor(files: DatabaseFiles, path: string) {
    this.way = wayOf(files)
    this.#files = files
    const uri = `${pathToFileURL(files.path).href}?${URI_PARAMETERS[this.way]}`
    this.#client = new Database(uri, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI)
    try {
      // Checked just before the first read: if the WAL was removed since the look, SQLite would create it again.
      if (!stillFits(this.way, files, lookAt(files.path))) throw new Overtaken()
      const began = performance.now()
      configure(this.#client, this.way === "alone")
      schemaVersion(this.#client)
      this.opening = performance.now() - began
      const db = drizzle({ client: this.#client })
      this.#transaction = this.#client.transaction((work: Work) => {
        const schema = schemaVersion(this.#client)
        // The agent may have migrated the database.
        if (!this.#view || schema !== this.#schema) this.#view = new View(this.#client, db, path)
        this.#schema = schema
        return work(this.#view)
      })
    } catch (error) {
      this.#client.close()
      throw error
    }
  }

  /**
   * Whether this connection may answer, given how the files look now. If it was opened within a clock tick of a change, its cache can hold
   * pages from before a second change in the same tick.
   */
  fits(now: DatabaseFiles): boolean {
    if (!stillFits(this.way, this.#files, now)) return false
    if (this.way === "shared" || this.way === "rollback") return true
    return isProven(this.#files.main, this.#files.at) && isProven(this.#files.wal, this.#files.at)
  }

  /**
   * Runs a synchronous function on one snapshot. `sound` tells whether the files stayed the same meanwhile. If not, only SQLite's own locks
   * protect the snapshot, if there are any.
   */
  read<T>(before: DatabaseFiles, work: (view: View) => T): { readonly value: T; readonly sound: boolean } {
    const header = this.#header()
    let result: { readonly value: T } | undefined
    this.#transaction.deferred((view) => {
      const value = work(view)
      if (value instanceof Promise) throw new TypeError("A snapshot must be read synchronously")
      result = { value }
    })
    if (!result) throw new Error("SQLite ran no transaction")
    const after = lookAgain(before)
    const sound =
      sameLook(before.main, after.main) &&
      (this.way !== "alone" || sameWal(before.wal, after.wal)) &&
      header === this.#header()
    return { value: result.value, sound }
  }

  /** A number that changes with every commit of another connection while this one is open. */
  dataVersion(): number {
    return dataVersion(this.#client)
  }

  /** Closes the file and its locks. Statements that Drizzle prepared are closed with it. */
  close(): void {
    this.#client.close()
  }

  #header(): string | undefined {
    return this.way === "shared" || this.way === "alone" ? walHeader(this.#files.path) : undefined
  }
}
