import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type Store } from "../../src/index.ts"
import { all, message, session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder, tempFoldersOnDisk, untilProven } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

tempFoldersOnDisk()

const open = (directory: string): Promise<Store> => openStore({ directory, backgroundIndex: false })

/** An indexed copy of a real store, with every stamp proven. */
async function indexed(): Promise<string> {
  const directory = copyOfTree("opencode-1.1.65/storage")
  await untilProven()
  await using store = await open(directory)
  await store.index()
  return directory
}

/** Changes the index behind the store's back, as bit flips that SQLite does not notice would. */
function tamper(directory: string, ...statements: string[]): void {
  const database = new Database(join(directory, INDEX))
  for (const statement of statements) database.run(statement)
  database.close()
}

test("an index that was just made agrees with the files, and verify changes nothing", async () => {
  const directory = await indexed()
  const before = snapshot(join(directory, "session"))
  await using store = await open(directory)
  const result = await store.verify()
  expect(result).toEqual({
    ok: true,
    checked: { sessions: 9, messages: 40, parts: 107 },
    differences: [],
    duplicates: [],
  })
  expect(snapshot(join(directory, "session"))).toEqual(before)
})

test("half a surrogate pair, which SQLite cannot hold, is no difference", async () => {
  const directory = await indexed()
  put(
    directory,
    "session/proj/ses_half.json",
    '{"title":"\\ud83d","directory":"\\udc4d","parentID":"\\ud83d"}',
  )
  put(directory, "message/ses_half/msg_half.json", '{"role":"\\ud83d"}')
  put(directory, "part/msg_half/prt_half.json", '{"type":"\\ud83d","tool":"\\udc4d"}')
  await using store = await open(directory)
  await store.index()
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})

test("every way to differ is named by path and kind, nothing is changed, and repair mends them", async () => {
  const directory = await indexed()
  const id = "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"
  const [first = "", second = "", third = ""] = fs.readdirSync(join(directory, "message", id)).sort()
  tamper(
    directory,
    `update messages set created = created + 1 where id = '${first.slice(0, -5)}'`,
    `delete from messages where id = '${second.slice(0, -5)}'`,
    "update sessions set title = 'lies' where id = 'ses_dfbe672b8ffekwC2A8x8syADYe'",
    "insert into parts (directory, id, size, type) select directory, 'prt_ghost', 1, 'text' from parts limit 1",
    "update directories set entries = 99 where kind = 'message' and name = 'ses_dfbe672b8ffekwC2A8x8syADYe'",
  )
  put(directory, `message/${id}/${third}`, message("msg_3", id, 1))
  const unindexed = put(directory, "session/new/ses_new.json", session("ses_new"))
  const expected = [
    ["wrong", `message/${id}/${first}`],
    ["unindexed", `message/${id}/${second}`],
    ["outdated", `message/${id}/${third}`],
    ["wrong", "session/279c78b5a4b6b5fab4e194de64bb475f8bfb25d2/ses_dfbe672b8ffekwC2A8x8syADYe.json"],
    ["gone", expect.stringContaining("prt_ghost.json")],
    ["wrong", "message/ses_dfbe672b8ffekwC2A8x8syADYe"],
    ["unindexed", unindexed.slice(directory.length + 1)],
  ]
  await using store = await open(directory)
  for (const _ of [1, 2]) {
    const { ok, differences } = await store.verify()
    expect(ok).toBe(false)
    const found = differences.map(({ path, kind }) => [kind, path.slice(directory.length + 1)])
    expect(found.sort()).toEqual(expect.arrayContaining(expected))
    expect(found).toHaveLength(expected.length)
  }
  expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})

test("a damaged file is named, and repair begins a new one that agrees", async () => {
  const directory = await indexed()
  const path = join(directory, INDEX)
  const bytes = fs.readFileSync(path)
  // A page in the middle: what is read at opening stays sound.
  bytes.fill(0xa5, bytes.length >> 1, (bytes.length >> 1) + 4096)
  fs.writeFileSync(path, bytes)
  await using store = await open(directory)
  const { ok, differences } = await store.verify({ repair: true })
  expect(differences[0]).toEqual({ path, kind: "integrity" })
  expect(ok).toBe(true)
  expect(store.health().index.damaged).toContain(path)
  expect(await store.verify()).toMatchObject({ ok: true, checked: { sessions: 9, messages: 40, parts: 107 } })
})

test("a session in two projects is named and is no difference", async () => {
  const directory = await indexed()
  const copy = put(
    directory,
    "session/copy/ses_dfbe672b8ffekwC2A8x8syADYe.json",
    session("ses_dfbe672b8ffekwC2A8x8syADYe"),
  )
  await using store = await open(directory)
  await store.index()
  const { ok, duplicates } = await store.verify()
  expect(ok).toBe(true)
  expect(duplicates).toEqual([
    { id: "ses_dfbe672b8ffekwC2A8x8syADYe", paths: expect.arrayContaining([copy]) },
  ])
})

test("rebuild reads every file again while listings go on, and mends what stamps vouched for", async () => {
  const directory = await indexed()
  tamper(directory, "update sessions set updated = 1, created = 1")
  await using store = await open(directory)
  const listings: number[] = []
  const rebuilt = store.rebuild()
  for (let i = 0; i < 5; i++) listings.push((await all(store.sessions.ids())).length)
  expect(await rebuilt).toMatchObject({ sessions: 9, messages: 40, parts: 107 })
  expect(listings).toEqual([9, 9, 9, 9, 9])
  expect(await store.verify()).toMatchObject({ ok: true })
  expect(await store.index()).toMatchObject({ read: 0 })
})

test.if(process.platform === "linux")(
  "a file whose name is not UTF-8 is counted alike by the index and by the files, and is no fault of a count",
  async () => {
    const directory = tempFolder()
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
    const name = Buffer.concat([Buffer.from(join(directory, "message/ses_1/bad")), Buffer.from([0xff])])
    fs.writeFileSync(Buffer.concat([name, Buffer.from(".json")]), "{}")
    await untilProven()
    await using store = await open(directory)
    const counts = [await store.messages.count("ses_1"), (await store.index()).messages]
    counts.push(await store.messages.count("ses_1"))
    expect(counts).toEqual([2, 2, 2])
    // No row can be one of it, so it is told of as a problem and not as a difference.
    expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  },
)

test("declared fields are compared too, whoever declared them, and mended", async () => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2", "ses_3", "ses_4"])
    put(directory, `session/p/${id}.json`, session(id, { projectID: "p", mood: "calm" }))
  await untilProven()
  const fields = { session: { mood: "text" } } as const
  const openDeclared = () => openStore({ directory, backgroundIndex: false, fields })
  await using store = await openDeclared()
  await store.index()
  expect(await store.verify()).toMatchObject({ ok: true })
  const row = (id: string): string => `row = (select row from sessions where id = '${id}')`
  const path = (id: string): string => join(directory, `session/p/${id}.json`)
  const damage = [
    `update session_fields set value = 'cross' where ${row("ses_1")}`,
    `delete from session_fields where ${row("ses_2")}`,
    `insert into session_fields select row, 'other', 1, id, project from session_fields where ${row("ses_3")}`,
    `update session_fields set project = 'q' where ${row("ses_4")}`,
  ]
  tamper(directory, ...damage)
  const wrong = ["ses_1", "ses_2", "ses_3", "ses_4"].map((id) => ({ path: path(id), kind: "wrong" }))
  await using plain = await open(directory)
  expect((await plain.verify()).differences).toEqual(wrong as never)
  expect((await store.verify({ repair: true })).differences).toEqual(wrong as never)
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  expect(await store.sessions.count({ where: { mood: "calm" } })).toBe(4)
  // What another declaration has to read anew is no lie of the index.
  await using other = await openStore({
    directory,
    backgroundIndex: false,
    fields: { session: { mood: "number" } },
  })
  expect((await other.verify()).differences.map(({ kind }) => kind)).toEqual(Array(4).fill("outdated"))
  expect(await other.sessions.count({ where: { mood: null } })).toBe(4)
  expect(await other.verify()).toMatchObject({ ok: true })
})
