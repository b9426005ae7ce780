import { sql } from "drizzle-orm"
import type { JsonObject } from "../../record/extract.ts"
import { messageBodies, partBodies, type Reading } from "./record-rows.ts"
import { amongIds } from "./session-rows.ts"
import { TABLES } from "./tables.ts"
import type { View } from "./view.ts"

/** Where a message lies. */
export interface MessageName {
  readonly session: string
  readonly id: string
}

/** A message with its parts, by their ids; `info` is absent where it is not there or cannot be read. */
export interface WholeMessage extends MessageName {
  readonly info: JsonObject | undefined
  readonly parts: readonly JsonObject[]
}

/**
 * As many messages with their parts as take no more than `bytes` together, in the order they were named: the first of them, of which there
 * may be none. What cannot be read is told and left out.
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
    sum += sizes.get(id) ?? 0
    return sum > bytes
  })
  const run = end < 0 ? names : names.slice(0, end)
  const infos = new Map<string, JsonObject>()
  for (const [session, of] of Map.groupBy(run, ({ session }) => session))
    for (const [id, info] of messageBodies(
      view,
      session,
      of.map(({ id }) => id),
      reading,
    ))
      infos.set(id, info)
  const parts = partBodies(
    view,
    run.filter(({ id }) => infos.has(id)).map(({ id }) => id),
    reading,
  )
  return run.map((name) => ({ ...name, info: infos.get(name.id), parts: parts.get(name.id) ?? [] }))
}

/** How many bytes are read of each message with its parts, by its id. */
function sizesOf(view: View, names: readonly MessageName[], maxBytes: number): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const table of ["message", "part", "sessionMessage"] as const) {
    if (!view.has(table)) continue
    const id = view.column(table, table === "part" ? "message_id" : "id")
    const size = sql`octet_length(${view.column(table, "data")})`
    const question = view.question(`sizes of messages in ${table}`, (db) =>
      db
        .select({
          id,
          bytes: sql<unknown>`total(case when ${size} <= ${sql.placeholder("max")} then ${size} end)`,
        })
        .from(TABLES[table])
        .where(amongIds(id))
        .groupBy(id)
        .prepare(),
    )
    for (const row of question.all({ ids: JSON.stringify(names.map(({ id }) => id)), max: maxBytes }))
      sizes.set(String(row.id), (sizes.get(String(row.id)) ?? 0) + Number(row.bytes))
  }
  return sizes
}
