import { watch } from "node:fs"
import { systemCode } from "../errors.ts"
import { isForTheMoment } from "../exhaustion.ts"

/** A watch on one folder, not on what lies below it. */
export interface FolderWatch {
  close(): void
}

/**
 * Begins to watch a folder; tells names in it that were made, changed or removed, and `undefined` where the system lost some.
 * Throws what the system throws.
 */
export type WatchFolder = (path: string, onName: (name: string | undefined) => void) => FolderWatch

/** The system's own watch. Bun tells of an inotify queue that overflowed by an event without a name. */
export const watchFolder: WatchFolder = (path, onName) => {
  const watcher = watch(path, { persistent: false }, (_, name) => onName(name ?? undefined))
  watcher.on("error", () => onName(undefined))
  return watcher
}

/** A folder that is watched, told apart from a later one of the same path by its inode. */
interface Watched {
  readonly watch: FolderWatch
  readonly inode: bigint
}

/** Errors that say something of the one folder; any other says that no more watches are to be had. */
const GONE = new Set(["ENOENT", "ENOTDIR", "ELOOP"])
const CLOSED_TO_US = new Set(["EACCES", "EPERM"])
const NO_WATCH: FolderWatch = { close() {} }

/** The watches on the folders of a store, one each. */
export class FolderWatches {
  readonly #watch: WatchFolder
  readonly #watched = new Map<string, Watched>()

  constructor(watch: WatchFolder) {
    this.#watch = watch
  }

  get size(): number {
    return this.#watched.size
  }

  /** Whether that very folder is watched. */
  has(path: string, inode: bigint): boolean {
    return this.#watched.get(path)?.inode === inode
  }

  /**
   * Watches a folder, unless it is watched already.
   * @returns whether the watch is new, or that it took the place of that on an earlier folder of the same path
   * @throws what the system throws when it refuses any more watches
   */
  add(path: string, inode: bigint, onName: (name: string | undefined) => void): "known" | "new" | "replaced" {
    if (this.has(path, inode)) return "known"
    const replaced = this.remove(path)
    let watch: FolderWatch
    try {
      watch = this.#watch(path, onName)
    } catch (error) {
      const code = systemCode(error) ?? ""
      if (GONE.has(code)) return replaced ? "replaced" : "known"
      if (!CLOSED_TO_US.has(code)) throw error
      // What cannot be read need not be watched either.
      watch = NO_WATCH
    }
    this.#watched.set(path, { watch, inode })
    return replaced ? "replaced" : "new"
  }

  /** Tells whether the folder was watched. */
  remove(path: string): boolean {
    this.#watched.get(path)?.watch.close()
    return this.#watched.delete(path)
  }

  /** Removes the watches on a folder and on all below it; tells whether it was watched. */
  removeTree(path: string): boolean {
    for (const other of this.#watched.keys()) if (other.startsWith(`${path}/`)) this.remove(other)
    return this.remove(path)
  }

  /** Removes the watches on folders that were not seen. */
  keep(seen: ReadonlySet<string>): void {
    for (const path of this.#watched.keys()) if (!seen.has(path)) this.remove(path)
  }

  close(): void {
    this.keep(new Set())
  }
}

/** What a look at a folder gives; nothing where the system refuses it: a link to itself, a folder of someone else's. */
export function allowed<T>(look: () => T | undefined): T | undefined {
  try {
    return look()
  } catch (error) {
    if (systemCode(error) === undefined || isForTheMoment(error)) throw error
    return undefined
  }
}

/** Why the system gives no more watches. @throws what is no error of the system's */
export function refusalOf(error: unknown): string {
  const code = systemCode(error)
  if (code === undefined) throw error
  const limit = code === "ENOSPC" || code === "EMFILE"
  return `the system refuses more watches (${code})${limit ? "; on Linux see fs.inotify.max_user_watches" : ""}`
}
