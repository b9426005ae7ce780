import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore, type Store } from "../../../src/index.ts"
import { tempFolder } from "../../support/temp.ts"
import { databaseOf, laterDatabase, messageRow, partRow, SCHEMA_1_2, sessionRow } from "./support.ts"

function open(path: string, indexPath: string, maxRecordBytes?: number): Promise<Store> {
  const directory = join(indexPath, "store")
  const roots = [opencodeDatabase(path)]
  return openStore({ directory, indexPath, backgroundIndex: false, roots, maxRecordBytes })
}

function run(path: string, ...statements: string[]): void {
  const db = new Database(path)
  for (const statement of statements) db.run(statement)
  db.close()
}

/** Two sessions of two messages; one part of the second cannot be read. */
const TWO = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${sessionRow({ id: "ses_2" })}
  ${messageRow("msg_1", "ses_1", 1)} ${messageRow("msg_2", "ses_1", 2)} ${messageRow("msg_3", "ses_2", 3)}
  ${partRow("prt_1", "msg_1", "ses_1")} ${partRow("prt_2", "msg_2", "ses_1", { type: "text", text: "a".repeat(5_000) })}
  ${partRow("prt_3", "msg_3", "ses_2", "no JSON")}`

async function indexOf(store: Store) {
  const { sessions, messages, parts, read, unreadable } = await store.index()
  return { sessions, messages, parts, read, unreadable: unreadable.map(({ path }) => path.split("#")[1]) }
}

async function problemsOf(store: Store): Promise<(string | undefined)[]> {
  return (await Array.fromAsync(store.problems())).map(({ path }) => path.split("#")[1])
}

const COUNTS = { sessions: 2, messages: 3, parts: 3 }
const THIRD = "part/msg_3/prt_3"

test("only sessions that changed, or that hold what cannot be read, are read again, and every problem is told of", async () => {
  const path = databaseOf(TWO)
  const indexPath = tempFolder()
  {
    await using store = await open(path, indexPath)
    expect(await indexOf(store)).toEqual({ ...COUNTS, read: 8, unreadable: [THIRD] })
    expect(await indexOf(store)).toEqual({ ...COUNTS, read: 4, unreadable: [THIRD] })
    expect(await problemsOf(store)).toEqual([THIRD])
    // What no stamp tells of is not read.
    run(path, "UPDATE part SET data = '{' WHERE id = 'prt_1'")
    expect(await problemsOf(store)).toEqual([THIRD])
    run(path, "UPDATE part SET time_updated = 2 WHERE id = 'prt_1'")
    expect((await problemsOf(store)).sort()).toEqual(["part/msg_1/prt_1", THIRD])
    expect(await indexOf(store)).toMatchObject({ ...COUNTS, read: 8 })
    run(path, "UPDATE part SET data = '{}', time_updated = 3")
    expect(await indexOf(store)).toEqual({ ...COUNTS, read: 8, unreadable: [] })
    expect(await indexOf(store)).toEqual({ ...COUNTS, read: 2, unreadable: [] })
    run(path, "DELETE FROM part WHERE message_id = 'msg_3'", "DELETE FROM message WHERE id = 'msg_3'")
    expect(await indexOf(store)).toMatchObject({ messages: 2, parts: 2, unreadable: [] })
  }
  await using again = await open(path, indexPath)
  expect(await indexOf(again)).toMatchObject({ sessions: 2, read: 2 })
})

test("what was within one bound of records need not be within a smaller one", async () => {
  const path = databaseOf(TWO)
  const indexPath = tempFolder()
  for (const [bound, unreadable, read] of [
    [undefined, [THIRD], 8],
    [1_000, ["part/msg_2/prt_2", THIRD], 8],
    [100_000_000, [THIRD], 4],
  ] as const) {
    await using store = await open(path, indexPath, bound)
    expect(await indexOf(store)).toEqual({ ...COUNTS, unreadable: [...unreadable], read })
  }
})

test("a session that is remembered as read, and cannot be, is told of by verify and read again after a repair", async () => {
  const path = databaseOf(TWO)
  await using store = await open(path, tempFolder())
  await store.index()
  run(path, "UPDATE part SET data = '{' WHERE id = 'prt_1'")
  const wrong = { path: `${path}#message/ses_1`, kind: "wrong" as const }
  const { ok, differences } = await store.verify()
  expect({ ok, differences }).toEqual({ ok: false, differences: expect.arrayContaining([wrong]) })
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  expect((await indexOf(store)).unreadable.sort()).toEqual(["part/msg_1/prt_1", THIRD])
})

test("a database of opencode 2 has the same counts whether it is read or remembered", async () => {
  await using store = await open(laterDatabase(), tempFolder())
  const { read, ...first } = await indexOf(store)
  expect(read).toBe(first.sessions + first.messages + first.parts)
  expect(await indexOf(store)).toEqual({ ...first, read: expect.any(Number) })
  expect((await store.index()).read).toBeLessThan(read)
})

test("the index of a database can be used by all who may write the store", async () => {
  const directory = join(tempFolder(), "store")
  mkdirSync(join(directory, "session"), { recursive: true })
  chmodSync(directory, 0o770)
  await using store = await openStore({
    directory,
    backgroundIndex: false,
    roots: [opencodeDatabase(databaseOf(TWO))],
  })
  await store.index()
  const folder = join(directory, ".sessiondex", "also-read")
  const [name = ""] = readdirSync(folder)
  const modeOf = (path: string): number => statSync(path).mode & 0o777
  expect(modeOf(join(folder, name))).toBe(0o770)
  expect(modeOf(join(folder, name, "index.sqlite"))).toBe(0o660)
})
