import { type DatabaseFiles, sameLook, sameWal } from "./files.ts"

/**
 * How a database can be read so that nothing is created or written beside it; found out by experiment with SQLite 3.54.
 *
 * - `still`: no WAL, no journal. Opened as immutable: any other way makes SQLite create a `-wal` beside a database in WAL mode. It takes
 *   no lock, so what was read counts only if the file's stamp is the same afterwards.
 * - `shared`: there are a `-wal` and a `-shm`, as while the agent runs or after it was killed. SQLite reads through the
 *   `-shm` without writing to it (`readonly_shm`), takes the agent's own locks, and where nobody lives that keeps it, reads
 *   the WAL's index into memory instead.
 * - `alone`: a `-wal` without `-shm`, as in a backup. Read with the VFS that knows no locks, in exclusive mode: then SQLite keeps the
 *   index of the WAL in memory, and needs no `-shm` (sqlite.org/wal.html, "Use of WAL Without Shared-Memory").
 * - `rollback`: a `-journal` lies there, so the database is not in WAL mode, and reading under SQLite's locks creates nothing.
 */
export type Way = "still" | "shared" | "alone" | "rollback"

export function wayOf({ wal, shm, journal }: DatabaseFiles): Way {
  if (wal && shm) return "shared"
  if (wal && wal.size > 0) return "alone"
  if (journal && journal.size > 0) return "rollback"
  return "still"
}

/** The parameters of SQLite's URI for that way (sqlite.org/uri.html). */
export const URI_PARAMETERS: Readonly<Record<Way, string>> = {
  still: "immutable=1",
  shared: "mode=ro&readonly_shm=1",
  alone: "mode=ro&vfs=unix-none",
  rollback: "mode=ro",
}

/** Whether a connection that was opened when the files looked like `opened` may answer now that they look like `now`. */
export function stillFits(way: Way, opened: DatabaseFiles, now: DatabaseFiles): boolean {
  if (opened.path !== now.path || opened.main.inode !== now.main.inode || wayOf(now) !== way) return false
  // SQLite looks for itself what was committed, as long as the files are those it has open.
  if (way === "shared") return opened.wal?.inode === now.wal?.inode && opened.shm?.inode === now.shm?.inode
  if (way === "rollback") return true
  return sameLook(opened.main, now.main) && (way === "still" || sameWal(opened.wal, now.wal))
}
