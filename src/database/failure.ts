import { isStoreError, systemCode } from "../errors.ts"
import type { FailureKind } from "../root/health.ts"

/** SQLite's primary result codes (sqlite.org/rescode.html) that say something of the index and not of our code. */
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
/** A failed system call, whichever (a link loop, too long a name, no descriptors left); Node's own errors are `ERR_…`. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/
/** What only a mistake of ours can be: a descriptor that was closed. */
const OUR_FAULT = "EBADF"
const MISSING_SCHEMA =
  /no such (?:table|column|index|module)|invalid fts5 file format|vtable constructor failed|has no column named|malformed database schema/

/** The index could not serve this call; the files can. Never leaves the package. */
export class IndexFailure extends Error {
  override readonly name = "IndexFailure"
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}

/** The SQLite error inside what Drizzle wraps around it. */
export function rootCause(error: unknown): unknown {
  let root = error
  while (root instanceof Error && root.name === "DrizzleQueryError" && root.cause !== undefined)
    root = root.cause
  return root
}

/** Tells a failure of the index from an error in our own code, which is given back as it is. */
export function asFailure(error: unknown): unknown {
  // A StoreError speaks of the files.
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
