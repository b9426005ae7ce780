import { isStoreError, systemCode } from "../errors.ts"
import type { FailureKind } from "../root/health.ts"

/** SQLite's primary result codes (sqlite.org/rescode.html) that are about the index and not about our code. */
const KINDS: Readonly<Record<string, FailureKind>> = {
  SQLITE_BUSY: "busy",
  SQLITE_LOCKED: "busy",
  SQLITE_PROTOCOL: "busy",
  SQLITE_CANTOPEN: "unavailable",
  SQLITE_READONLY: "unavailable",
  SQLITE_FULL: "unavailable",
  SQLITE_IOERR: "unavailable",
  SQLITE_PERM: "unavailable",
  SQLITE_AUTH: "unavailable",
  SQLITE_NOLFS: "unavailable",
  SQLITE_CORRUPT: "damaged",
  SQLITE_NOTADB: "damaged",
  SQLITE_FORMAT: "damaged",
  SQLITE_SCHEMA: "damaged",
}
/** The code of any failed system call (a link loop, a name that is too long, no descriptors left). Node's own errors are `ERR_…`. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/
/** A descriptor that was closed: only our own code can cause that. */
const OUR_FAULT = "EBADF"
const MISSING_SCHEMA =
  /no such (?:table|column|index|module)|invalid fts5 file format|vtable constructor failed|has no column named|malformed database schema/

/** The index could not answer a call, so the files must. Never leaves the package. */
export class IndexFailure extends Error {
  override readonly name = "IndexFailure"
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}

/** The SQLite error that Drizzle wrapped. */
export function rootCause(error: unknown): unknown {
  let root = error
  while (root instanceof Error && root.name === "DrizzleQueryError" && root.cause !== undefined)
    root = root.cause
  return root
}

/** Turns an error that is about the index into an `IndexFailure`; returns any other error unchanged. */
export function asFailure(error: unknown): unknown {
  // A StoreError is about the files.
  if (error instanceof IndexFailure || isStoreError(error)) return error
  const cause = rootCause(error)
  const code = systemCode(cause)
  if (code === undefined || !(cause instanceof Error)) return error
  const kind = code.startsWith("SQLITE_") ? KINDS[code.split("_").slice(0, 2).join("_")] : undefined
  if (kind) return new IndexFailure(kind, `${code}: ${cause.message}`, cause)
  if (code.startsWith("SQLITE_ERROR") && MISSING_SCHEMA.test(cause.message))
    return new IndexFailure("damaged", `${code}: ${cause.message}`, cause)
  if (SYSTEM_CODE.test(code) && code !== OUR_FAULT)
    return new IndexFailure("unavailable", `${code}: ${cause.message}`, cause)
  return error
}
