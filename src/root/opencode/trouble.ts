import { rootCause } from "../../database/failure.ts"
import { isStoreError, StoreError, systemCode } from "../../errors.ts"
import type { Problem } from "../problem-log.ts"

/** A database, or a record in it, that cannot be read. A record's path is the database's, `#`, and its key. */
export type { Problem } from "../problem-log.ts"

export type TellProblem = (problem: Problem) => void

const BUSY = /^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/
/** SQLite's codes for content that cannot be trusted (sqlite.org/rescode.html). */
const DAMAGED = /^SQLITE_(?:CORRUPT|NOTADB|FORMAT)/
const REFUSED = /^SQLITE_(?:CANTOPEN|IOERR|PERM|AUTH|READONLY|NOLFS|FULL|NOMEM)/
/** Messages of SQLite if the schema itself is damaged, or was made by a later SQLite. */
const BAD_SCHEMA =
  /malformed database schema|unsupported file format|no such (?:table|column|module|collation)/

/** Whether another program holds the database locked, so that it is worth trying again. */
export function isBusy(error: unknown): boolean {
  return BUSY.test(systemCode(rootCause(error)) ?? "")
}

/**
 * Turns what SQLite or the system threw about a database into a StoreError that names it. An error in our own code is returned unchanged.
 *
 * `CORRUPT`: not a database, encrypted, damaged or cut off. `UNREADABLE`: the system refused, or another program holds it locked.
 * `TOO_LARGE`: SQLite itself refuses a value of that size.
 */
export function asStoreError(error: unknown, path: string): unknown {
  if (isStoreError(error)) return error
  const cause = rootCause(error)
  const code = systemCode(cause)
  if (code === undefined || !(cause instanceof Error)) return error
  const said = `${code}: ${cause.message}`
  if (BUSY.test(code))
    return new StoreError("UNREADABLE", `Another program holds the database locked (${said}): ${path}`, {
      path,
      cause,
      hint: "Ask again in a moment.",
    })
  if (code === "SQLITE_NOTADB")
    return new StoreError(
      "CORRUPT",
      `The file is not a SQLite database, or it is encrypted (${said}): ${path}`,
      {
        path,
        cause,
      },
    )
  if (DAMAGED.test(code) || (code.startsWith("SQLITE_") && BAD_SCHEMA.test(cause.message)))
    return new StoreError("CORRUPT", `The database is damaged (${said}): ${path}`, {
      path,
      cause,
      hint: "The file was left as it is; SQLite's own `.recover` may save what is left of it.",
    })
  if (code === "SQLITE_TOOBIG")
    return new StoreError("TOO_LARGE", `SQLite refuses a value of that size: ${path}`, { path, cause })
  if (REFUSED.test(code) || /^E[A-Z0-9]+$/.test(code))
    return new StoreError("UNREADABLE", `The database cannot be read (${said}): ${path}`, { path, cause })
  return error
}
