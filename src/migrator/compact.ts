import type { SqliteIndex } from "../database/sqlite-index.ts"
import { TimeSlice } from "../time-slice.ts"
import { patiently } from "./patiently.ts"

/** How many pages of the full-text index are merged in one transaction. */
const PAGES_MERGED = 16
/** How many pages are given back in one transaction, and so how far the WAL grows at a time. */
const PAGES_FREED = 256
/** Free pages are given back if they are at least this share; fewer are soon used by new rows. */
const WORTH_WHILE = 0.1

export interface CompactOptions {
  readonly signal?: AbortSignal | undefined
  readonly onYield?: (() => Promise<void>) | undefined
}

/**
 * Gives the space of removed rows back to the disk, in transactions of a few ms each, so that there is neither a long pause nor a large
 * WAL. If it is cut short, what was done stays done.
 * @throws IndexFailure; the signal's reason
 */
export async function compact(index: SqliteIndex, options: CompactOptions = {}): Promise<void> {
  const slice = new TimeSlice(options.signal, options.onYield)
  while (await patiently(() => index.write(({ texts }) => texts.merge(PAGES_MERGED)))) await slice.pass()
  if ((await patiently(() => index.freeShare())) < WORTH_WHILE) return
  while (await patiently(() => index.vacuum(PAGES_FREED))) await slice.pass()
  await patiently(() => index.checkpoint())
}
