import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore, type Problem } from "../../../src/index.ts"
import { session } from "../../support/records.ts"
import { put, tempFolder } from "../../support/temp.ts"
import {
  ALL,
  databaseOf,
  FIXTURE,
  fixtureDatabase,
  looks,
  messageRow,
  partRow,
  SCHEMA_1_2,
  sessionRow,
} from "./support.ts"

/** A store with a session of its own, and one that a database may have too, beside a database. */
async function storeBeside(path: string, own: readonly [id: string, updated: number][] = [["ses_own", 5]]) {
  const directory = join(tempFolder(), "store")
  for (const [id, updated] of own)
    put(directory, `session/proj/${id}.json`, session(id, { title: "file", time: { created: 1, updated } }))
  const problems: Problem[] = []
  const store = await openStore({
    directory,
    backgroundIndex: false,
    roots: [opencodeDatabase(path)],
    onProblem: (problem) => problems.push(problem),
  })
  const ids = async (): Promise<string[]> =>
    (await Array.fromAsync(store.sessions.list())).map(({ id }) => id).sort()
  return { store, problems, ids, [Symbol.asyncDispose]: () => store.close() }
}

function fileOf(bytes: Uint8Array | string): string {
  const path = join(tempFolder(), "opencode.db")
  fs.writeFileSync(path, bytes)
  return path
}

/** Holds a database locked, within a change of it. */
function locked(path: string): Database {
  const other = new Database(path)
  other.run("BEGIN EXCLUSIVE")
  other.run("UPDATE message SET time_updated = 2")
  return other
}

const GOOD = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1", updated: 9, title: "row" })}
  ${messageRow("msg_1", "ses_1", 1)} ${partRow("prt_1", "msg_1", "ses_1", { type: "text", text: "zebra" })}`

test("exports of a database's sessions are the release's own, and nothing beside it changes", async () => {
  const path = fixtureDatabase()
  const before = looks(join(path, ".."))
  await using opened = await storeBeside(path)
  const names = fs.readdirSync(join(FIXTURE, "answers")).filter((name) => name.startsWith("export-"))
  expect(names).toHaveLength(9)
  for (const name of names) {
    const id = name.slice("export-".length, -".json".length)
    const text = (await Array.fromAsync(opened.store.export(id))).join("")
    expect(text).toBe(fs.readFileSync(join(FIXTURE, "answers", name), "utf8"))
  }
  expect(looks(join(path, ".."))).toEqual(before)
  expect(opened.problems).toEqual([])
})

test("a database that cannot be read is a problem by its path, and hides nothing of the others", async () => {
  const noise = new Uint8Array(8192).map((_, at) => (at * 7919) % 251)
  const folder = join(tempFolder(), "opencode.db")
  fs.mkdirSync(folder)
  const whole = fs.readFileSync(databaseOf(GOOD))
  for (const [path, code] of [
    [fileOf(""), "CORRUPT"],
    [fileOf("no database"), "CORRUPT"],
    [fileOf(noise), "CORRUPT"],
    [fileOf(whole.subarray(0, 100)), "CORRUPT"],
    [databaseOf("CREATE TABLE other (id text)"), "CORRUPT"],
    [databaseOf("CREATE TABLE session_v3 (id text PRIMARY KEY)"), "CORRUPT"],
    [folder, "NOT_A_FILE"],
  ] as const) {
    await using opened = await storeBeside(path)
    const { store, problems, ids } = opened
    expect(await ids()).toEqual(["ses_own"])
    expect(await store.sessions.count()).toBe(1)
    expect(await store.sessions.get("ses_own")).toMatchObject({ id: "ses_own" })
    expect(await store.sessions.get("ses_nobody")).toBeUndefined()
    expect(await Array.fromAsync(store.search("zebra"))).toEqual([])
    expect(problems).toMatchObject([{ path, code }])
    expect(await Array.fromAsync(store.problems())).toMatchObject([{ path, code }])
    expect((await store.stats()).kinds.session?.files).toBe(1)
    expect((await store.verify()).ok).toBe(true)
  }
})

test("one bad row costs one record", async () => {
  const path = databaseOf(`${GOOD} ${messageRow("msg_2", "ses_1", 2, "{ torn")}
    ${partRow("prt_2", "msg_1", "ses_1", "also torn")} ${messageRow("msg_3", "ses_1", 3)}`)
  await using opened = await storeBeside(path)
  const { store, problems } = opened
  const streamed = await Array.fromAsync(store.messages.stream("ses_1", { direction: "asc" }))
  expect(streamed.map(({ info, parts }) => [info.id, parts.length])).toEqual([
    ["msg_1", 1],
    ["msg_3", 0],
  ])
  const bad = [`${path}#message/ses_1/msg_2`, `${path}#part/msg_1/prt_2`]
  expect(problems.map(({ path: at }) => at).sort()).toEqual(bad)
  expect((await Array.fromAsync(store.problems())).map(({ path: at }) => at).sort()).toEqual(bad)
  await expect(store.messages.get("msg_2")).rejects.toMatchObject({ code: "CORRUPT", path: bad[0] })
})

test("no older copy stands in for what lies in a database that is locked or gone, and it comes back", async () => {
  const path = databaseOf(GOOD)
  await using opened = await storeBeside(path, [
    ["ses_1", 5],
    ["ses_own", 5],
  ])
  const { store, problems, ids } = opened
  expect((await store.sessions.get("ses_1"))?.title).toBe("row")
  expect(await ids()).toEqual(["ses_1", "ses_own"])
  const other = locked(path)
  expect(await ids()).toEqual(["ses_own"])
  expect(problems).toMatchObject([{ path, code: "UNREADABLE" }])
  await expect(store.sessions.get("ses_1")).rejects.toMatchObject({ code: "UNREADABLE" })
  expect(await store.sessions.get("ses_own")).toMatchObject({ id: "ses_own" })
  other.run("COMMIT")
  other.close()
  expect((await store.sessions.get("ses_1"))?.title).toBe("row")
  expect(await ids()).toEqual(["ses_1", "ses_own"])
  fs.renameSync(path, `${path}.away`)
  expect(await ids()).toEqual(["ses_own"])
  await expect(store.sessions.get("ses_1")).rejects.toMatchObject({ code: "UNREADABLE" })
  expect(problems.slice(1)).toMatchObject([{ path, code: "NOT_FOUND" }])
  fs.renameSync(`${path}.away`, path)
  expect((await store.sessions.get("ses_1"))?.title).toBe("row")
  expect(await ids()).toEqual(["ses_1", "ses_own"])
})

test("a database that is locked from the first is out of reach, and says so once", async () => {
  const path = databaseOf(GOOD)
  const other = locked(path)
  await using opened = await storeBeside(path)
  const { store, problems, ids } = opened
  expect(await ids()).toEqual(["ses_own"])
  expect(await ids()).toEqual(["ses_own"])
  await expect(store.sessions.get("ses_1")).rejects.toMatchObject({ code: "UNREADABLE" })
  expect(problems).toMatchObject([{ path, code: "UNREADABLE" }])
  other.run("COMMIT")
  other.close()
  expect(await ids()).toEqual(["ses_1", "ses_own"])
})

test("what is asked of the moment of a listing is of its snapshot, so that no session falls between two", async () => {
  const path = databaseOf(GOOD)
  const { catalog, upkeep } = opencodeDatabase(path).open({
    indexFolder: undefined,
    indexRoot: tempFolder(),
    mayIndex: () => false,
    maxRecordBytes: 1_000_000,
    search: "all",
    backgroundIndex: false,
    maxStaleness: 0,
    cacheSize: 1_000_000,
    logger: { warn: () => {} },
    tell: () => {},
  })
  const moment = {}
  expect(await catalog.sessions(ALL, { moment, limit: 5 })).toMatchObject([{ id: "ses_1", time: 9 }])
  const agent = new Database(path)
  agent.run("UPDATE session SET time_updated = 14")
  agent.close()
  expect(await catalog.copies(["ses_1"], undefined, { moment })).toEqual(
    new Map([["ses_1", { project: "p", updated: 9 }]]),
  )
  expect(await catalog.copies(["ses_1"], "other", { moment })).toEqual(new Map())
  expect(await catalog.copies(["ses_1", "ses_2"], "p", { moment: {} })).toEqual(
    new Map([["ses_1", { project: "p", updated: 14 }]]),
  )
  upkeep.close()
})

test("a list is of the moment it was asked for, however slowly it is taken; what is too much to hold is read when its turn comes", async () => {
  const rows = Array.from({ length: 40 }, (_, at) =>
    sessionRow({ id: `ses_${10 + at}`, title: "before", updated: 100 - at }),
  )
  for (const [bytes, held] of [
    [0, 40],
    [200_000, 32],
  ] as const) {
    const path = databaseOf(`${SCHEMA_1_2} ${rows.join("\n")}
      UPDATE session SET summary_files = 1, summary_diffs = '["' || hex(zeroblob(${bytes} / 2)) || '"]'`)
    await using opened = await storeBeside(path)
    const list = opened.store.sessions.list({ projectID: "p" })
    const titles = [(await list.next()).value?.title]
    const agent = new Database(path)
    agent.run("UPDATE session SET title = 'after', time_updated = 200")
    agent.run("DELETE FROM session WHERE id = 'ses_49'")
    agent.close()
    for await (const { title } of list) titles.push(title)
    const gone = held === 40 ? 0 : 1
    expect(titles).toEqual([
      ...Array.from({ length: held }, () => "before"),
      ...Array.from({ length: 40 - held - gone }, () => "after"),
    ])
  }
})

test("a conversation whose database is locked while it is gone through is an error; no listing is", async () => {
  const messages = Array.from({ length: 5 }, (_, at) => messageRow(`msg_${at + 2}`, "ses_1", at + 2))
  const path = databaseOf(`${GOOD} ${messages.join("\n")}`)
  await using opened = await storeBeside(path)
  const { store, ids } = opened
  const open = [store.messages.stream("ses_1"), store.messages.list("ses_1")]
  for (const one of open) expect((await one.next()).done).toBe(false)
  const other = locked(path)
  const answers = await Promise.allSettled([...open.map((one) => one.next()), store.messages.page("ses_1")])
  for (const answer of answers)
    expect(answer).toMatchObject({ status: "rejected", reason: { code: "UNREADABLE", path } })
  expect(await ids()).toEqual(["ses_own"])
  other.run("COMMIT")
  other.close()
  expect(await ids()).toEqual(["ses_1", "ses_own"])
  expect(await Array.fromAsync(store.messages.stream("ses_1"))).toHaveLength(6)
})
