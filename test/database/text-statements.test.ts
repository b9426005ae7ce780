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
    for (let times = row % 3; times >= 0; times--)
      texts.put([{ message: { row, id, time, session: "ses_1", role: null, pending: 1 }, tokens: "one" }])
  }
  const documents = client.query<{ id: number }, []>("select id from documents").all()
  expect(new Set(documents.map(({ id }) => id)).size).toBe(MESSAGES)
  expect(looks).toBeGreaterThan(0)
  expect(looks / (2 * MESSAGES)).toBeLessThan(4)
  client.close()
})
