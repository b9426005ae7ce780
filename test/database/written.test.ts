import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { session } from "../support/records.ts"
import { tempFolder } from "../support/temp.ts"

/** Frames that the last writes left in the WAL, each a page. */
function framesAfter(directory: string, work: () => Promise<unknown>): Promise<number> {
  const wal = join(directory, ".sessiondex/index.sqlite-wal")
  const writes = (): number => Math.floor(fs.statSync(wal).size / 4_120)
  const before = writes()
  return work().then(() => writes() - before)
}

test("a write that changes only when a session was updated leaves the indexes over other columns alone", async () => {
  const directory = tempFolder()
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  const write = (created: number, updated: number): Promise<void> =>
    store.sessions.write(session("ses_1", { projectID: "p", time: { created, updated } }))
  await write(1, 2)
  const alike = await framesAfter(directory, () => write(1, 3))
  const other = await framesAfter(directory, () => write(2, 4))
  expect(alike).toBeGreaterThan(0)
  expect(other).toBeGreaterThan(alike)
  const database = new Database(join(directory, ".sessiondex/index.sqlite"), { readonly: true })
  expect(database.query("select created, updated from sessions").all()).toEqual([{ created: 2, updated: 4 }])
  database.close()
})

test("a session that can be read again is listed by what it says now", async () => {
  const directory = tempFolder()
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  await store.sessions.write(
    session("ses_1", { projectID: "p", parentID: "ses_0", time: { created: 1, updated: 1 } }),
  )
  fs.writeFileSync(join(directory, "session/p/ses_1.json"), "[]")
  expect(await Array.fromAsync(store.sessions.ids())).toEqual([])
  await store.sessions.write(session("ses_1", { projectID: "p", time: { created: 5, updated: 6 } }))
  expect(await Array.fromAsync(store.sessions.ids())).toEqual(["ses_1"])
  expect(await Array.fromAsync(store.sessions.ids({ parentID: "ses_0" }))).toEqual([])
  expect(await store.verify()).toMatchObject({ ok: true })
})
