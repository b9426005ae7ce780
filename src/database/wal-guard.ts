import * as fs from "node:fs"

interface Companion {
  readonly path: string
  inode: bigint | undefined
  size: number
}

function look(path: string): { inode: bigint | undefined; size: number } {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return { inode: stat?.ino, size: Number(stat?.size ?? 0) }
}

/**
 * Watches over the two files that SQLite keeps beside a database in WAL mode, against other programs that meddle with them
 * while it is open (sqlite.org/howtocorrupt.html, section 4):
 *
 * - `-shm` is mapped into memory; were it cut short, the next access to it would kill the process. It is made as long as it
 *   was again, with zeros, which SQLite takes for an index that must be rebuilt.
 * - A `-wal` or `-shm` that is gone or replaced splits this process from the others. Then the database is not to be
 *   trusted any more.
 */
export class WalGuard {
  readonly #wal: Companion
  readonly #shm: Companion

  constructor(databasePath: string) {
    this.#wal = { path: `${databasePath}-wal`, ...look(`${databasePath}-wal`) }
    this.#shm = { path: `${databasePath}-shm`, ...look(`${databasePath}-shm`) }
  }

  /** Looks at both files; tells whether they are still those that were opened. To be called before SQLite is. */
  isIntact(): boolean {
    const shm = look(this.#shm.path)
    if (shm.inode !== this.#shm.inode) return false
    if (shm.size < this.#shm.size) {
      fs.truncateSync(this.#shm.path, this.#shm.size)
      return false
    }
    this.#shm.size = shm.size
    return look(this.#wal.path).inode === this.#wal.inode
  }
}
