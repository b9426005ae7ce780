import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { drizzle } from "drizzle-orm/bun-sqlite"
import { migrate } from "drizzle-orm/bun-sqlite/migrator"
import { migrations } from "../../src/database/migrations.ts"
import { TextStatements } from "../../src/database/text-statements.ts"

const MESSAGES = 1_500

test("however many documents are of one second, none shares an id, and each takes a few looks for one", () => {
  const client = new Database(":memory:")
  let looks = 0
  const logQuery = (query: string): void => {
    if (/^select "id" from "documents"/.test(query)) looks++
  }
  const db = drizzle({ client, logger: { logQuery } })
  migrate(db, migrations)
  const texts = new TextStatements(db)
  client.run("insert into directories (id, kind, name) values (1, 'message', 'ses_1')")
  for (let row = 1; row <= MESSAGES; row++) {
    const id = `msg_${row}`
    client.run("insert into messages values (?, 1, ?, null, 0, null, null, 0, null, 1)", [row, id])
    // Some are of a second that the others have run into, some change.
    const time = row % 7 === 0 ? 20_000 : 0
    for (let times = row % 3; times >= 0; times--) {
      texts.await([id], 1)
      texts.put([{ message: { row, id, time, session: "ses_1", role: null, pending: 1 }, tokens: "one" }])
    }
  }
  const documents = client.query<{ id: number }, []>("select id from documents").all()
  expect(new Set(documents.map(({ id }) => id)).size).toBe(MESSAGES)
  expect(looks).toBeGreaterThan(0)
  expect(looks / (2 * MESSAGES)).toBeLessThan(4)
  client.close()
})

test("texts of an earlier version, put late, never take the place of those of a later one", () => {
  const client = new Database(":memory:")
  const db = drizzle({ client })
  migrate(db, migrations)
  const texts = new TextStatements(db)
  client.run("insert into directories (id, kind, name) values (1, 'message', 'ses_1')")
  client.run("insert into messages values (1, 1, 'msg_1', null, 0, null, null, 0, null, 1)")
  const found = (term: string): number => texts.candidates(`"${term}"`, {}, undefined, 10).length
  const [earlier] = texts.pending(undefined, 1)
  texts.await(["msg_1"], 2)
  const [later] = texts.pending(undefined, 1)
  if (!earlier || !later) throw new Error("The message is not pending")
  texts.put([{ message: earlier, tokens: "old" }])
  // Neither is it found by what it had, nor taken for one that is done.
  expect(found("old")).toBe(0)
  expect(texts.pending(undefined, 1)).toEqual([later])
  texts.put([{ message: later, tokens: "new" }])
  expect(found("new")).toBe(1)
  for (const tokens of ["old", undefined]) {
    texts.put([{ message: earlier, tokens }])
    expect(found("new")).toBe(1)
    expect(found("old")).toBe(0)
  }
  client.close()
})

test("documents put at once, the newest first, are one segment, and merging all leaves one", () => {
  const client = new Database(":memory:")
  const db = drizzle({ client })
  migrate(db, migrations)
  const texts = new TextStatements(db)
  const segments = (): number =>
    Number(client.query("select count(distinct segid) from texts_idx").values()[0])
  client.run("insert into directories (id, kind, name) values (1, 'message', 'ses_1')")
  for (let round = 0; round < 3; round++) {
    const rows = Array.from({ length: 40 }, (_, at) => {
      const row = 1 + round * 40 + at
      client.run("insert into messages values (?, 1, ?, null, 0, null, null, 0, null, 1)", [
        row,
        `msg_${row}`,
      ])
      const time = 1_000_000 - row * 1_000
      return {
        message: { row, id: `msg_${row}`, time, session: "ses_1", role: null, pending: 1 },
        tokens: `one two${row}`,
      }
    })
    client.transaction(() => texts.put(rows))()
    expect(segments()).toBe(round + 1)
  }
  for (let more = texts.beginMergingAll(8); more; more = texts.mergeInserted(8));
  expect(segments()).toBe(1)
  expect(client.query("select rowid from texts where texts match '\"one\"'").all()).toHaveLength(120)
  client.close()
})
