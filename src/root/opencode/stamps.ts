import { type Head, type StampedSession, timesOf } from "./changes.ts"
import type { OpencodeDatabase } from "./database.ts"

/**
 * A stamp is made from times in ms, and two changes within a millisecond leave the same one. So its newest time must be this much older than
 * our clock before the stamp counts as proven, in ms.
 */
export const PROVEN_AFTER_MS = 1_000
/** How many rows one snapshot reads; if they lie scattered on a cold disk, that takes a tenth of a second. */
const STRETCH_ROWS = 2_000

/**
 * Completes a session's stamp. For a long session it is made from several snapshots: a change in between is either in it, or makes the next
 * stamp differ. So take the stamp first, and read what it vouches for after that.
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
