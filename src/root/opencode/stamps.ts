import { type Head, type StampedSession, timesOf } from "./changes.ts"
import type { OpencodeDatabase } from "./database.ts"

/**
 * A stamp made of times, in ms, must be so much older than our clock to vouch for what is read after it: what is changed again within the
 * same millisecond has the same one.
 */
export const PROVEN_AFTER_MS = 1_000
/** So many rows are looked at on one snapshot: where they lie scattered on a cold disk, a tenth of a second. */
const STRETCH_ROWS = 2_000

/**
 * Completes a session's stamp. It is put together from several snapshots where the session is long: a change in between is either in it, or
 * makes the next one differ. So take the stamp first, and read what it is to vouch for after that.
 */
export async function stampOf(
  database: OpencodeDatabase,
  head: Head,
  signal?: AbortSignal,
): Promise<StampedSession> {
  let { stamp, newest: newestOfAll } = head
  for (const table of head.tables) {
    let [count, newest, sum] = [0, 0, 0]
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      const from = after
      const times = await database.ask((view) => timesOf(view, table, head.id, from, STRETCH_ROWS), signal)
      count += times.count
      newest = Math.max(newest, times.newest)
      sum += times.sum
      after = times.last
      if (table === "message" || times.count < STRETCH_ROWS) break
    }
    newestOfAll = Math.max(newestOfAll, newest)
    stamp += ` ${count} ${newest} ${sum}${table === "sessionMessage" ? "" : ";"}`
  }
  return { id: head.id, stamp, newest: newestOfAll }
}
