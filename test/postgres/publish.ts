import { sql } from "drizzle-orm"
import { FleetConnection } from "../../src/postgres/connection.ts"
import type { FleetQueries } from "../../src/postgres/queries.ts"
import { machines, messages, parts, projects, sessions, sides, texts } from "../../src/postgres/schema.ts"
import { storable } from "../../src/postgres/storable.ts"
import { textPieces } from "../../src/postgres/texts.ts"
import { messageFields, partFields, sessionFields } from "../../src/record/extract.ts"
import { fold } from "../../src/record/fold.ts"
import { messageTexts, partTexts } from "../../src/record/search-text.ts"
import type { HeldRecord, History } from "../../src/testing/index.ts"

const ROWS_AT_ONCE = 500
const SIDES = ["todo", "session_diff"]

/** Puts a history there as one machine's, by plain inserts: what a root is tested with needs no push. */
export async function publish(
  url: string,
  machine: string,
  history: History,
  source = "opencode",
): Promise<void> {
  const fleet = new FleetConnection(url)
  try {
    await fleet.migrate()
    await fleet.write((db) => insertAll(db, machine, history, source))
  } finally {
    await fleet.close()
  }
}

async function insertAll(db: FleetQueries, machine: string, history: History, source: string): Promise<void> {
  await db
    .insert(machines)
    .values({ id: machine, name: `the ${machine}` })
    .onConflictDoNothing()
  const put = async <T>(rows: readonly T[], insert: (some: T[]) => Promise<unknown>): Promise<void> => {
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) await insert(rows.slice(at, at + ROWS_AT_ONCE))
  }
  const sequence = sql<number>`nextval('sessiondex.changes')`
  await put(
    history.sessions.map((one) => ({ ...sessionRow(one), machine, source, sequence })),
    (rows) => db.insert(sessions).values(rows),
  )
  const published = new Set(history.sessions.map(({ id }) => id))
  const held = history.messages.filter(({ folder }) => published.has(folder))
  await put(
    held.map((one) => ({ ...messageRow(one), machine })),
    (rows) => db.insert(messages).values(rows),
  )
  const partsOf = Map.groupBy(history.parts, ({ folder }) => folder)
  await put(
    held.flatMap(({ folder, id }) =>
      (partsOf.get(id) ?? []).map(({ id: part, body }, position) => ({
        ...{ machine, session: folder, message: id, id: part, position },
        ...partFields(body),
        body: JSON.stringify(body),
      })),
    ),
    (rows) => db.insert(parts).values(rows),
  )
  await put(
    held.flatMap((one) => textRows(one, partsOf.get(one.id) ?? []).map((row) => ({ ...row, machine }))),
    (rows) => db.insert(texts).values(rows),
  )
  for (const [kind, records] of Object.entries(history.plain ?? {}))
    for (const [id, value] of Object.entries(records)) {
      const body = JSON.stringify(value)
      if (kind === "project") await db.insert(projects).values({ machine, id, body })
      else if (SIDES.includes(kind) && published.has(id))
        await db.insert(sides).values({ machine, session: id, kind, body })
    }
}

function sessionRow({ folder, id, body }: HeldRecord) {
  const { parentID, title, directory, ...fields } = sessionFields(body)
  return {
    id,
    place: "/somewhere",
    project: folder,
    parent: parentID,
    title: title === null ? null : storable(title),
    folded: title === null ? null : storable(fold(title)),
    directory: directory === null ? null : storable(directory),
    ...fields,
    body: JSON.stringify(body),
    hash: "",
  }
}

function messageRow({ folder, id, body }: HeldRecord) {
  return { session: folder, id, ...messageFields(body), body: JSON.stringify(body), hash: "" }
}

function textRows({ folder, id, body }: HeldRecord, of: readonly HeldRecord[]) {
  const all = [...messageTexts(body), ...of.flatMap((part) => partTexts(part.body))].map(fold)
  return [...textPieces(all)].map((piece) => ({
    session: folder,
    message: id,
    ...messageFields(body),
    ...piece,
  }))
}
