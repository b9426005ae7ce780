import { sql } from "drizzle-orm"
import type { JsonObject } from "../../record/extract.ts"
import { isLater } from "./message-list.ts"
import { messageBodies, partBodies, type Reading } from "./record-rows.ts"
import { amongIds } from "./session-rows.ts"
import { TABLES } from "./tables.ts"
import type { View } from "./view.ts"

/** Where a message lies. */
export interface MessageName {
  readonly session: string
  readonly id: string
}

/** A message with its parts, in the order of their ids; `info` is `undefined` if it does not exist or cannot be read. */
export interface WholeMessage extends MessageName {
  readonly info: JsonObject | undefined
  readonly parts: readonly JsonObject[]
  /** How many parts it has, readable or not. */
  readonly partCount: number
}

/**
 * Reads the first of these messages with their parts, in the given order: as many as take no more than `bytes` together, which may be
 * none. What cannot be read is reported and left out.
 */
export function messageRun(
  view: View,
  names: readonly MessageName[],
  bytes: number,
  reading: Reading,
): WholeMessage[] {
  const sizes = sizesOf(view, names, reading.maxBytes)
  let sum = 0
  const end = names.findIndex(({ id }) => {
    sum += sizes.get(id)?.bytes ?? 0
    return sum > bytes
  })
  const run = end < 0 ? names : names.slice(0, end)
  const read = new Map<string, Omit<WholeMessage, keyof MessageName>>()
  for (const [session, of] of Map.groupBy(run, ({ session }) => session)) {
    const ids = of.map(({ id }) => id)
    const infos = messageBodies(view, session, ids, reading)
    // A message of opencode 2 is one record with its parts, so the parts of an unreadable one are not looked for again.
    const later = isLater(view, session)
    const parts = partBodies(view, later ? [...infos.keys()] : ids, reading)
    for (const id of ids) {
      const own = parts.get(id) ?? []
      const partCount = later ? own.length : (sizes.get(id)?.parts ?? 0)
      read.set(id, { info: infos.get(id), parts: own, partCount })
    }
  }
  return run.map((name) => ({ ...name, info: undefined, parts: [], partCount: 0, ...read.get(name.id) }))
}

/** How much is to be read of a message. */
interface Size {
  readonly bytes: number
  readonly parts: number
}

/** How much is to be read of each message with its parts, by its id. */
function sizesOf(view: View, names: readonly MessageName[], maxBytes: number): Map<string, Size> {
  const sizes = new Map<string, Size>()
  const ids = JSON.stringify(names.map(({ id }) => id))
  for (const table of ["message", "part", "sessionMessage"] as const) {
    if (!view.has(table)) continue
    const owner = view.column(table, table === "part" ? "message_id" : "id")
    const size = sql`octet_length(${view.column(table, "data")})`
    const question = view.question(`sizes of messages in ${table}`, (db) =>
      db
        .select({
          owner,
          bytes: sql<unknown>`total(case when ${size} <= ${sql.placeholder("max")} then ${size} end)`,
          rows: sql<unknown>`total(typeof(${view.column(table, "id")}) = 'text')`,
        })
        .from(TABLES[table])
        .where(amongIds(owner))
        .groupBy(owner)
        .prepare(),
    )
    for (const row of question.all({ ids, max: maxBytes })) {
      const { bytes, parts } = sizes.get(String(row.owner)) ?? { bytes: 0, parts: 0 }
      const more = table === "part" ? Number(row.rows) : 0
      sizes.set(String(row.owner), { bytes: bytes + Number(row.bytes), parts: parts + more })
    }
  }
  return sizes
}
