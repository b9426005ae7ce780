import { closeSync, openSync, readSync, statSync, truncateSync } from "node:fs"

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
 * Then the index is not to be trusted any more. The descriptor is kept for as long as SQLite has the file open: closing any
 * descriptor of a file drops all locks this process has on it.
 */
export class FileGuard {
  readonly #main: Companion
  readonly #wal: Companion
  readonly #shm: Companion
  readonly #descriptor: number
  readonly #mark = Buffer.alloc(4)
  readonly #seen = Buffer.alloc(4)
  readonly #shmDescriptor: number | undefined
  readonly #frames = Buffer.alloc(6)

  /** @param mark the database's `user_version` */
  constructor(databasePath: string, mark: number) {
    this.#mark.writeInt32BE(mark)
    this.#main = look(databasePath)
    this.#wal = look(`${databasePath}-wal`)
    this.#shm = look(`${databasePath}-shm`)
    this.#descriptor = openSync(databasePath, "r")
    if (this.#shm.inode !== undefined) this.#shmDescriptor = openSync(this.#shm.path, "r")
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
    closeSync(this.#descriptor)
    if (this.#shmDescriptor !== undefined) closeSync(this.#shmDescriptor)
  }
}
