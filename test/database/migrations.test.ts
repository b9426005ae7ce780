import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { drizzle } from "drizzle-orm/bun-sqlite"
import { migrate } from "drizzle-orm/bun-sqlite/migrator"
import { migrations } from "../../src/database/migrations.ts"
import { packStamp } from "../../src/file/stamp.ts"
import { type FileStat, fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { all, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

const TITLES_IN_STEP = "20261126113433_titles_in_step"
const LARGE_RECORDS_ANEW = "20261126121952_large_records_anew"

/** The index of a store as it was made before a migration was. */
function madeBefore(directory: string, name: string): Database {
  const path = join(directory, INDEX)
  mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path, { create: true })
  const end = migrations.findIndex((migration) => migration.name === name)
  expect(end).toBeGreaterThan(0)
  migrate(drizzle({ client: database }), migrations.slice(0, end))
  return database
}

test("an index that lost a renamed title finds it again once it is opened, without being asked to", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1", { title: "Fix: parser" }))
  put(directory, "session/p/ses_2.json", session("ses_2", { title: "Another parser" }))
  const index = madeBefore(directory, TITLES_IN_STEP)
  index.run("insert into directories (id, kind, name) values (1, 'session', 'p')")
  const insert = index.query(
    `insert into sessions (row, directory, id, size, project, created, updated, folded, archived)
     values (?1, 1, 'ses_' || ?1, 0, 'p', 1000, 1000, ?2, 0)`,
  )
  insert.run(1, "fix parser")
  insert.run(2, "another parser")
  index.run("update sessions set folded = 'fix: parser' where row = 1")
  const match = "select rowid from titles where titles match 'par'"
  // What the migration is for: the triggers of the time lose it.
  expect(index.query(match).values()).toEqual([[2]])
  index.close()

  await using store = await openStore({ directory, backgroundIndex: false })
  expect((await all(store.sessions.ids({ search: "parser" }))).sort()).toEqual(["ses_1", "ses_2"])
  expect(await store.sessions.count({ search: "fix: parser" })).toBe(1)
  expect(await store.sessions.count({ search: '"fix parser"' })).toBe(0)
  expect(store.health()).toMatchObject({ index: { damaged: [] }, answers: { files: 0 } })
})

test("an index that took a large broken record for a readable one reads it anew once it is opened", async () => {
  const directory = tempFolder()
  const long = "x".repeat(1_100_000)
  const path = put(directory, "session/p/ses_1.json", `{"title":"${long}\n"}`)
  put(directory, "session/p/ses_2.json", session("ses_2"))
  const index = madeBefore(directory, LARGE_RECORDS_ANEW)
  const stampOf = (of: string): Uint8Array => packStamp(fileSystem.lstat(of) as FileStat, true)
  index.run(
    "insert into directories (id, kind, name, stamp, size, entries) values (1, 'session', 'p', ?, ?, 2)",
    [stampOf(dirname(path)), statSync(dirname(path)).size],
  )
  for (const id of ["ses_1", "ses_2"]) {
    const file = join(dirname(path), `${id}.json`)
    index.run(
      `insert into sessions (directory, id, stamp, size, project, created, updated, archived)
       values (1, ?, ?, ?, 'p', 1000, 1000, 0)`,
      [id, stampOf(file), statSync(file).size],
    )
  }
  index.close()
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await all(store.sessions.ids())).toEqual(["ses_2"])
  expect((await all(store.problems())).map((problem) => problem.path)).toEqual([path])
  expect(store.health().answers.files).toBe(0)
})
