import { watch } from "node:fs"
import { systemCode } from "../errors.ts"
import { isForTheMoment } from "../exhaustion.ts"

/** A watch on one folder, not on the folders below it. */
export interface FolderWatch {
  close(): void
}

/**
 * Begins to watch a folder. Calls `onName` with each name in it that was made, changed or removed, and with `undefined` if the system
 * lost events. @throws what the system throws
 */
export type WatchFolder = (path: string, onName: (name: string | undefined) => void) => FolderWatch

/** The system's own watch. If the inotify queue overflows, Bun gives an event without a name. */
export const watchFolder: WatchFolder = (path, onName) => {
  const watcher = watch(path, { persistent: false }, (_, name) => onName(name ?? undefined))
  watcher.on("error", () => onName(undefined))
  return watcher
}

/** A watched folder. Its inode tells it from a later folder at the same path. */
interface Watched {
  readonly watch: FolderWatch
  readonly inode: bigint
}

/** Errors that concern this one folder; any other means that the system gives no more watches. */
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

  /** Whether exactly this folder is watched. */
  has(path: string, inode: bigint): boolean {
    return this.#watched.get(path)?.inode === inode
  }

  /**
   * Watches a folder, unless it is watched already.
   * @returns `replaced` if an earlier folder at the same path was watched
   * @throws what the system throws if it gives no more watches
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
      // A folder that cannot be read need not be watched.
      watch = NO_WATCH
    }
    this.#watched.set(path, { watch, inode })
    return replaced ? "replaced" : "new"
  }

  /** Removes the watch on a folder. Returns whether it was watched. */
  remove(path: string): boolean {
    this.#watched.get(path)?.watch.close()
    return this.#watched.delete(path)
  }

  /** Removes the watches on a folder and on all folders below it. Returns whether it was watched itself. */
  removeTree(path: string): boolean {
    for (const other of this.#watched.keys()) if (other.startsWith(`${path}/`)) this.remove(other)
    return this.remove(path)
  }

  /** Removes the watches on all folders except these. */
  keep(seen: ReadonlySet<string>): void {
    for (const path of this.#watched.keys()) if (!seen.has(path)) this.remove(path)
  }

  close(): void {
    this.keep(new Set())
  }
}

/** The result of a look at a folder; `undefined` if the system refuses it, as for a link to itself or another user's folder. */
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
