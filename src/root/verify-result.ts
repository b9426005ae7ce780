/**
 * How the index differs from the files:
 * - `integrity`: SQLite's own check found damage, or a full-text table holds a text that belongs to no record.
 * - `unindexed`: a record file without a row.
 * - `gone`: a row without a record file.
 * - `outdated`: a row read from an earlier version of its file; the next call that needs it would notice.
 * - `wrong`: a row, a folder's count, or an entry of a full-text table differs from a file that, by its stamp, has not changed. Only this
 *   could give a wrong answer.
 */
export type DifferenceKind = "integrity" | "unindexed" | "gone" | "outdated" | "wrong"

/** Where the index and a file disagree. */
export interface Difference {
  readonly path: string
  readonly kind: DifferenceKind
}

/** A session id that lies in several projects' folders. It is no fault of the index, and the session is listed once. */
export interface DuplicateSession {
  readonly id: string
  readonly paths: readonly string[]
}

/** What comparing the index with the files found. */
export interface VerifyResult {
  /** Whether no difference was found or, with `repair`, none is left. */
  readonly ok: boolean
  /** How many record files were compared. */
  readonly checked: { readonly sessions: number; readonly messages: number; readonly parts: number }
  readonly differences: Difference[]
  readonly duplicates: DuplicateSession[]
}

/** How to compare the index with the files. */
export interface VerifyOptions {
  /**
   * Repair what differs: a damaged index is begun anew, a full-text table that differs is filled anew, and other differences are
   * reconciled with their files.
   */
  readonly repair?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}
