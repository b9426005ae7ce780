import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { systemCode } from "../errors.ts"

/** What lies under a name. Only a `file` can be a record. */
export type EntryKind = "file" | "directory" | "link" | "other"

/** The fields of `stat` that the store uses; times in ns since 1970, size in bytes. */
export interface FileStat {
  readonly kind: EntryKind
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly size: number
  readonly inode: bigint
  readonly device: bigint
  /** The permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: EntryKind
}

/**
 * The system calls that the store makes, one method each, so that a test can interfere between any two. Reads are synchronous, because
 * a small file costs Bun 5 µs that way and 40 µs through a promise; only flushes are awaited. Absence is `undefined` or `false`; every
 * other failure throws what the system threw.
 */
export interface FileSystem {
  /**
   * Follows links.
   * @param like an earlier, proven stat of the path. If it still holds, it is returned, which costs half of an exact stat
   */
  stat(path: string, like?: FileStat): FileStat | undefined
  /** Does not follow links. @param like as for `stat` */
  lstat(path: string, like?: FileStat): FileStat | undefined
  /** The names in a folder, in no order, without `.` and `..`. They take half the memory of entries. */
  readNames(path: string): string[] | undefined
  /** The entries of a folder, in no order: names, with the kind of what lies there. */
  readDirectory(path: string): DirectoryEntry[] | undefined
  /** Opens for reading; never follows a link in its last segment (that throws) and never waits on a pipe. */
  openFile(path: string): number | undefined
  /** The stat of what was opened, whatever lies under its name now. */
  fstat(descriptor: number): FileStat
  /** Reads a whole open file; `undefined` if it is larger than `maxBytes`. The bytes are valid until the next call. */
  readOpen(descriptor: number, maxBytes: number): Buffer | undefined
  /** Reads from a position in an open file into a buffer. Returns how many bytes were read. */
  readAt(descriptor: number, into: Uint8Array, position: number): number
  /** Yields a regular file's bytes in pieces. Each piece is valid until the next is asked for. */
  readPieces(path: string): Generator<Uint8Array>
  /** Makes a new file with this text, and with these permissions (by default 0600) less the umask. Returns its open descriptor. */
  createFile(path: string, text: string, mode?: number): number
  setMode(descriptor: number, mode: number): void
  setOwner(descriptor: number, uid: number, gid: number): void
  /** Writes bytes at the current position of an open file. */
  append(descriptor: number, bytes: Uint8Array): void
  /** Waits until what was written to the descriptor is on the disk. */
  flush(descriptor: number): Promise<void>
  /** As `flush`, synchronously, for the end of the process. */
  flushSync(descriptor: number): void
  close(descriptor: number): void
  /** Waits until the names in a folder are on the disk. */
  flushDirectory(path: string): Promise<void>
  /** As `flushDirectory`, synchronously, for the end of the process. */
  flushDirectorySync(path: string): void
  rename(from: string, to: string): void
  /** Gives a file a second name. Fails with `EEXIST` if something lies there. */
  link(from: string, to: string): void
  /** Sets a file's modification time, ms since 1970. */
  setModified(path: string, timeMs: number): void
  /** Removes a file. Returns whether there was one. */
  removeFile(path: string): boolean
  /** Makes a folder and the missing ones above it, with these permissions (by default 0700) less the umask. Returns the topmost new one. */
  makeDirectory(path: string, mode?: number): string | undefined
  /** Removes a folder if it is empty. Returns whether it did. */
  removeEmptyDirectory(path: string): boolean
  /** Makes the file if it is missing, and has the device set its times to the device's now. Returns its stat. */
  touch(path: string): FileStat
}

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const PERMISSION_BITS = 0o7777
const INITIAL_BUFFER = 64 * 1024
const PROBE = Buffer.from("\n")
const {
  O_RDONLY,
  O_WRONLY,
  O_CREAT,
  O_NOFOLLOW = 0,
  O_NONBLOCK = 0,
  S_IFMT,
  S_IFREG,
  S_IFDIR,
  S_IFLNK,
} = constants

function isAbsent(error: unknown): boolean {
  const code = systemCode(error)
  return code === "ENOENT" || code === "ENOTDIR"
}

function kindOfMode(mode: number): EntryKind {
  const type = mode & S_IFMT
  return type === S_IFREG ? "file" : type === S_IFDIR ? "directory" : type === S_IFLNK ? "link" : "other"
}

function toFileStat(stat: BigIntStats): FileStat {
  const mode = Number(stat.mode)
  return {
    kind: kindOfMode(mode),
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    size: Number(stat.size),
    inode: stat.ino,
    device: stat.dev,
    mode: mode & PERMISSION_BITS,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  }
}

const STAT_OPTIONS = { bigint: true, throwIfNoEntry: false } as const

function unlessAbsent<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function statWith(
  call: typeof lstatSync | typeof statSync,
  path: string,
  like: FileStat | undefined,
): FileStat | undefined {
  if (like)
    try {
      // Without options, since passing them costs a tenth of the time.
      if (isLike(call(path), like)) return like
    } catch {
      // The exact stat below reports what is wrong.
    }
  const stat = unlessAbsent(() => call(path, STAT_OPTIONS))
  return stat && toFileStat(stat)
}

/** Times in numbers are exact to a quarter of a microsecond. A change to a file with a proven stat leaves times 0.1 s later. */
const ROUGH_NS = 1_000

/** Whether a stat in numbers, which takes half the time of an exact one, equals an earlier exact stat. */
function isLike(stat: Stats, like: FileStat): boolean {
  return (
    stat.size === like.size &&
    Number.isSafeInteger(stat.ino) &&
    stat.ino === Number(like.inode) &&
    stat.dev === Number(like.device) &&
    (stat.mode & PERMISSION_BITS) === like.mode &&
    kindOfMode(stat.mode) === like.kind &&
    Math.abs(stat.ctimeMs * 1e6 - Number(like.ctimeNs)) < ROUGH_NS &&
    Math.abs(stat.mtimeMs * 1e6 - Number(like.mtimeNs)) < ROUGH_NS
  )
}

// One buffer for all small files; it is filled and read within one synchronous call.
const shared = Buffer.allocUnsafe(INITIAL_BUFFER)

/** Reads a file from its beginning; `undefined` if it is larger than `maxBytes`. The bytes are valid until the next call. */
function readDescriptor(descriptor: number, maxBytes: number): Buffer | undefined {
  let buffer = shared
  let length = 0
  for (;;) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, length)
    length += read
    if (length > maxBytes) return undefined
    if (read === 0 || length < buffer.length) return buffer.subarray(0, length)
    const { size: present } = fstatSync(descriptor)
    if (present > maxBytes) return undefined
    const size = Math.max(present + 1, buffer.length * 2)
    const larger = Buffer.allocUnsafe(size)
    buffer.copy(larger, 0, 0, length)
    buffer = larger
  }
}

/** Opens a file, uses it synchronously and closes it; `undefined` if there is none. */
export function withOpenFile<T>(
  files: FileSystem,
  path: string,
  use: (descriptor: number) => T,
): T | undefined {
  const descriptor = files.openFile(path)
  if (descriptor === undefined) return undefined
  try {
    return use(descriptor)
  } finally {
    files.close(descriptor)
  }
}

function flush(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => fsync(descriptor, (error) => (error ? reject(error) : resolve())))
}

/** The real file system. */
export const fileSystem: FileSystem = {
  stat: (path, like) => statWith(statSync, path, like),
  lstat: (path, like) => statWith(lstatSync, path, like),
  readNames: (path) => unlessAbsent(() => readdirSync(path)),
  readDirectory: (path) =>
    unlessAbsent(() => readdirSync(path, { withFileTypes: true }))?.map((entry) => ({
      name: entry.name,
      kind: entry.isFile()
        ? "file"
        : entry.isDirectory()
          ? "directory"
          : entry.isSymbolicLink()
            ? "link"
            : "other",
    })),
  openFile: (path) => unlessAbsent(() => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)),
  fstat: (descriptor) => toFileStat(fstatSync(descriptor, { bigint: true })),
  readOpen: readDescriptor,
  readAt: (descriptor, into, position) => readSync(descriptor, into, 0, into.length, position),
  *readPieces(path) {
    const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const piece = Buffer.allocUnsafe(INITIAL_BUFFER)
      for (;;) {
        const length = readSync(descriptor, piece, 0, piece.length, null)
        if (length === 0) return
        yield piece.subarray(0, length)
      }
    } finally {
      closeSync(descriptor)
    }
  },
  createFile(path, text, mode = FILE_MODE) {
    const descriptor = openSync(path, "wx", mode)
    try {
      writeFileSync(descriptor, text)
      return descriptor
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
  },
  setMode: (descriptor, mode) => fchmodSync(descriptor, mode),
  setOwner: (descriptor, uid, gid) => fchownSync(descriptor, uid, gid),
  append: (descriptor, bytes) => writeFileSync(descriptor, bytes),
  flush,
  flushSync: (descriptor) => fsyncSync(descriptor),
  close: (descriptor) => closeSync(descriptor),
  async flushDirectory(path) {
    // Windows cannot flush a folder; its file system journals names itself.
    if (process.platform === "win32") return
    const descriptor = openSync(path, "r")
    try {
      await flush(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
  flushDirectorySync(path) {
    if (process.platform === "win32") return
    const descriptor = openSync(path, "r")
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
  rename: (from, to) => renameSync(from, to),
  link: (from, to) => linkSync(from, to),
  setModified: (path, timeMs) => utimesSync(path, timeMs / 1000, timeMs / 1000),
  removeFile(path) {
    try {
      unlinkSync(path)
      return true
    } catch (error) {
      if (isAbsent(error)) return false
      throw error
    }
  },
  makeDirectory: (path, mode = DIRECTORY_MODE) => mkdirSync(path, { recursive: true, mode }),
  removeEmptyDirectory(path) {
    try {
      rmdirSync(path)
      return true
    } catch (error) {
      const code = systemCode(error)
      if (isAbsent(error) || code === "ENOTEMPTY" || code === "EEXIST") return false
      throw error
    }
  },
  touch(path) {
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW, FILE_MODE)
    try {
      // Not `utimes`: a file system without change times would show the time that we set.
      writeSync(descriptor, PROBE, 0, PROBE.length, 0)
    } catch {
      // On a full disk the size can still be changed, which updates the times as well.
      ftruncateSync(descriptor, 0)
    } finally {
      closeSync(descriptor)
    }
    return toFileStat(lstatSync(path, { bigint: true }))
  },
}
