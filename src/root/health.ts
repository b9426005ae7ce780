import type { WatchHealth } from "./root-watch.ts"
import type { WalkProgress } from "./walk-result.ts"

/**
 * How SQLite failed:
 * - `busy`: another process holds it; the next call may get in.
 * - `unavailable`: it cannot be opened, read or written just now (permission, read-only, disk full, I/O error).
 * - `damaged`: its content cannot be trusted; a new one is begun.
 * - `newer`: a newer version of this package made it; it is left alone.
 */
export type FailureKind = "busy" | "unavailable" | "damaged" | "newer"

/** How the index is doing. */
export interface IndexHealth {
  /** `unopened` until it is first needed; `failing` while the files answer instead. */
  readonly state: "unopened" | "ready" | "failing" | "closed"
  /** Why it last failed. */
  readonly reason: string | undefined
  readonly kind: FailureKind | undefined
  /** The path of the current generation's file. */
  readonly path: string | undefined
  readonly journalMode: "wal" | "delete" | undefined
  /** Damaged generations kept for inspection, newest first. */
  readonly damaged: readonly string[]
  /** How many calls the index could not answer. */
  readonly failures: number
}

/** How the background indexing is doing. */
export interface WalkHealth {
  readonly state: "off" | "waiting" | "running" | "done" | "stopped" | "failed"
  readonly reason?: string
  /** How many record files it read. */
  readonly read?: number
  readonly elapsedMs?: number
  /** While it runs: how far it is, if that is known. If all is done and it still runs, it is indexing texts for searching. */
  readonly progress?: WalkProgress
}

/** How many listings and counts the index answered, and how many the files. */
export interface AnswerCounts {
  index: number
  files: number
}

/** How a root beside the store's own folder is doing. */
export interface RootHealth {
  /** The root's `place`: a folder, a file, or a URL. */
  readonly directory: string
  /** `current` or `older` for JSON files; the root's `source` for anything else. */
  readonly layout: "current" | "older" | (string & {})
  readonly index: IndexHealth
  readonly backgroundIndex: WalkHealth
  /** Set if the store was opened with `watch` and the root can be watched. */
  readonly watch?: WatchHealth
}
