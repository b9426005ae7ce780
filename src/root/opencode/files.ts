import * as fs from "node:fs"
import { StoreError, systemCode } from "../../errors.ts"
import { isProven as isProvenStamp } from "../../file/stamp.ts"

/** The stat of one of a database's files. */
export interface FileLook {
  readonly inode: bigint
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** The stats of a database and of the files that SQLite keeps beside it, at one look. */
export interface DatabaseFiles {
  /** The real path of the database: SQLite follows a link and looks for the other files beside its target. */
  readonly path: string
  readonly main: FileLook
  readonly wal: FileLook | undefined
  readonly shm: FileLook | undefined
  readonly journal: FileLook | undefined
  /** When they were looked at, in ns since 1970 by our clock. */
  readonly at: bigint
}

/**
 * Looks at a database's files without opening them. Only SQLite may open them: closing any descriptor of a database drops all locks that
 * this process has on it (sqlite.org/howtocorrupt.html, 2.2), and the agent itself may have imported us.
 * @throws StoreError `NOT_FOUND`, `NOT_A_FILE`, `UNREADABLE`
 */
export function lookAt(path: string): DatabaseFiles {
  const real = realPath(path)
  const main = stat(real)
  if (!main) throw notFound(path)
  return {
    path: real,
    main,
    wal: stat(`${real}-wal`),
    shm: stat(`${real}-shm`),
    journal: stat(`${real}-journal`),
    at: BigInt(Date.now()) * 1_000_000n,
  }
}

/** Looks again at the files whose content matters. @throws as `lookAt` */
export function lookAgain({ path }: DatabaseFiles): Pick<DatabaseFiles, "main" | "wal"> {
  const main = stat(path)
  if (!main) throw notFound(path)
  return { main, wal: stat(`${path}-wal`) }
}

function realPath(path: string): string {
  try {
    return fs.realpathSync(path)
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") throw notFound(path, cause)
    throw unreadable(path, cause)
  }
}

function stat(path: string): FileLook | undefined {
  let found: fs.BigIntStats | undefined
  try {
    found = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (cause) {
    if (systemCode(cause) === "ENOTDIR") return undefined
    throw unreadable(path, cause)
  }
  // Opening a pipe would wait for ever.
  if (found && !found.isFile())
    throw new StoreError("NOT_A_FILE", `Something else lies where a database's file should be: ${path}`, {
      path,
    })
  return (
    found && {
      inode: found.ino,
      size: Number(found.size),
      mtimeNs: found.mtimeNs,
      ctimeNs: found.ctimeNs,
    }
  )
}

/** The header of a WAL, which changes when the WAL is restarted; `undefined` if there is none. SQLite locks no WAL, so it may be opened. */
export function walHeader(path: string): string | undefined {
  let descriptor: number
  try {
    descriptor = fs.openSync(`${path}-wal`, "r")
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined
    throw unreadable(`${path}-wal`, cause)
  }
  try {
    const bytes = Buffer.alloc(32)
    return bytes.toString("hex", 0, fs.readSync(descriptor, bytes, 0, bytes.length, 0))
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Whether two looks show the same version of the same file. */
export function sameLook(a: FileLook | undefined, b: FileLook | undefined): boolean {
  if (!a || !b) return a === b
  return a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}

/**
 * Whether two looks show the same version of a WAL. The change time says nothing: SQLite, run by root, sets the owner of every WAL that it
 * opens to the database's owner, even if nothing changes.
 */
export function sameWal(a: FileLook | undefined, b: FileLook | undefined): boolean {
  if (!a || !b) return a === b
  return a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs
}

/** Whether any later change must show in the stat. A change within the same tick of the device's clock need not. */
export function isProven(look: FileLook | undefined, at: bigint): boolean {
  return !look || isProvenStamp(look, at)
}

function notFound(path: string, cause?: unknown): StoreError {
  return new StoreError("NOT_FOUND", `There is no database: ${path}`, { path, cause })
}

function unreadable(path: string, cause: unknown): StoreError {
  return new StoreError("UNREADABLE", `The database cannot be looked at (${systemCode(cause)}): ${path}`, {
    path,
    cause,
  })
}
