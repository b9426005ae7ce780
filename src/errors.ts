/**
 * Every code a `StoreError` can carry. A code never changes its meaning once released.
 *
 * - `NOT_FOUND`: no record lies under that key.
 * - `CORRUPT`: the file is empty, torn, or not a JSON object, and was still so after the retries.
 * - `TOO_LARGE`: the file is larger than `maxRecordBytes`; it was not read.
 * - `UNREADABLE`: the operating system refused to read the file or folder (permission, I/O error).
 * - `EXHAUSTED`: the process or the system has no file descriptors or no memory left (EMFILE, ENFILE, ENOMEM, …), and had none after
 *   a quarter of a second. It says nothing of the record, which was not changed; the same call may work in a moment.
 * - `NOT_A_FILE`: a link, a folder or something else lies where a record's file should be.
 * - `INVALID_KEY`: the key cannot name a file of the store; the disk was not touched.
 * - `INVALID_RECORD`: the value cannot be stored (JSON cannot hold it, a schema refused it, it lacks its ids).
 * - `INVALID_CURSOR`: the cursor is not one this store gave for this listing.
 * - `CONFLICT`: other content lies under the same id, and nobody said which is to stay; nothing was changed. It is also the code if the
 *   file system takes the name for another record's, and if another program changed a record while a version waited to be written.
 *   As a problem's code: a file that a synchroniser left beside a record that was changed in two places.
 * - `READ_ONLY`: the store was opened with `readOnly: true`.
 * - `LOCKED`: the write lock could not be taken in time, or its file cannot be used.
 * - `WRITE_FAILED`: the operating system refused to write (disk full, permission, I/O error); nothing was changed.
 * - `NOT_DURABLE`: the change was made and everybody sees it, but it could not be flushed: a power cut may undo it. Do not apply it
 *   again, or it is applied twice.
 * - `INDEX_UNAVAILABLE`: a call that needs the index itself, such as `index()`, cannot use it; reads and writes still work.
 * - `FLEET_UNAVAILABLE`: the database of many machines cannot be used just now: it does not answer, refuses us, or has no room.
 * - `FLEET_SCHEMA`: its tables are not those that this version knows: newer, older, or missing because nothing was ever pushed.
 * - `MACHINE_COPIED`: another machine pushes under this machine's id, as after a disk was copied; nothing was changed.
 * - `CLOSED`: the store is closed.
 */
export type StoreErrorCode =
  | "NOT_FOUND"
  | "CORRUPT"
  | "TOO_LARGE"
  | "UNREADABLE"
  | "EXHAUSTED"
  | "NOT_A_FILE"
  | "INVALID_KEY"
  | "INVALID_RECORD"
  | "INVALID_CURSOR"
  | "CONFLICT"
  | "READ_ONLY"
  | "LOCKED"
  | "WRITE_FAILED"
  | "NOT_DURABLE"
  | "INDEX_UNAVAILABLE"
  | "FLEET_UNAVAILABLE"
  | "FLEET_SCHEMA"
  | "MACHINE_COPIED"
  | "CLOSED"

export interface StoreErrorDetails {
  /** The file or folder concerned, absolute where there is one. */
  path?: string | undefined
  /** What the system, a schema or the caller's function threw. */
  cause?: unknown
  /** What a person can do about it. */
  hint?: string | undefined
  /** The body of a version that was kept for `coalesce` and could not be written. */
  unwritten?: unknown
}

/** The one error class of the package: a stable `code`, the `path` concerned, the `cause`, and a hint. */
export class StoreError extends Error {
  override readonly name = "StoreError"
  readonly code: StoreErrorCode
  readonly path: string | undefined
  readonly hint: string | undefined
  /** In a `CONFLICT` of a version that was kept for `coalesce`: the body that was not written. */
  declare readonly unwritten?: unknown

  constructor(code: StoreErrorCode, message: string, details: StoreErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.path = details.path
    this.hint = details.hint
    if (details.unwritten !== undefined) this.unwritten = details.unwritten
  }
}

/** Whether `error` is a `StoreError`, and has that code if one is given. */
export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code)
}

/** The code of a failed system call (`ENOENT`, `SQLITE_BUSY`, …), or `undefined` for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined
}

/** Whether the disk is full, of bytes or inodes: true for a system call's error, and for a `StoreError` that such an error caused. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCode(error instanceof StoreError ? error.cause : error)
  return code === "ENOSPC" || code === "EDQUOT"
}
