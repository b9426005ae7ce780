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
  /** The folder it lies in where that is only read, beside the store's own. */
  readonly origin?: string
}

/** A call that can be ended. */
export interface Endable {
  readonly signal?: AbortSignal | undefined
}

/** Keeping what a root has beside its records, and telling how it is. A root without an index has little to do here. */
export interface Upkeep {
  /** How many listings and counts an index answered, and how many the records themselves. */
  readonly answers: Readonly<AnswerCounts>
  /** Brings the index up to date. @throws StoreError `INDEX_UNAVAILABLE`; the signal's reason */
  index(options: IndexOptions): Promise<WalkResult>
  /** Reads every record again. @throws as `index` */
  rebuild(options: IndexOptions): Promise<WalkResult>
  /** Compares the index with every record. @throws as `index` */
  verify(options: VerifyOptions): Promise<VerifyResult>
  /** Something may have changed: the index is to be caught up with it in the background, soon. */
  nudge(): void
  /** Why the place holds nothing that can be read; `undefined` where it does, or nobody can look. */
  missing(): StoreError | undefined
  /**
   * Whether it was there since it was opened and is not any more, as a disk that was unplugged: then nothing older may stand in for
   * what it holds. Told of once, and again when it has come back and gone.
   */
  outOfReach(): boolean
  /** Whether the place is there. What cannot be looked at is taken to be; reading it tells why it cannot. */
  isThere(): boolean
  /** Yields every record that cannot be read. */
  problems(options: Endable): AsyncGenerator<Problem>
  /** Yields every record whose parent is missing: messages, parts, then side files, each by folder and id. */
  orphans(options: Endable): AsyncGenerator<Orphan>
  /** Counts records and bytes. */
  stats(options: Endable): Promise<StoreStats>
  health(): RootHealth
  /** What its index takes, in bytes. */
  indexBytes(): number
  /** Ends background work; what it has done stays done. */
  stop(): Promise<void>
  /** Closes what is open, after `stop`. */
  close(): void
}
