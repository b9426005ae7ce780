import { and, eq, inArray, sql } from "drizzle-orm"
import { isStoreError } from "../errors.ts"
import { FleetConnection } from "../postgres/connection.ts"
import { isLost } from "../postgres/failure.ts"
import { CHANGE_LOCK } from "../postgres/locks.ts"
import { forgotten, sessions } from "../postgres/schema.ts"
import { checkKey } from "../record/key.ts"
import { pause } from "../time-slice.ts"
import { noteRemoval } from "./session-transaction.ts"

const MOST_TRIES = 5
const PAUSE_MS = 200

/** What was removed for all. */
export interface ForgetResult {
  /** The session and those below it, in which its agents worked. */
  readonly sessions: readonly string[]
  /** How many machines' copies of them there were. */
  readonly copies: number
}

/**
 * Removes a session and those below it from a database, every machine's copy, in one transaction; no push brings them back. Nothing is removed on
 * any machine. One that is not there is not taken in later either.
 * @throws StoreError `FLEET_UNAVAILABLE`, `FLEET_SCHEMA`, `INVALID_KEY`
 */
export async function forget(url: string, sessionID: string): Promise<ForgetResult> {
  checkKey([sessionID])
  const fleet = new FleetConnection(url)
  try {
    for (let tries = 1; ; tries++)
      try {
        return await forgetIn(fleet, sessionID)
      } catch (error) {
        // A push that had one of them in hand may have been in the way, and this in its way.
        if (tries === MOST_TRIES || !(isStoreError(error, "FLEET_UNAVAILABLE") && isLost(error.cause)))
          throw error
        await pause(PAUSE_MS * tries)
      }
  } finally {
    await fleet.close()
  }
}

function forgetIn(fleet: FleetConnection, sessionID: string): Promise<ForgetResult> {
  return fleet.write(async (db) => {
    // Whoever publishes one of them just now waits here, and finds it forgotten.
    await db.execute(sql`select pg_advisory_xact_lock(${CHANGE_LOCK}::bigint)`)
    const all = new Set([sessionID])
    for (let above = [sessionID]; above.length > 0; ) {
      const below = await db.select({ id: sessions.id }).from(sessions).where(inArray(sessions.parent, above))
      above = [...new Set(below.map(({ id }) => id))].filter((id) => !all.has(id))
      for (const id of above) all.add(id)
    }
    const ids = [...all]
    await db
      .insert(forgotten)
      .values(ids.map((session) => ({ session })))
      .onConflictDoNothing()
    const copies = await db
      .select({ machine: sessions.machine, id: sessions.id })
      .from(sessions)
      .where(inArray(sessions.id, ids))
    for (const { machine, id } of copies) {
      await db.delete(sessions).where(and(eq(sessions.machine, machine), eq(sessions.id, id)))
      await noteRemoval(db, machine, id)
    }
    return { sessions: ids, copies: copies.length }
  })
}
