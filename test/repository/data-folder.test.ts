import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
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

/** Puts a JSON store into a database as releases 1.2 did at their first start: same ids, same times, the files left where they are. */
function importAll(path: string, { sessions, messages, parts }: History): void {
  const db = new Database(path)
  db.run("PRAGMA foreign_keys = OFF")
  const project = db.query<{ id: string }, []>("SELECT id FROM project").get()?.id ?? ""
  const createdOf = ({ body }: HeldRecord): number => (body.time as { created: number }).created
  const sessionOf = new Map(messages.map(({ id, folder }) => [id, folder]))
  db.transaction(() => {
    for (const held of sessions)
      db.run(
        "INSERT INTO session (id, project_id, slug, directory, title, version, time_created, time_updated) VALUES (?, ?, 's', '/d', ?, '1', ?, ?)",
        [held.id, project, String(held.body.title), createdOf(held), updatedOf(held)],
      )
    for (const held of messages) {
      const { id: _, sessionID: __, ...data } = held.body
      const time = createdOf(held)
      db.run("INSERT INTO message VALUES (?, ?, ?, ?, ?)", [
        held.id,
        held.folder,
        time,
        time,
        JSON.stringify(data),
      ])
    }
    for (const { id, folder, body } of parts) {
      const { id: _, sessionID: __, messageID: ___, ...data } = body
      db.run("INSERT INTO part VALUES (?, ?, ?, 1, 1, ?)", [
        id,
        folder,
        sessionOf.get(folder) ?? "",
        JSON.stringify(data),
      ])
    }
  })()
  db.close()
}

test("a store that a release imported, and went on with, is one history whichever side goes on", async () => {
  const data = tempFolder()
  cpSync(OLD, join(data, "storage"), { recursive: true })
  const path = join(data, "opencode.db")
  copyFileSync(FIXTURE, path)
  const history = historyOf(OLD)
  const { sessions } = history
  importAll(path, history)
  await using store = await openStore({ directory: data, backgroundIndex: false })
  const own = (id: string) => history.messages.filter(({ folder }) => folder === id).map(({ id }) => id)
  /** From where each session is read, and with how many messages more than were imported. */
  const expectEach = async (
    expected: (at: number) => { origin: string; title: string | undefined; more: string[] },
  ) => {
    const listed = await Array.fromAsync(store.sessions.listWithOrigin())
    expect(listed).toHaveLength(sessions.length + 9)
    expect(await store.sessions.count()).toBe(sessions.length + 9)
    const found = new Map(
      listed.map(({ session, origin }) => [session.id, { origin, title: session.title ?? "" }]),
    )
    for (const [at, { id }] of sessions.entries()) {
      const { more, ...from } = expected(at)
      expect(found.get(id)).toEqual({ ...from, title: from.title ?? "" })
      const streamed = await Array.fromAsync(store.messages.stream(id, { direction: "asc" }))
      expect(streamed.map(({ info }) => info.id).sort()).toEqual([...own(id), ...more].sort())
      for (const { info, parts } of streamed.filter(({ info }) => own(id).includes(info.id)))
        expect(parts).toHaveLength(history.parts.filter(({ folder }) => folder === info.id).length)
    }
  }
  const files = join(data, "storage")
  const titles = sessions.map(({ body }) => String(body.title))
  await expectEach((at) => ({ origin: files, title: titles[at], more: [] }))
  const db = new Database(path)
  const goOn = (at: number, by: number): void => {
    const id = sessions[at]?.id ?? ""
    db.run("UPDATE session SET title = 'row', time_updated = time_updated + ? WHERE id = ?", [by, id])
    db.run(
      'INSERT OR IGNORE INTO message VALUES (?, ?, 1e13, 1, \'{"role":"user","time":{"created":1e13}}\')',
      [`msg_zz_${at}`, id],
    )
  }
  for (let at = 0; at < sessions.length; at += 2) goOn(at, 1_000)
  const more = (at: number): string[] => [`msg_zz_${at}`]
  await expectEach((at) =>
    at % 2 === 0
      ? { origin: path, title: "row", more: more(at) }
      : { origin: files, title: titles[at], more: [] },
  )
  // A title that an older release gave, in the file; and one more turn of the newer.
  for (const [at, { folder, id, body }] of sessions.entries())
    if (at % 4 < 2) {
      const time = { ...(body.time as object), updated: (body.time as { updated: number }).updated + 2_000 }
      put(data, `storage/session/${folder}/${id}.json`, { ...body, title: "file", time })
    }
  await expectEach((at) => {
    if (at % 4 < 2) return { origin: files, title: "file", more: [] }
    return at % 2 === 0
      ? { origin: path, title: "row", more: more(at) }
      : { origin: files, title: titles[at], more: [] }
  })
  for (let at = 0; at < sessions.length; at += 4) goOn(at, 5_000)
  await expectEach((at) => {
    if (at % 4 === 1) return { origin: files, title: "file", more: [] }
    return at % 2 === 0
      ? { origin: path, title: "row", more: more(at) }
      : { origin: files, title: titles[at], more: [] }
  })
  db.close()
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
  expect({ code, ids: lines(out) }).toMatchObject({ code: 1, ids: [{ session: { id: "ses_1" } }] })
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
    // Those of the database, and the one in files.
    expect(lines((await cliHere(target, "--json", "sessions")).out)).toHaveLength(10)
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
    expect({ code, ids: lines(out) }).toMatchObject({ code: 1, ids: [{ session: { id: "ses_1" } }] })
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
