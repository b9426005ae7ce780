import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from "node:fs"

/** Where SQLite keeps `user_version` in the first page (sqlite.org/fileformat.html, 1.3). */
const MARK_OFFSET = 60
/** Where the `-shm` has the page size (2 bytes) and the number of frames in the `-wal` (sqlite.org/walformat.html, 2.1). */
const PAGE_SIZE_OFFSET = 14
const FRAMES_OFFSET = 16
const WAL_HEADER = 32
const FRAME_HEADER = 24

/** The machine's byte order, which the `-shm` uses. */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

interface Companion {
  readonly path: string
  inode: bigint | undefined
  size: number
}

/** A descriptor that all guards of one file share. */
interface SharedDescriptor {
  readonly descriptor: number
  users: number
  /** Further descriptors of the file, opened because it replaced another file at that moment. */
  readonly more: number[]
}

/** Closing any descriptor of a file drops all locks that this process holds on it (POSIX). So only a file's last guard closes it. */
const shared = new Map<string, SharedDescriptor>()

function fileOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

/** Opens a file for reading, once for all guards. Returns the name that `descriptorOf` and `release` take. */
function share(path: string): string {
  let file = fileOf(statSync(path, { bigint: true }))
  const known = shared.get(file)
  if (known) known.users++
  else {
    const descriptor = openSync(path, "r")
    file = fileOf(fstatSync(descriptor, { bigint: true }))
    const other = shared.get(file)
    if (other) {
      other.users++
      other.more.push(descriptor)
    } else shared.set(file, { descriptor, users: 1, more: [] })
  }
  return file
}

function descriptorOf(file: string): number {
  const known = shared.get(file)
  if (!known) throw new Error("A file of the index was closed by another guard")
  return known.descriptor
}

function release(file: string): void {
  const known = shared.get(file)
  if (!known || --known.users > 0) return
  shared.delete(file)
  for (const descriptor of [known.descriptor, ...known.more]) closeSync(descriptor)
}

function look(path: string): Companion {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return { path, inode: stat?.ino, size: Number(stat?.size ?? 0) }
}

/**
 * Notices when other programs change the files of an open index, which SQLite itself cannot notice in time
 * (sqlite.org/howtocorrupt.html, sections 1 and 4):
 *
 * - Another database was written over this one. Old pages in the WAL and new ones in the file would make a mixture that is readable
 *   but wrong. The mark, a random number in the first page, tells the databases apart.
 * - A file was removed or replaced, so that this process and others use different files.
 * - The `-wal` was cut short and lacks frames that the `-shm` still counts.
 * - The `-shm` was cut short. It is mapped into memory, and the next access would kill the process. So it is extended to its old length
 *   with zeros, which SQLite takes for a WAL index that must be rebuilt.
 *
 * After any of these the index must not be trusted. Descriptors are kept as long as SQLite has the files open in this process.
 */
export class FileGuard {
  readonly #main: Companion
  readonly #wal: Companion
  readonly #shm: Companion
  readonly #file: string
  readonly #descriptor: number
  readonly #mark = Buffer.alloc(4)
  readonly #seen = Buffer.alloc(4)
  readonly #shmFile: string | undefined
  readonly #shmDescriptor: number | undefined
  readonly #frames = Buffer.alloc(6)

  /** @param mark the database's `user_version` */
  constructor(databasePath: string, mark: number) {
    this.#mark.writeInt32BE(mark)
    this.#main = look(databasePath)
    this.#wal = look(`${databasePath}-wal`)
    this.#shm = look(`${databasePath}-shm`)
    this.#file = share(databasePath)
    this.#descriptor = descriptorOf(this.#file)
    if (this.#shm.inode === undefined) return
    try {
      this.#shmFile = share(this.#shm.path)
      this.#shmDescriptor = descriptorOf(this.#shmFile)
    } catch (error) {
      release(this.#file)
      throw error
    }
  }

  /** Whether the files are still those that were opened. Call it before each call of SQLite. */
  isIntact(): boolean {
    const shm = look(this.#shm.path)
    if (shm.inode === this.#shm.inode && shm.size < this.#shm.size) {
      truncateSync(this.#shm.path, this.#shm.size)
      return false
    }
    this.#shm.size = shm.size
    return (
      shm.inode === this.#shm.inode &&
      // Tried twice: another process may restart the WAL between the two looks at it.
      (this.#isWalWhole() || this.#isWalWhole()) &&
      look(this.#main.path).inode === this.#main.inode &&
      this.isMarked()
    )
  }

  /** Whether the `-wal` is the one that was opened, and long enough for its frames: a shorter one reads as old or empty pages. */
  #isWalWhole(): boolean {
    const frames = this.#walFrames()
    const wal = look(this.#wal.path)
    return wal.inode === this.#wal.inode && wal.size >= frames
  }

  /** The length of the WAL up to its last frame, in bytes; 0 if it has no frames. */
  #walFrames(): number {
    if (this.#shmDescriptor === undefined) return 0
    if (readSync(this.#shmDescriptor, this.#frames, 0, 6, PAGE_SIZE_OFFSET) < 6) return 0
    const little = new DataView(this.#frames.buffer, this.#frames.byteOffset, 6)
    const pageSize = little.getUint16(0, LITTLE_ENDIAN)
    const count = little.getUint32(FRAMES_OFFSET - PAGE_SIZE_OFFSET, LITTLE_ENDIAN)
    return count === 0 ? 0 : WAL_HEADER + count * ((pageSize === 1 ? 65_536 : pageSize) + FRAME_HEADER)
  }

  /** Whether the file itself, not only the WAL, has the mark. */
  isMarked(): boolean {
    return readSync(this.#descriptor, this.#seen, 0, 4, MARK_OFFSET) === 4 && this.#seen.equals(this.#mark)
  }

  /** Closes the descriptors. Call it after SQLite has closed the file. */
  close(): void {
    release(this.#file)
    if (this.#shmFile !== undefined) release(this.#shmFile)
  }
}
