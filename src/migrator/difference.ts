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
