import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { OpencodeReader } from "../../../src/root/opencode/reader.ts"
import type { Problem } from "../../../src/root/opencode/trouble.ts"
import { tempFolder } from "../../support/temp.ts"
import {
  ALL,
  conversation,
  databaseOf,
  fixtureDatabase,
  idsOf,
  messageIds,
  messageRow,
  partRow,
  readerOf,
  SCHEMA_1_2,
  sessionRow,
  startAgent,
} from "./support.ts"

async function problemsOf(reader: OpencodeReader): Promise<Problem[]> {
  const problems: Problem[] = []
  for await (const problem of reader.problems()) problems.push(problem)
  return problems
}

/** A database whose file holds these bytes. */
function fileOf(bytes: Uint8Array | string): string {
  const path = join(tempFolder(), "opencode.db")
  fs.writeFileSync(path, bytes)
  return path
}

const GOOD = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${messageRow("msg_1", "ses_1", 1)} ${partRow("prt_1", "msg_1", "ses_1")}`

test("what is no opencode database is told by its path and code, by every question", async () => {
  const noise = new Uint8Array(8192).map((_, at) => (at * 7919) % 251)
  const folder = join(tempFolder(), "opencode.db")
  fs.mkdirSync(folder)
  const header = fs.readFileSync(databaseOf(GOOD)).subarray(0, 100)
  for (const [path, code] of [
    [fileOf(""), "CORRUPT"],
    [fileOf("no database, and not long"), "CORRUPT"],
    [fileOf(noise), "CORRUPT"],
    [fileOf(header), "CORRUPT"],
    [databaseOf("CREATE TABLE other (id text)"), "CORRUPT"],
    [databaseOf("CREATE TABLE session (key text)"), "CORRUPT"],
    [databaseOf("CREATE TABLE session_v3 (id text PRIMARY KEY)"), "CORRUPT"],
    [join(tempFolder(), "none.db"), "NOT_FOUND"],
    [folder, "NOT_A_FILE"],
  ] as const) {
    using opened = readerOf(path)
    const { reader } = opened
    const told = { code, path, message: expect.stringContaining(path) }
    await expect(reader.sessions(ALL)).rejects.toMatchObject(told)
    await expect(reader.messages("ses_1", "asc").next()).rejects.toMatchObject(told)
    await expect(reader.get("session", "p", "ses_1")).rejects.toMatchObject(told)
    expect(() => reader.moment()).toThrow(expect.objectContaining({ code, path }))
    expect(await problemsOf(reader)).toMatchObject([{ path, code }])
  }
})

test("a pipe in a database's place, or beside it, is not waited for", async () => {
  const path = join(tempFolder(), "opencode.db")
  Bun.spawnSync(["mkfifo", path])
  using opened = readerOf(path)
  await expect(opened.reader.sessions(ALL)).rejects.toMatchObject({ code: "NOT_A_FILE" })
  const good = databaseOf(GOOD)
  Bun.spawnSync(["mkfifo", `${good}-wal`])
  using beside = readerOf(good)
  await expect(beside.reader.sessions(ALL)).rejects.toMatchObject({ code: "NOT_A_FILE", path: `${good}-wal` })
})

test("a damaged or cut-off page costs what lies on it, is told, and hides nothing else", async () => {
  const whole = fs.readFileSync(fixtureDatabase())
  const pages = whole.length / 4096
  let hurt = 0
  let readable = 0
  for (let page = 1; page < pages; page += 8) {
    const damaged = Buffer.from(whole)
    damaged.fill(0xa5, page * 4096, (page + 1) * 4096)
    for (const bytes of [damaged, whole.subarray(0, page * 4096)]) {
      using opened = readerOf(fileOf(bytes))
      const { reader } = opened
      const problems = await problemsOf(reader)
      const sessions = await idsOf(reader).catch((error) => {
        expect(error).toMatchObject({ code: "CORRUPT" })
        return []
      })
      const read = { sessions: sessions.length, failed: 0 }
      for (const id of sessions)
        await conversation(reader, id).catch((error) => {
          expect(error).toMatchObject({ code: "CORRUPT" })
          read.failed++
        })
      if (read.failed > 0 || sessions.length < 9) {
        hurt++
        expect(problems.length).toBeGreaterThan(0)
      }
      if (read.failed < sessions.length) readable++
    }
  }
  // That it was not empty: some of both.
  expect(hurt).toBeGreaterThan(5)
  expect(readable).toBeGreaterThan(5)
}, 20_000)

test("rows that are torn, NULL, cut off or no object cost one record each, and are told", async () => {
  const tear = (id: string, data: string): string =>
    `INSERT INTO part VALUES ('prt_${id}', 'msg_1', 'ses_1', 1, 1, ${data});`
  const path = databaseOf(`${GOOD.replaceAll("data text NOT NULL", "data text")}
    ${tear("2_torn", `'{"type":"te'`)} ${tear("3_null", "NULL")} ${tear("4_array", "'[]'")} ${tear("5_nul", "cast(x'7b220022' as text)")}
    ${tear("6_empty", "''")} ${tear("7_number", "12")} ${tear("8_bytes", "x'ff'")} ${tear("9_good", `'{"type":"text"}'`)}
    INSERT INTO message VALUES ('msg_2', 'ses_1', 'when', 1, '{}'), (NULL, 'ses_1', 3, 1, '{}'), ('msg_3', 'ses_1', 3, 1, 'torn');
    UPDATE session SET permission = '[{', revert = 'x', summary_files = 2, summary_diffs = '[' WHERE id = 'ses_1'`)
  using opened = readerOf(path)
  const { reader, problems } = opened
  const [first] = await conversation(reader, "ses_1")
  expect(first?.parts.map(({ id }) => id)).toEqual(["prt_1", "prt_9_good"])
  const torn = ["2_torn", "3_null", "4_array", "5_nul", "6_empty", "7_number", "8_bytes"].map(
    (id) => `${path}#part/msg_1/prt_${id}`,
  )
  expect(problems.map((problem) => problem.path).sort()).toEqual([`${path}#message/ses_1/msg_3`, ...torn])
  expect(problems.every(({ code }) => code === "CORRUPT")).toBe(true)
  expect(await messageIds(reader, "ses_1")).toEqual(["msg_1", "msg_3"])
  await expect(reader.get("message", "ses_1", "msg_3")).rejects.toMatchObject({ code: "CORRUPT" })
  // A session is there without what does not parse.
  expect(await reader.get("session", "p", "ses_1")).toEqual({
    id: "ses_1",
    slug: "slug",
    projectID: "p",
    directory: "/d",
    title: "ses_1",
    version: "1",
    summary: { additions: 0, deletions: 0, files: 2 },
    time: { created: 1, updated: 1 },
  })
  expect((await problemsOf(reader)).map((problem) => problem.path).sort()).toEqual(
    [
      `${path}#session/ses_1`,
      `${path}#message/msg_2`,
      `${path}#message/row 3`,
      `${path}#message/ses_1/msg_3`,
      ...torn,
    ].sort(),
  )
})

test("tables and columns that are missing take nothing else with them", async () => {
  const path = databaseOf(`${GOOD.replace("CREATE INDEX part_session_idx ON part (session_id);", "")}
    DROP INDEX part_message_id_id_idx; ALTER TABLE part RENAME COLUMN data TO content`)
  using opened = readerOf(path)
  const { reader, problems } = opened
  expect(await conversation(reader, "ses_1")).toMatchObject([{ info: { id: "msg_1" }, parts: [] }])
  expect(problems[0]).toEqual({ path, code: "CORRUPT", message: "The table part has no column data" })
  for (const missing of ["message", "part"]) {
    const other = databaseOf(`${GOOD} ; DROP TABLE ${missing}`)
    using without = readerOf(other)
    expect(await idsOf(without.reader)).toEqual(["ses_1"])
    expect(await without.reader.countMessages("ses_1")).toBe(missing === "message" ? 0 : 1)
    for await (const run of without.reader.stamps()) expect(run).toHaveLength(1)
    expect(await problemsOf(without.reader)).toEqual([])
  }
  const bare = databaseOf(
    "CREATE TABLE session (id text); INSERT INTO session VALUES ('ses_1'), (NULL), (''), (x'00')",
  )
  using least = readerOf(bare)
  expect(await least.reader.sessions(ALL, { bodies: true })).toEqual([
    { time: 0, id: "ses_1", project: "global", body: '{"id":"ses_1","time":{}}' },
  ])
  expect(await least.reader.todos("ses_1")).toEqual([])
  expect(await least.reader.projects()).toEqual([])
})

test("columns that later releases add, in any order, change nothing; nor does a migration while it is open", async () => {
  const path = databaseOf(GOOD)
  await using agent = await startAgent(path)
  await agent.say("run UPDATE session SET title = 'before'")
  using opened = readerOf(path)
  const { reader } = opened
  const before = await reader.get("session", "p", "ses_1")
  await agent.say("run ALTER TABLE session ADD COLUMN secret_of_tomorrow text DEFAULT 'x'")
  await agent.say("run ALTER TABLE part ADD COLUMN another text")
  expect(await reader.get("session", "p", "ses_1")).toEqual(before ?? {})
  await agent.say("run ALTER TABLE session ADD COLUMN agent text DEFAULT 'build'")
  expect(await reader.get("session", "p", "ses_1")).toEqual({ ...before, agent: "build" })
  expect((await conversation(reader, "ses_1"))[0]?.parts).toHaveLength(1)
})

test("who holds the database locked is waited for without holding the event loop, and then told of", async () => {
  const path = databaseOf(GOOD)
  const holder = new Database(path)
  holder.run("PRAGMA locking_mode = EXCLUSIVE")
  holder.run("BEGIN EXCLUSIVE")
  holder.run("UPDATE session SET title = 'held'")
  using opened = readerOf(path)
  expect(() => opened.reader.moment()).toThrow(expect.objectContaining({ code: "UNREADABLE", path }))
  const asked = idsOf(opened.reader)
  let turns = 0
  for (; turns < 5; turns++) await Bun.sleep(1)
  holder.run("COMMIT")
  holder.close()
  expect(await asked).toEqual(["ses_1"])
})

test("who asks much in a row lets others have their turn", async () => {
  const parts = Array.from({ length: 3_000 }, (_, at) => messageRow(`msg_x${at}`, "ses_1", at + 2))
  using opened = readerOf(databaseOf(`${GOOD} ${parts.join("\n")}`))
  let turns = 0
  let walking = true
  const turn = (): void => {
    turns++
    if (walking) setImmediate(turn)
  }
  turn()
  expect(await problemsOf(opened.reader)).toEqual([])
  walking = false
  expect(turns).toBeGreaterThan(10)
})

test("a closed reader refuses", async () => {
  const { reader } = readerOf(databaseOf(GOOD))
  await idsOf(reader)
  reader.close()
  await expect(reader.sessions(ALL)).rejects.toMatchObject({ code: "CLOSED" })
  reader.close()
})
