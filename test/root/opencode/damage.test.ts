import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { isStoreError, opencodeDatabase, openStore, type Problem, type Store } from "../../../src/index.ts"
import { Random } from "../../support/random.ts"
import { message, part, session } from "../../support/records.ts"
import { put, tempFolder } from "../../support/temp.ts"
import {
  databaseOf,
  fixtureDatabase,
  messageRow,
  partRow,
  readerOf,
  SCHEMA_1_2,
  sessionRow,
  startAgent,
} from "./support.ts"

const GOOD = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1", updated: 9 })} ${messageRow("msg_1", "ses_1", 1)}
  ${partRow("prt_1", "msg_1", "ses_1", { type: "text", text: "zebra" })}`
const WHOLE = fs.readFileSync(fixtureDatabase())

const TOKENS = { input: 1, output: 1, reasoning: 0, cache: { read: 0, write: 0 } }
const SAID = { role: "assistant", modelID: "m", providerID: "p", cost: 1, tokens: TOKENS } as const

/** A store of one session beside a database, and all that its owner may ask: none of it may fail for the database's sake. */
async function storeBeside(path: string, maxRecordBytes?: number) {
  const directory = join(tempFolder(), "store")
  put(directory, "session/proj/ses_own.json", session("ses_own", { title: "mine" }))
  put(directory, "message/ses_own/msg_own.json", message("msg_own", "ses_own", 1, SAID))
  put(directory, "part/msg_own/prt_own.json", part("prt_own", "msg_own", "okapi"))
  const problems: Problem[] = []
  const store = await openStore({
    directory,
    backgroundIndex: false,
    maxRecordBytes,
    roots: [opencodeDatabase(path)],
    onProblem: (problem) => problems.push(problem),
  })
  return { store, problems, [Symbol.asyncDispose]: () => store.close() }
}

async function expectOwn(store: Store): Promise<string[]> {
  const ids = (await Array.fromAsync(store.sessions.list())).map(({ id }) => id)
  expect(ids.filter((id) => id === "ses_own")).toEqual(["ses_own"])
  expect((await store.sessions.page({ limit: 50 })).items.map(({ id }) => id)).toEqual(ids)
  expect(await store.sessions.count()).toBeGreaterThan(0)
  expect(await store.sessions.get("ses_own")).toMatchObject({ title: "mine" })
  expect(await Array.fromAsync(store.messages.stream("ses_own"))).toMatchObject([
    { info: { id: "msg_own" }, parts: [{ text: "okapi" }] },
  ])
  expect((await Array.fromAsync(store.search("okapi"))).map(({ partID }) => partID)).toEqual(["prt_own"])
  expect((await store.usage()).length).toBeGreaterThan(0)
  expect((await store.stats()).kinds.session?.files).toBeGreaterThan(0)
  expect(await Array.fromAsync(store.sessions.children("ses_own"))).toEqual([])
  await Array.fromAsync(store.orphans())
  await Array.fromAsync(store.projects.list())
  expect((await store.index()).sessions).toBeGreaterThan(0)
  expect((await store.verify()).ok).toBe(true)
  return ids
}

/** What is told of a database by a store that reads all of it; its sessions are gone through or refused, and each other answer is given. */
async function toldOf(path: string, maxRecordBytes?: number): Promise<{ codes: string[]; sessions: number }> {
  await using opened = await storeBeside(path, maxRecordBytes)
  const { store, problems } = opened
  const ids = await expectOwn(store)
  for (const id of ids)
    try {
      await Array.fromAsync(store.messages.stream(id))
    } catch (error) {
      if (!isStoreError(error)) throw error
      expect(error.path).toStartWith(path)
    }
  expect(await expectOwn(store)).toEqual(ids)
  const told = [...problems, ...(await Array.fromAsync(store.problems()))]
  for (const problem of told) expect(problem.path).toStartWith(path)
  return { codes: [...new Set(told.map(({ code }) => code))].sort(), sessions: ids.length - 1 }
}

function fileOf(bytes: Uint8Array): string {
  const path = join(tempFolder(), "opencode.db")
  fs.writeFileSync(path, bytes)
  return path
}

function noise(bytes: number, seed: number): Buffer {
  const random = new Random(seed)
  return Buffer.from(Array.from({ length: bytes }, () => random.below(256)))
}

test("a database that is cut off anywhere, or damaged anywhere, takes nothing of other roots with it, and is told", async () => {
  const random = new Random(7)
  let told = 0
  let partly = 0
  for (let n = 0; n < 8; n++) {
    const at = random.below(WHOLE.length)
    const damaged = Buffer.from(WHOLE)
    noise(Math.min(9_000, WHOLE.length - at), n).copy(damaged, at)
    for (const bytes of [WHOLE.subarray(0, at), damaged]) {
      const { codes, sessions } = await toldOf(fileOf(bytes))
      expect(["CORRUPT", ""]).toContain(codes.join())
      if (codes.length > 0) told++
      if (codes.length > 0 && sessions > 0) partly++
    }
  }
  expect(told).toBeGreaterThan(8)
  expect(partly).toBeGreaterThan(0)
}, 60_000)

test("what is encrypted, foreign, empty or of another time is one problem by its path", async () => {
  const plausible = noise(65_536, 1)
  WHOLE.copy(plausible, 0, 0, 100)
  for (const path of [
    fileOf(plausible),
    // As SQLCipher leaves it: no header, whole pages of noise.
    fileOf(noise(65_536, 2)),
    fileOf(new Uint8Array()),
    fileOf(new Uint8Array(65_536)),
    databaseOf("CREATE TABLE moz_places (id integer PRIMARY KEY, url text)"),
    databaseOf("CREATE TABLE session_v3 (id text PRIMARY KEY); CREATE TABLE session_item (id text)"),
    databaseOf("CREATE TABLE session (key text)"),
    databaseOf(SCHEMA_1_2.replace(/CREATE TABLE session[^;]*;/, "")),
  ])
    expect(await toldOf(path)).toEqual({ codes: ["CORRUPT"], sessions: 0 })
}, 60_000)

test("of a database that lacks tables or columns, or has more, what is there is listed", async () => {
  const more = `${GOOD} CREATE TABLE session_of_tomorrow (id text); ALTER TABLE session ADD COLUMN mood text DEFAULT 'fine';
    ALTER TABLE part ADD COLUMN kind text; CREATE VIEW todo AS SELECT id FROM session`
  expect(await toldOf(databaseOf(more))).toEqual({ codes: ["CORRUPT"], sessions: 1 })
  for (const [change, codes] of [
    ["DROP TABLE message", []],
    ["DROP TABLE part", []],
    ["ALTER TABLE message RENAME COLUMN data TO body", ["CORRUPT"]],
    ["DROP INDEX part_message_id_id_idx; ALTER TABLE part RENAME COLUMN message_id TO owner", ["CORRUPT"]],
    ["ALTER TABLE session DROP COLUMN time_updated", []],
  ] as const)
    expect(await toldOf(databaseOf(`${GOOD}; ${change}`))).toEqual({ codes: [...codes], sessions: 1 })
}, 60_000)

test("rows of any kind of value cost what is wrong in them", async () => {
  const loose = GOOD.replaceAll(/(text|integer) NOT NULL/g, "").replaceAll("text PRIMARY KEY", "PRIMARY KEY")
  const values = [
    "NULL",
    "x'00ff'",
    "'{'",
    "cast(x'7b0022' as text)",
    "1e308",
    "-1",
    "''",
    "'\"a\"'",
    "'null'",
  ]
  const rows = values.flatMap((value, at) => [
    `INSERT INTO part VALUES ('prt_x${at}', 'msg_1', 'ses_1', ${value}, ${value}, ${value});`,
    `INSERT INTO part VALUES (${value}, ${value}, ${value}, 1, 1, '{"type":"text","text":"zebra"}');`,
    `INSERT INTO message VALUES ('msg_x${at}', 'ses_1', ${value}, ${value}, ${value});`,
    `INSERT OR IGNORE INTO message VALUES (${value}, ${value}, 1, 1, '{"role":"user"}');`,
    `INSERT INTO session SELECT 'ses_x${at}', ${Array.from({ length: 17 }, () => value).join(", ")};`,
    `INSERT OR IGNORE INTO session SELECT ${Array.from({ length: 18 }, () => value).join(", ")};`,
  ])
  const { codes, sessions } = await toldOf(databaseOf(`${loose} ${rows.join("\n")}`))
  expect(codes).toEqual(["CORRUPT"])
  expect(sessions).toBeGreaterThan(values.length)
}, 60_000)

test("a row that is too large is read by nobody who did not ask for it: damage in it stays unseen", async () => {
  const path = databaseOf(GOOD)
  const db = new Database(path)
  db.run("INSERT INTO part VALUES ('prt_2', 'msg_1', 'ses_1', 1, 1, ?)", [
    JSON.stringify({ type: "text", text: "okapi ".repeat(300_000) }),
  ])
  db.close()
  const bytes = fs.readFileSync(path)
  // The middle of it.
  noise(40_960, 3).copy(bytes, bytes.length - 500 * 1024)
  fs.writeFileSync(path, bytes)
  expect(await toldOf(path, 1_000_000)).toEqual({ codes: ["TOO_LARGE"], sessions: 1 })
  expect((await toldOf(path)).codes).not.toEqual([])
}, 60_000)

test("while another process holds the database locked, or was killed in the middle of a change, the others answer", async () => {
  const path = databaseOf(`${GOOD} ${partRow("prt_2", "msg_1", "ses_1", "x".repeat(100_000))}`)
  await using holder = await startAgent(path, "rollback")
  // More than its cache holds, so that a part of it is in the file.
  for (const line of ["PRAGMA cache_size = 4", "BEGIN EXCLUSIVE", "UPDATE part SET data = zeroblob(200000)"])
    await holder.say(`run ${line}`)
  await using opened = await storeBeside(path)
  const { store, problems } = opened
  const expectAnswers = async (): Promise<void> => {
    expect(await Array.fromAsync(store.sessions.list())).toMatchObject([{ id: "ses_own" }])
    expect(await store.sessions.get("ses_own")).toMatchObject({ title: "mine" })
    expect(await Array.fromAsync(store.messages.stream("ses_own"))).toHaveLength(1)
    await expect(store.sessions.get("ses_1")).rejects.toMatchObject({ code: "UNREADABLE", path })
  }
  await expectAnswers()
  expect(problems).toMatchObject([{ path, code: "UNREADABLE" }])
  await holder.kill()
  // Its journal lies there still; only a writer may undo what it did.
  expect(fs.existsSync(`${path}-journal`)).toBe(true)
  await expectAnswers()
  expect(new Set(problems.map(({ path, code }) => `${code} ${path}`))).toEqual(
    new Set([`UNREADABLE ${path}`]),
  )
  new Database(path).run("UPDATE session SET title = 'undone'")
  expect(await Array.fromAsync(store.sessions.list())).toHaveLength(2)
}, 60_000)

test("a session nested deeper than the engine can write breaks off no list, count or text", async () => {
  const deep = `${"[".repeat(60_000)}${"]".repeat(60_000)}`
  const path = databaseOf(`${GOOD} UPDATE session SET permission = '${deep}';`)
  await using held = await storeBeside(path)
  expect(await expectOwn(held.store)).toContain("ses_1")
  using read = readerOf(path)
  const pieces = (await read.reader.text("session", "p", "ses_1")) ?? []
  expect((await Array.fromAsync(pieces)).join("").length).toBeGreaterThan(deep.length)
})
