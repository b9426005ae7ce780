import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { defaultDirectory } from "../../src/cli/directory.ts"
import { openStore, type Store } from "../../src/index.ts"
import type { HeldRecord, History } from "../../src/testing/index.ts"
import { cliHere, lines } from "../cli/in-process.ts"
import { historyOf } from "../root/histories.ts"
import { message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder, treePath } from "../support/temp.ts"

const FIXTURE = join(treePath("opencode-1.18.34"), "opencode.db")
const OLD = treePath("opencode-1.1.65/storage")

async function listed(store: Store): Promise<string[]> {
  return (await Array.fromAsync(store.sessions.list())).map(({ id }) => id).sort()
}

function updatedOf({ body }: HeldRecord): number {
  return (body.time as { updated: number }).updated
}

/** Puts sessions of a JSON store into a database, each so much newer, with the first message and a note of its own in each. */
function overlap(path: string, history: History, newerBy: (at: number) => number): void {
  const db = new Database(path)
  db.run("PRAGMA foreign_keys = OFF")
  const project = db.query<{ id: string }, []>("SELECT id FROM project").get()?.id ?? ""
  history.sessions.forEach((session, at) => {
    const { id } = session
    for (const table of ["part", "message"]) db.run(`DELETE FROM ${table} WHERE session_id = ?`, [id])
    db.run("DELETE FROM session WHERE id = ?", [id])
    db.run(
      "INSERT INTO session (id, project_id, slug, directory, title, version, time_created, time_updated) VALUES (?, ?, 's', '/d', 'row', '1', 1, ?)",
      [id, project, updatedOf(session) + newerBy(at)],
    )
    const [first] = history.messages.filter(({ folder }) => folder === id)
    if (!first) return
    db.run("INSERT INTO message VALUES (?, ?, 1, 1, ?)", [
      first.id,
      id,
      JSON.stringify({ role: "user", time: { created: 1 } }),
    ])
    db.run("INSERT INTO part VALUES (?, ?, ?, 1, 1, ?)", [
      `prt_row_${at}`,
      first.id,
      id,
      JSON.stringify({ type: "text", text: "from the row" }),
    ])
  })
  db.close()
}

/** Checks that every session of the JSON store is read whole from one side: from the database where that is newer. */
async function expectWhole(store: Store, history: History, fromRow: (at: number) => boolean): Promise<void> {
  const ids = await listed(store)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(history.sessions.length + 9)
  for (const [at, held] of history.sessions.entries()) {
    const streamed = await Array.fromAsync(store.messages.stream(held.id, { direction: "asc" }))
    const texts = streamed.flatMap(({ parts }) =>
      parts.filter((one) => one.type === "text" && one.text === "from the row"),
    )
    const own = history.messages.filter(({ folder }) => folder === held.id)
    const isRow = fromRow(at)
    expect((await store.sessions.get(held.id))?.title === "row").toBe(isRow)
    expect(streamed).toHaveLength(isRow ? Math.min(1, own.length) : own.length)
    expect(texts).toHaveLength(isRow ? Math.min(1, own.length) : 0)
  }
}

test("storage/ and a database that overlaps it are one history, each session whole from where it is newer", async () => {
  const data = tempFolder()
  cpSync(OLD, join(data, "storage"), { recursive: true })
  const path = join(data, "opencode.db")
  copyFileSync(FIXTURE, path)
  const history = historyOf(OLD)
  expect(history.sessions.length).toBeGreaterThan(5)
  overlap(path, history, (at) => (at % 2 === 0 ? 1000 : -1000))
  await using store = await openStore({ directory: data, backgroundIndex: false })
  expect(store.directory).toBe(join(data, "storage"))
  await expectWhole(store, history, (at) => at % 2 === 0)
  const hits = await Array.fromAsync(store.search("from the row", { in: "text" }))
  const withMessages = history.sessions.filter(
    ({ id }, at) => at % 2 === 0 && history.messages.some(({ folder }) => folder === id),
  )
  expect(hits.map(({ sessionID }) => sessionID).sort()).toEqual(withMessages.map(({ id }) => id).sort())
  // The agent writes to the database …
  overlap(path, history, (at) => (at % 3 === 0 ? 1000 : -1000))
  await expectWhole(store, history, (at) => at % 3 === 0)
  // … and an older release to the files.
  for (const held of history.sessions) {
    const time = { ...(held.body.time as object), updated: updatedOf(held) + 2000 }
    put(data, `storage/session/${held.folder}/${held.id}.json`, { ...held.body, time })
  }
  await expectWhole(store, history, () => false)
})

test("all that a data folder holds is listed: storage/, the older layout, and each database", async () => {
  const data = tempFolder()
  put(data, "storage/session/p/ses_1.json", session("ses_1"))
  put(data, "project/work/storage/session/info/ses_2.json", session("ses_2"))
  mkdirSync(join(data, "log"))
  {
    await using store = await openStore({ directory: data, backgroundIndex: false })
    expect(await listed(store)).toEqual(["ses_1", "ses_2"])
    expect(store.missing()).toEqual([])
  }
  copyFileSync(FIXTURE, join(data, "opencode-dev.db"))
  {
    await using store = await openStore({ directory: data, backgroundIndex: false })
    expect(await listed(store)).toHaveLength(11)
    expect(store.health().alsoReading.map(({ layout }) => layout)).toEqual(["older", "opencode"])
  }
  // Naming storage/ itself, or leaving the older layout out, is what it was.
  await using named = await openStore({ directory: join(data, "storage"), backgroundIndex: false })
  expect(await listed(named)).toEqual(["ses_1", "ses_2"])
  await using without = await openStore({ directory: data, older: false, backgroundIndex: false })
  expect(await listed(without)).toHaveLength(10)
  await using beside = await openStore({ directory: tempFolder(), alsoRead: [data], backgroundIndex: false })
  expect(await listed(beside)).toHaveLength(11)
})

test("reading a data folder without storage/ makes nothing in it, and the first write makes the store", async () => {
  const data = tempFolder()
  copyFileSync(FIXTURE, join(data, "opencode.db"))
  put(data, "project/work/storage/session/info/ses_2.json", session("ses_2"))
  const before = snapshot(data)
  {
    await using store = await openStore({ directory: data })
    expect(store.missing()).toEqual([])
    expect(await listed(store)).toHaveLength(10)
    expect((await Array.fromAsync(store.search("the"))).length).toBeGreaterThan(0)
    expect(await store.index()).toMatchObject({ sessions: 10, unreadable: [] })
    expect(await store.verify({ repair: true })).toMatchObject({ ok: true })
    expect((await store.usage()).length).toBeGreaterThan(0)
    expect(await Array.fromAsync(store.problems())).toEqual([])
    expect(snapshot(data)).toEqual(before)
  }
  for (const argv of [["sessions"], ["search", "the"], ["index"], ["stats"], ["orphans"]])
    expect({ argv, ...(await cliHere(data, ...argv)) }).toMatchObject({ argv, code: 0, err: "" })
  expect(lines((await cliHere(data, "--json", "sessions")).out)).toHaveLength(10)
  expect(snapshot(data)).toEqual(before)
  await using store = await openStore({ directory: data, backgroundIndex: false })
  await store.sessions.write(session("ses_1"))
  await store.messages.write(message("msg_1", "ses_1", 1))
  await store.parts.write(part("prt_1", "msg_1"))
  expect(existsSync(join(data, "storage/session/proj/ses_1.json"))).toBe(true)
  expect(readdirSync(data).sort()).toEqual(["opencode.db", "project", "storage"])
  expect(await listed(store)).toHaveLength(11)
})

test("a damaged database in a data folder is told by its path, and makes the command fail but not its answer", async () => {
  const data = tempFolder()
  put(data, "storage/session/p/ses_1.json", session("ses_1"))
  const path = put(data, "opencode.db", "no database")
  const { code, out, err } = await cliHere(data, "--json", "sessions")
  expect({ code, ids: lines(out) }).toMatchObject({ code: 1, ids: [{ id: "ses_1" }] })
  expect(err).toContain(`CORRUPT ${path}`)
})

/** Runs with opencode's environment, and puts back what was. */
async function withEnvironment(
  env: Record<"XDG_DATA_HOME" | "OPENCODE_DB", string | undefined>,
  work: () => unknown,
): Promise<void> {
  const before = { ...process.env }
  const set = (values: Record<string, string | undefined>): void => {
    for (const name of Object.keys(env))
      if (values[name] === undefined) delete process.env[name]
      else process.env[name] = values[name]
  }
  try {
    set(env)
    await work()
  } finally {
    set(before)
  }
}

test("the command line reads the data folder where it has a database, and storage/ where it has none", async () => {
  const home = tempFolder()
  await withEnvironment({ XDG_DATA_HOME: home, OPENCODE_DB: undefined }, () => {
    expect(defaultDirectory()).toBe(join(home, "opencode/storage"))
    mkdirSync(join(home, "opencode"))
    expect(defaultDirectory()).toBe(join(home, "opencode/storage"))
    copyFileSync(FIXTURE, join(home, "opencode/opencode.db"))
    expect(defaultDirectory()).toBe(join(home, "opencode"))
  })
})

test("the database that OPENCODE_DB names is read with opencode's data folder, absolute or relative to it", async () => {
  const home = tempFolder()
  const data = join(home, "opencode")
  const elsewhere = join(tempFolder(), "history.sqlite")
  copyFileSync(FIXTURE, elsewhere)
  const sessions = async (...argv: string[]) => {
    const { code, out, err } = await cliHere(data, "--json", "sessions", ...argv)
    return { code, sessions: lines(out).length, err }
  }
  // Nothing else there, as after a first start of today's release.
  await withEnvironment({ XDG_DATA_HOME: home, OPENCODE_DB: elsewhere }, async () => {
    expect(defaultDirectory()).toBe(data)
    expect(await sessions()).toEqual({ code: 0, sessions: 9, err: "" })
    expect(existsSync(data)).toBe(false)
    put(data, "storage/session/p/ses_1.json", session("ses_1"))
    expect(await sessions()).toEqual({ code: 0, sessions: 10, err: "" })
    expect((await cliHere(data, "--json", "search", "the", "--limit", "1")).code).toBe(0)
    // What was named as a store, or is another's data, has no part in it.
    expect(lines((await cliHere(join(data, "storage"), "--json", "sessions")).out)).toHaveLength(1)
    const backup = tempFolder()
    put(backup, "storage/session/p/ses_2.json", session("ses_2"))
    expect(lines((await cliHere(backup, "--json", "sessions")).out)).toHaveLength(1)
  })
  copyFileSync(FIXTURE, join(data, "work.db"))
  await withEnvironment({ XDG_DATA_HOME: home, OPENCODE_DB: undefined }, async () =>
    expect(await sessions()).toMatchObject({ code: 0, sessions: 1 }),
  )
  for (const [name, found] of [
    ["work.db", 10],
    [":memory:", 1],
    ["", 1],
  ] as const)
    await withEnvironment({ XDG_DATA_HOME: home, OPENCODE_DB: name }, async () => {
      expect({ name, ...(await sessions()) }).toEqual({ name, code: 0, sessions: found, err: "" })
      const copy = join(tempFolder(), "copy")
      cpSync(data, copy, { recursive: true })
      expect(lines((await cliHere(copy, "--json", "sessions")).out)).toHaveLength(found)
    })
  const target = join(tempFolder(), "target")
  await withEnvironment({ XDG_DATA_HOME: home, OPENCODE_DB: "work.db" }, async () => {
    expect((await cliHere(target, "import", "--from", "opencode")).code).toBe(0)
    expect(lines((await cliHere(target, "--json", "sessions")).out)).toHaveLength(9)
  })
})

test("an OPENCODE_DB that is not there or damaged is told, and the command fails", async () => {
  const home = tempFolder()
  const data = join(home, "opencode")
  put(data, "storage/session/p/ses_1.json", session("ses_1"))
  const path = join(tempFolder(), "x.db")
  await withEnvironment({ XDG_DATA_HOME: home, OPENCODE_DB: path }, async () => {
    const missing = await cliHere(data, "sessions")
    expect(missing).toMatchObject({ code: 1, out: "" })
    expect(missing.err).toContain(`There is no database: ${path}`)
    expect(missing.err).toContain("OPENCODE_DB names it")
    writeFileSync(path, "no database")
    const { code, out, err } = await cliHere(data, "--json", "sessions")
    expect({ code, ids: lines(out) }).toMatchObject({ code: 1, ids: [{ id: "ses_1" }] })
    expect(err).toContain(`CORRUPT ${path}`)
  })
})

test("openStore takes the name of a data folder's database, and not the environment's", async () => {
  const data = join(tempFolder(), "data")
  const elsewhere = join(tempFolder(), "history.sqlite")
  copyFileSync(FIXTURE, elsewhere)
  await withEnvironment({ XDG_DATA_HOME: join(data, ".."), OPENCODE_DB: elsewhere }, async () => {
    await using without = await openStore({ directory: data, backgroundIndex: false })
    expect(await listed(without)).toEqual([])
  })
  {
    await using store = await openStore({ directory: data, database: elsewhere, backgroundIndex: false })
    expect(store.missing()).toEqual([])
    expect(await listed(store)).toHaveLength(9)
  }
  mkdirSync(data)
  copyFileSync(FIXTURE, join(data, "work.db"))
  await using store = await openStore({ directory: data, database: "work.db", backgroundIndex: false })
  expect(await listed(store)).toHaveLength(9)
  expect(openStore({ directory: data, database: "" })).rejects.toThrow(TypeError)
})
