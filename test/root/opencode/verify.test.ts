import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore, type Store } from "../../../src/index.ts"
import type { DifferenceKind } from "../../../src/root/verify-result.ts"
import { Random } from "../../support/random.ts"
import { tempFolder } from "../../support/temp.ts"
import {
  databaseOf,
  fixtureDatabase,
  laterDatabase,
  messageRow,
  partRow,
  SCHEMA_1_2,
  sessionRow,
} from "./support.ts"

function open(path: string, indexPath: string): Promise<Store> {
  const directory = join(indexPath, "store")
  return openStore({ directory, indexPath, backgroundIndex: false, roots: [opencodeDatabase(path)] })
}

function run(path: string, ...statements: string[]): void {
  const db = new Database(path)
  for (const statement of statements) db.run(statement)
  db.close()
}

function text(value: string): string {
  return JSON.stringify({ type: "text", text: value })
}

async function found(store: Store, query: string): Promise<string[]> {
  const hits = await Array.fromAsync(store.search(query, { in: "text" }))
  return hits.map(({ messageID = "" }) => messageID).sort()
}

/** Three messages in two sessions, one of them without a row of its own. */
const THREE = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}
  ${messageRow("msg_1", "ses_1", 1)} ${partRow("prt_1", "msg_1", "ses_1", text("a zebra"))}
  ${messageRow("msg_2", "ses_1", 2)} ${partRow("prt_2", "msg_2", "ses_1", text("a quagga"))}
  ${messageRow("msg_3", "ses_gone", 3)} ${partRow("prt_3", "msg_3", "ses_gone", text("an okapi"))}`

/** A store that has indexed a database, and where its index lies. */
async function indexed(path: string) {
  const indexPath = tempFolder()
  const store = await open(path, indexPath)
  await store.index()
  const index = store.health().alsoReading[0]?.index.path ?? ""
  return { store, index, [Symbol.asyncDispose]: () => store.close() }
}

test.each([
  ["one of 1.2", () => databaseOf(THREE)],
  ["that of 1.18.34", fixtureDatabase],
  ["one of opencode 2", laterDatabase],
])("an index that was just made agrees with the database: %s", async (_, make) => {
  await using opened = await indexed(make())
  const { ok, differences, checked } = await opened.store.verify()
  expect({ ok, differences }).toEqual({ ok: true, differences: [] })
  expect(checked.messages).toBeGreaterThan(2)
})

test("an index that was never filled differs in nothing", async () => {
  await using store = await open(databaseOf(THREE), tempFolder())
  expect(await store.verify()).toEqual({
    ok: true,
    checked: { sessions: 1, messages: 3, parts: 3 },
    differences: [],
    duplicates: [],
  })
})

const ROW = (id: string): string => `(select row from messages where id = '${id}')`

test.each<[string, "index" | "database", string, DifferenceKind, string]>([
  ["a time", "index", "update messages set created = 5000 where id = 'msg_1'", "wrong", "ses_1/msg_1"],
  ["a row that is missing", "index", "delete from messages where id = 'msg_2'", "unindexed", "ses_1/msg_2"],
  [
    "a row too many",
    "index",
    `insert into messages select null, directory, 'msg_0', stamp, 0, null, null, 1, null, 0
    from messages where id = 'msg_1'`,
    "gone",
    "ses_1/msg_0",
  ],
  ["a count", "index", "update directories set entries = 9 where name = 'ses_1'", "wrong", "ses_1"],
  [
    "a session too many",
    "index",
    "update directories set name = 'ses_2' where name = 'ses_gone'",
    "gone",
    "ses_2",
  ],
  [
    "a stamp that lies",
    "index",
    "update messages set stamp = x'00' where id = 'msg_1'",
    "wrong",
    "ses_1/msg_1",
  ],
  [
    "a text that is not found",
    "index",
    `delete from documents where message = ${ROW("msg_1")}`,
    "wrong",
    "ses_1/msg_1",
  ],
  [
    "a text of an orphan",
    "index",
    `delete from documents where message = ${ROW("msg_3")}`,
    "wrong",
    "ses_gone/msg_3",
  ],
  [
    "a document of none",
    "index",
    "insert into texts (rowid, tokens) values (77, 'éé')",
    "integrity",
    ".sqlite",
  ],
  [
    "what no stamp tells of",
    "database",
    `update part set data = '${text("a tapir")}' where id = 'prt_1'`,
    "wrong",
    "ses_1/msg_1",
  ],
  [
    "a part that changed",
    "database",
    "update part set time_updated = 2 where id = 'prt_1'",
    "outdated",
    "ses_1/msg_1",
  ],
  ["a new message", "database", messageRow("msg_4", "ses_1", 4), "unindexed", "ses_1/msg_4"],
  ["a message that went", "database", "delete from message where id = 'msg_1'", "gone", "ses_1/msg_1"],
])("%s is told of, nothing is changed, and repair mends it", async (_, where, statement, kind, place) => {
  const path = databaseOf(THREE)
  await using opened = await indexed(path)
  const { store, index } = opened
  run(where === "index" ? index : path, statement)
  for (const _ of [1, 2]) {
    const { ok, differences } = await store.verify()
    expect(ok).toBe(false)
    expect(differences).toContainEqual({ path: expect.stringMatching(new RegExp(`${place}$`)), kind })
  }
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  const says = new Database(path, { readonly: true })
    .query("select message_id id, part.data from part join message on message.id = message_id")
    .all() as { id: string; data: string }[]
  for (const word of ["zebra", "quagga", "okapi", "tapir"])
    expect(await found(store, word)).toEqual(
      says.filter(({ data }) => data.includes(word)).map(({ id }) => id),
    )
})

test("a damaged index is told of and begun anew", async () => {
  const path = fixtureDatabase()
  const indexPath = tempFolder()
  {
    await using store = await open(path, indexPath)
    await store.index()
  }
  const [name = ""] = fs
    .readdirSync(indexPath, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("index.sqlite"))
  const index = join(indexPath, name)
  const bytes = fs.readFileSync(index)
  bytes.fill(0xa5, bytes.length >> 1, (bytes.length >> 1) + 4096)
  fs.writeFileSync(index, bytes)
  await using store = await open(path, indexPath)
  const { ok, differences } = await store.verify({ repair: true })
  expect(differences).toContainEqual({ path: index, kind: "integrity" })
  expect(ok).toBe(true)
  expect(await found(store, "zebra crossing")).not.toEqual([])
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})

test("whatever is changed in a database, searches find what a scan does, and the index stays right", async () => {
  const path = databaseOf(
    `${SCHEMA_1_2} CREATE TABLE event_sequence (aggregate_id text PRIMARY KEY, seq integer NOT NULL, owner_id text);`,
  )
  await using opened = await indexed(path)
  const { store } = opened
  const db = new Database(path)
  db.run("PRAGMA synchronous = OFF")
  const random = new Random(11)
  const words = ["zebra", "quagga", "okapi", "tapir", "ab"]
  const sessions = ["ses_1", "ses_2", "ses_3"]
  const any = (table: string): string | undefined => {
    const rows = db.query(`select id from ${table} order by id`).all() as { id: string }[]
    return rows.length > 0 ? random.pick(rows).id : undefined
  }
  let made = 0
  const changes: Record<string, (session: string, time: number) => void> = {
    session: (session, time) => {
      db.run(`delete from session where id = '${session}'`)
      if (random.chance(0.6)) db.run(sessionRow({ id: session, updated: time }))
    },
    message: (session, time) => {
      const id = `msg_${made++}`
      db.run(messageRow(id, session, random.below(4) * 1000))
      for (let p = random.below(3); p >= 0; p--)
        db.run(partRow(`prt_${made++}`, id, session, text(random.pick(words))))
      db.run(`update part set time_updated = ${time} where message_id = '${id}'`)
    },
    part: (_, time) =>
      db.run(
        `update part set data = '${text(random.pick(words))}', time_updated = ${time} where id = '${any("part")}'`,
      ),
    noPart: () => db.run(`delete from part where id = '${any("part")}'`),
    noMessage: () => {
      const id = any("message")
      db.run(`delete from part where message_id = '${id}'`)
      db.run(`delete from message where id = '${id}'`)
    },
  }
  for (let step = 1; step <= 80; step++) {
    const session = random.pick(sessions)
    random.pick(Object.values(changes))(session, 1000 + step)
    // Releases that keep a number of changes count them all; earlier ones leave it as it was.
    if (step > 40)
      for (const id of sessions)
        db.run(
          `insert into event_sequence values ('${id}', ${step}, null) on conflict do update set seq = ${step}`,
        )
    if (step % 4 > 0) continue
    for (const word of words) {
      const scan = db
        .query("select distinct message_id id from part where data like ? order by id")
        .all(`%${word}%`)
      expect({ step, word, found: await found(store, word) }).toEqual({
        step,
        word,
        found: scan.map((row) => (row as { id: string }).id),
      })
    }
    expect({ step, ...(await store.verify()) }).toMatchObject({ step, ok: true, differences: [] })
  }
  db.close()
}, 60_000)
