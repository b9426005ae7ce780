import { sql } from "drizzle-orm"
import { amongIds } from "./session-rows.ts"
import { part } from "./tables.ts"
import type { View } from "./view.ts"

const { placeholder } = sql
/** Parts that end a step are small. A larger part, in bytes, is not read here and counts as one that may end a step. */
const LARGEST_READ = 65_536

/**
 * Those of these messages in whose parts more than one step may end: all except those that are known to have one at most. Messages of
 * opencode 2 have no such parts.
 */
export function withSeveralSteps(view: View, messageIDs: readonly string[]): Set<string> {
  if (!view.has("part")) return new Set()
  const message = view.column("part", "message_id")
  const data = view.column("part", "data")
  const mayEndStep = sql`octet_length(${data}) > ${placeholder("largest")} or instr(${data}, '"step-finish"') > 0`
  const rows = view
    .question("several steps", (db) =>
      db
        .select({ message })
        .from(part)
        .where(sql`${amongIds(message)} and (${mayEndStep})`)
        .groupBy(message)
        .having(sql`count(*) > 1`)
        .prepare(),
    )
    .all({ ids: JSON.stringify(messageIDs), largest: LARGEST_READ })
  return new Set(rows.map((row) => String(row.message)))
}
