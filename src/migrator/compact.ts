import type { SqliteIndex } from "../database/sqlite-index.ts"
import { TimeSlice } from "../time-slice.ts"
import { patiently } from "./patiently.ts"

/** Pages of the full-text index merged in one transaction. */
const PAGES_MERGED = 16
/** Pages given back in one transaction: what the WAL grows by at a time. */
const PAGES_FREED = 256
/** The share of free pages from which on they are given back; below it, new rows will soon take them. */
const WORTH_WHILE = 0.1

export interface CompactOptions {
  readonly signal?: AbortSignal | undefined
  readonly onYield?: (() => Promise<void>) | undefined
}

/**
 * Gives the space of rows that are gone back to the disk, in transactions of some ms, between which others get in and the WAL
 * is moved into the file: neither a long pause nor a large WAL. Cut short it has done what it has done.
 * @throws IndexFailure; the signal's reason
 */
export async function compact(index: SqliteIndex, options: CompactOptions = {}): Promise<void> {
  const slice = new TimeSlice(options.signal, options.onYield)
  while (await patiently(() => index.write(({ texts }) => texts.merge(PAGES_MERGED)))) await slice.pass()
  if ((await patiently(() => index.freeShare())) < WORTH_WHILE) return
  while (await patiently(() => index.vacuum(PAGES_FREED))) await slice.pass()
  await patiently(() => index.checkpoint())
}
