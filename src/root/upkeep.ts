import type { StoreError } from "../errors.ts"
import type { Key } from "../record/key.ts"
import type { SESSION_SIDE_KINDS } from "../record/kind.ts"
import type { AnswerCounts, RootHealth } from "./health.ts"
import type { Problem } from "./problem-log.ts"
import type { StoreStats } from "./store-stats.ts"
import type { VerifyOptions, VerifyResult } from "./verify-result.ts"
import type { IndexOptions, WalkResult } from "./walk-result.ts"

/** A record whose parent has no file: a message or side file without its session, a part without its message. */
export interface Orphan {
  readonly kind: "message" | "part" | (typeof SESSION_SIDE_KINDS)[number]
  readonly key: Key
  readonly path: string
  /** The folder of the root it lies in, if that is not the store's own. */
  readonly origin?: string
}

/** Options of a call that can be aborted. */
export interface Endable {
  readonly signal?: AbortSignal | undefined
}

/** Maintains what a root has beside its records, and reports on it. A root without an index has little to do here. */
export interface Upkeep {
  /** How many listings and counts the index answered, and how many the records themselves. */
  readonly answers: Readonly<AnswerCounts>
  /** Brings the index up to date. @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason */
  index(options: IndexOptions): Promise<WalkResult>
  /** Reads every record again. @throws as `index` */
  rebuild(options: IndexOptions): Promise<WalkResult>
  /** Compares the index with every record. @throws as `index` */
  verify(options: VerifyOptions): Promise<VerifyResult>
  /** Says that something may have changed, so that the index soon catches up in the background. */
  nudge(): void
  /** Why the place holds nothing that can be read; `undefined` if it does, or if nobody can look. */
  missing(): StoreError | undefined
  /**
   * Whether it was there since the store was opened and is gone now, as a disk that was unplugged. Then no older copy may stand in for what
   * it holds. It is logged once, and again each time it has come back and gone.
   */
  outOfReach(): boolean
  /** Whether the place is there. If it cannot be looked at, it counts as there; reading it tells why it cannot. */
  isThere(): boolean
  /** Yields every record that cannot be read. */
  problems(options: Endable): AsyncGenerator<Problem>
  /** Yields every record whose parent is missing: messages, parts, then side files, each by folder and id. */
  orphans(options: Endable): AsyncGenerator<Orphan>
  /** Counts records and bytes. */
  stats(options: Endable): Promise<StoreStats>
  health(): RootHealth
  /** The size of its index, in bytes. */
  indexBytes(): number
  /** Ends background work. What it has done is kept. */
  stop(): Promise<void>
  /** Closes what is open, after `stop`. */
  close(): void
}
