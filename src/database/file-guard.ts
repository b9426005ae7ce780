import * as fs from "node:fs"

/** Where SQLite keeps `user_version` in the first page (sqlite.org/fileformat.html, 1.3). */
const MARK_OFFSET = 60

interface Companion {
  readonly path: string
  inode: bigint | undefined
  size: number
}

function look(path: string): Companion {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return { path, inode: stat?.ino, size: Number(stat?.size ?? 0) }
}

/**
 * Watches over the files of an open index against other programs that meddle with them, which SQLite itself cannot notice
 * in time (sqlite.org/howtocorrupt.html, sections 1 and 4):
 *
 * - The database's mark, a random number in its first page, tells it from any other database that is written over it: old
 *   pages in the WAL and new ones in the file would make a mixture that reads well and lies.
 * - A file that is gone or replaced splits this process from the others.
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

  /** @param mark the database's `user_version` */
  constructor(databasePath: string, mark: number) {
    this.#mark.writeInt32BE(mark)
    this.#main = look(databasePath)
    this.#wal = look(`${databasePath}-wal`)
    this.#shm = look(`${databasePath}-shm`)
    this.#descriptor = fs.openSync(databasePath, "r")
  }

  /** Looks at the files; tells whether they are still those that were opened. To be called before SQLite is. */
  isIntact(): boolean {
    const shm = look(this.#shm.path)
    if (shm.inode === this.#shm.inode && shm.size < this.#shm.size) {
      fs.truncateSync(this.#shm.path, this.#shm.size)
      return false
    }
    this.#shm.size = shm.size
    return (
      shm.inode === this.#shm.inode &&
      look(this.#wal.path).inode === this.#wal.inode &&
      look(this.#main.path).inode === this.#main.inode &&
      this.isMarked()
    )
  }

  /** Whether the file itself, not only the WAL, bears the mark. */
  isMarked(): boolean {
    return fs.readSync(this.#descriptor, this.#seen, 0, 4, MARK_OFFSET) === 4 && this.#seen.equals(this.#mark)
  }

  /** To be called once SQLite has closed the file. */
  close(): void {
    fs.closeSync(this.#descriptor)
  }
}
