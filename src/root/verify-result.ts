/**
 * How the index differs from the files:
 * - `integrity`: SQLite's own check found its file damaged, or a full-text table holds what is of no record.
 * - `unindexed`: a record file without a row.
 * - `gone`: a row without a record file.
 * - `outdated`: a row read from an earlier version of its file; the next call that needs it would notice.
 * - `wrong`: a row, a folder's count, or what a record is found by in searches, that differs from what a stamp vouches for. Only this
 *   could give a wrong answer.
 */
export type DifferenceKind = "integrity" | "unindexed" | "gone" | "outdated" | "wrong"

/** Where the index and a file disagree. */
export interface Difference {
  readonly path: string
  readonly kind: DifferenceKind
}

/** A session id that lies in several projects' folders; no fault of the index, and listed once. */
export interface DuplicateSession {
  readonly id: string
  readonly paths: readonly string[]
}

/** What comparing the index with the files found. */
export interface VerifyResult {
  /** Whether no difference was found, or with `repair` none is left. */
  readonly ok: boolean
  /** Record files compared. */
  readonly checked: { readonly sessions: number; readonly messages: number; readonly parts: number }
  readonly differences: Difference[]
  readonly duplicates: DuplicateSession[]
}

/** How to compare the index with the files. */
export interface VerifyOptions {
  /**
   * Mend what differs: a damaged index is begun anew, a full-text table that differs is filled anew, other differences are
   * reconciled from their files.
   */
  readonly repair?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}
