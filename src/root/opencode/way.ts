import { type DatabaseFiles, sameLook, sameWal } from "./files.ts"

/**
 * The ways to read a database without creating or writing anything beside it, found by experiment with SQLite 3.54.
 *
 * - `still`: no WAL, no journal. Opened as immutable: any other way makes SQLite create a `-wal` beside a database in WAL mode. It takes
 *   no lock, so what was read counts only if the file's stamp is the same afterwards.
 * - `shared`: there are a `-wal` and a `-shm`, as while the agent runs or after it was killed. SQLite reads the `-shm` without writing to it
 *   (`readonly_shm`) and takes the agent's own locks. If no process maintains the `-shm`, it builds the WAL's index in memory instead.
 * - `alone`: a `-wal` without `-shm`, as in a backup. Opened with the VFS without locks, in exclusive mode: then SQLite keeps the WAL's
 *   index in memory and needs no `-shm` (sqlite.org/wal.html, "Use of WAL Without Shared-Memory").
 * - `rollback`: a `-journal` lies there, so the database is not in WAL mode, and reading under SQLite's locks creates nothing.
 */
export type Way = "still" | "shared" | "alone" | "rollback"

export function wayOf({ wal, shm, journal }: DatabaseFiles): Way {
  if (wal && shm) return "shared"
  if (wal && wal.size > 0) return "alone"
  if (journal && journal.size > 0) return "rollback"
  return "still"
}

/** The URI parameters for each way (sqlite.org/uri.html). */
export const URI_PARAMETERS: Readonly<Record<Way, string>> = {
  still: "immutable=1",
  shared: "mode=ro&readonly_shm=1",
  alone: "mode=ro&vfs=unix-none",
  rollback: "mode=ro",
}

/** Whether a connection that was opened when the files looked like `opened` may answer now that they look like `now`. */
export function stillFits(way: Way, opened: DatabaseFiles, now: DatabaseFiles): boolean {
  if (opened.path !== now.path || opened.main.inode !== now.main.inode || wayOf(now) !== way) return false
  // SQLite itself sees what was committed, as long as the files are those that it has open.
  if (way === "shared") return opened.wal?.inode === now.wal?.inode && opened.shm?.inode === now.shm?.inode
  if (way === "rollback") return true
  return sameLook(opened.main, now.main) && (way === "still" || sameWal(opened.wal, now.wal))
}
