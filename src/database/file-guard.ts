import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from "node:fs"

/** Where SQLite keeps `user_version` in the first page (sqlite.org/fileformat.html, 1.3). */
const MARK_OFFSET = 60
/** Where the `-shm` tells the page size (2 bytes) and the number of frames in the `-wal` (sqlite.org/walformat.html, 2.1). */
const PAGE_SIZE_OFFSET = 14
const FRAMES_OFFSET = 16
const WAL_HEADER = 32
const FRAME_HEADER = 24

/** The `-shm` is in the byte order of the machine. */
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
  /** Opened by mistake, since the file came in the place of another at that moment. */
  readonly more: number[]
}

/** Closing any descriptor of a file drops all locks of this process on it: so the last guard of a file closes it. */
const shared = new Map<string, SharedDescriptor>()

function fileOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`
}

/** Opens a file for reading, once for all who have it open; gives what `release` takes. */
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
 * Watches over the files of an open index against other programs that meddle with them, which SQLite itself cannot notice
 * in time (sqlite.org/howtocorrupt.html, sections 1 and 4):
 *
 * - The database's mark, a random number in its first page, tells it from any other database that is written over it: old
 *   pages in the WAL and new ones in the file would make a mixture that reads well and lies.
 * - A file that is gone or replaced splits this process from the others.
 * - A `-wal` cut short lacks frames that the `-shm` still tells of.
 * - `-shm` is mapped into memory; were it cut short, the next access would kill the process. It is made as long as it was
 *   again, with zeros, which SQLite takes for an index that must be rebuilt.
 *
 * Then the index is not to be trusted any more. Descriptors are kept for as long as SQLite has the files open in this process.
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

  /** Looks at the files; tells whether they are still those that were opened. To be called before SQLite is. */
  isIntact(): boolean {
    const shm = look(this.#shm.path)
    if (shm.inode === this.#shm.inode && shm.size < this.#shm.size) {
      truncateSync(this.#shm.path, this.#shm.size)
      return false
    }
    this.#shm.size = shm.size
    return (
      shm.inode === this.#shm.inode &&
      // Looked at twice: between number and size another process may have begun the WAL anew.
      (this.#isWalWhole() || this.#isWalWhole()) &&
      look(this.#main.path).inode === this.#main.inode &&
      this.isMarked()
    )
  }

  /** Whether the `-wal` is the one that was opened and as long as its frames take: one cut short reads as old or empty pages. */
  #isWalWhole(): boolean {
    const frames = this.#walFrames()
    const wal = look(this.#wal.path)
    return wal.inode === this.#wal.inode && wal.size >= frames
  }

  /** The bytes that the WAL's frames take; 0 where it has none. */
  #walFrames(): number {
    if (this.#shmDescriptor === undefined) return 0
    if (readSync(this.#shmDescriptor, this.#frames, 0, 6, PAGE_SIZE_OFFSET) < 6) return 0
    const little = new DataView(this.#frames.buffer, this.#frames.byteOffset, 6)
    const pageSize = little.getUint16(0, LITTLE_ENDIAN)
    const count = little.getUint32(FRAMES_OFFSET - PAGE_SIZE_OFFSET, LITTLE_ENDIAN)
    return count === 0 ? 0 : WAL_HEADER + count * ((pageSize === 1 ? 65_536 : pageSize) + FRAME_HEADER)
  }

  /** Whether the file itself, not only the WAL, bears the mark. */
  isMarked(): boolean {
    return readSync(this.#descriptor, this.#seen, 0, 4, MARK_OFFSET) === 4 && this.#seen.equals(this.#mark)
  }

  /** To be called once SQLite has closed the file. */
  close(): void {
    release(this.#file)
    if (this.#shmFile !== undefined) release(this.#shmFile)
  }
}
