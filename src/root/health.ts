import type { WatchHealth } from "./root-watch.ts"
import type { WalkProgress } from "./walk-result.ts"

/**
 * What became of the index when SQLite failed:
 * - `busy`: another process holds it; the next call may get in.
 * - `unavailable`: it cannot be opened, read or written just now (permission, read-only, disk full, I/O error).
 * - `damaged`: its content is not to be trusted; a fresh one is begun.
 * - `newer`: a newer version of this package made it; it is left alone.
 */
export type FailureKind = "busy" | "unavailable" | "damaged" | "newer"

/** How the index is doing. */
export interface IndexHealth {
  /** `unopened` until first needed; `failing` while the files answer in its stead. */
  readonly state: "unopened" | "ready" | "failing" | "closed"
  /** Why it last failed. */
  readonly reason: string | undefined
  readonly kind: FailureKind | undefined
  /** The current generation's file. */
  readonly path: string | undefined
  readonly journalMode: "wal" | "delete" | undefined
  /** Damaged generations kept for inspection, newest first. */
  readonly damaged: readonly string[]
  /** How many calls the index could not serve. */
  readonly failures: number
}

/** How the background indexing is doing. */
export interface WalkHealth {
  readonly state: "off" | "waiting" | "running" | "done" | "stopped" | "failed"
  readonly reason?: string
  /** Record files it read. */
  readonly read?: number
  readonly elapsedMs?: number
  /** How far it is while it runs, where that is known; once all is done but it runs on, texts are indexed for the search. */
  readonly progress?: WalkProgress
}

/** How many questions each side answered. */
export interface AnswerCounts {
  index: number
  files: number
}

/** How a place that is read beside the store's own folder is doing. */
export interface RootHealth {
  /** The root's `place`: a folder, or what else it is. */
  readonly directory: string
  /** Of JSON files the current or the older layout; of anything else the root's `source`. */
  readonly layout: "current" | "older" | (string & {})
  readonly index: IndexHealth
  readonly backgroundIndex: WalkHealth
  /** Where the store was opened with `watch`, and changes in it are told. */
  readonly watch?: WatchHealth
}
