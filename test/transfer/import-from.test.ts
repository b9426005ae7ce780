import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore, type Store, transcripts } from "../../src/index.ts"
import { jsonFolder } from "../../src/root/json/json-folder.ts"
import { cliHere, cliIn, lines } from "../cli/in-process.ts"
import { call, meta, SESSION, said } from "../root/transcript/codex-transcripts.ts"
import { homeOfAll, opencodeOf } from "../support/home.ts"
import { message, session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder, treePath } from "../support/temp.ts"

const ANSWERS = join(treePath("opencode-1.18.34"), "answers")

function database(): string {
  const path = join(tempFolder(), "opencode.db")
  fs.copyFileSync(join(treePath("opencode-1.18.34"), "opencode.db"), path)
  return path
}

function run(path: string, sql: string): void {
  const db = new Database(path)
  db.run("PRAGMA foreign_keys = OFF")
  db.run(sql)
  db.close()
}

function open(directory = join(tempFolder(), "store")): Promise<Store> {
  return openStore({ directory, backgroundIndex: false, durability: "relaxed" })
}

async function textOf(store: Store, id: string): Promise<string> {
  return (await Array.fromAsync(store.export(id))).join("")
}

/** The files of records, without the index. */
function records(directory: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(snapshot(directory)).filter(([path]) => !path.includes(".sessiondex")),
  )
}

test("what was imported, exported again, is the release's own export byte for byte; a second time nothing is left to do", async () => {
  const path = database()
  await using store = await open()
  const first = await store.importFrom(opencodeDatabase(path))
  expect(first.sessions).toEqual({ added: 9, replaced: 0, unchanged: 0, kept: 0 })
  expect(first.left).toEqual([])
  const names = fs.readdirSync(ANSWERS)
  const exports = names.filter((name) => name.startsWith("export-"))
  expect(exports).toHaveLength(9)
  for (const name of exports)
    expect(await textOf(store, name.slice("export-".length, -".json".length))).toBe(
      fs.readFileSync(join(ANSWERS, name), "utf8"),
    )
  let planned = 0
  for (const name of names.filter((one) => one.startsWith("todo-"))) {
    const todos = JSON.parse(fs.readFileSync(join(ANSWERS, name), "utf8"))
    if (todos.length === 0) continue
    planned++
    expect(await store.read(["todo", name.slice("todo-".length, -".json".length)])).toEqual(todos)
  }
  expect(planned).toBeGreaterThan(0)
  expect((await Array.fromAsync(store.projects.list())).map(({ worktree }) => worktree)).toEqual([
    "/home/dev/app",
    "/home/dev/lib",
  ])
  const before = records(store.directory)
  expect(await store.importFrom(opencodeDatabase(path))).toEqual({
    sessions: { added: 0, replaced: 0, unchanged: 9, kept: 0 },
    records: { written: 0, unchanged: 0 },
    left: [],
  })
  expect(records(store.directory)).toEqual(before)
})

test("run again it copies what is new or newer, and leaves what the store has newer unless told otherwise", async () => {
  const path = database()
  await using store = await open()
  await store.importFrom(opencodeDatabase(path))
  const ids = (await Array.fromAsync(store.sessions.list())).map(({ id }) => id)
  const [newer = "", older = "", gone = ""] = ids
  run(path, `UPDATE session SET time_updated = time_updated + 5, title = 'newer' WHERE id = '${newer}'`)
  run(path, `UPDATE session SET time_updated = time_updated - 5, title = 'older' WHERE id = '${older}'`)
  await store.sessions.remove(gone)
  const dry = await store.importFrom(opencodeDatabase(path), { dryRun: true })
  expect(dry).toMatchObject({
    sessions: { added: 1, replaced: 1, unchanged: 6, kept: 1 },
    records: { written: 0 },
  })
  expect(await store.sessions.get(gone)).toBeUndefined()
  const kept = await store.importFrom(opencodeDatabase(path), { onConflict: "keep" })
  expect(kept.sessions).toEqual({ added: 1, replaced: 0, unchanged: 6, kept: 2 })
  const again = await store.importFrom(opencodeDatabase(path))
  expect(again).toMatchObject({
    sessions: { added: 0, replaced: 1, unchanged: 7, kept: 1 },
    records: { written: 1 },
  })
  expect((await store.sessions.get(newer))?.title).toBe("newer")
  expect((await store.sessions.get(older))?.title).not.toBe("older")
  const replaced = await store.importFrom(opencodeDatabase(path), { onConflict: "replace" })
  expect(replaced.sessions).toEqual({ added: 0, replaced: 1, unchanged: 8, kept: 0 })
  expect((await store.sessions.get(older))?.title).toBe("older")
})

test("only a project's sessions, or those since a time, are copied; from any kind of history", async () => {
  const path = database()
  await using store = await open()
  const [project] = JSON.parse(fs.readFileSync(join(ANSWERS, "sessions-lib.json"), "utf8"))
  const { sessions } = await store.importFrom(opencodeDatabase(path), { projectID: project.projectID })
  expect(sessions.added).toBe(JSON.parse(fs.readFileSync(join(ANSWERS, "sessions-lib.json"), "utf8")).length)
  const [newest] = JSON.parse(fs.readFileSync(join(ANSWERS, "sessions-app.json"), "utf8"))
  await store.importFrom(opencodeDatabase(path), { since: newest.time.updated })
  expect(await store.sessions.count({ projectID: newest.projectID })).toBe(1)
  const folder = copyOfTree("opencode-1.1.65")
  const source = fs.existsSync(join(folder, "storage")) ? join(folder, "storage") : folder
  const before = snapshot(source)
  expect((await store.importFrom(jsonFolder(source))).sessions.added).toBe(9)
  expect(snapshot(source)).toEqual(before)
  expect(store.importFrom(jsonFolder(store.directory))).rejects.toBeInstanceOf(TypeError)
  expect(store.importFrom(opencodeDatabase(join(folder, "none.db")))).rejects.toMatchObject({
    code: "NOT_FOUND",
  })
})

test("what cannot be read is told and costs one record; what nobody can read in the store is left", async () => {
  const path = database()
  await using store = await open()
  const [part] = new Database(path).query<{ id: string; message_id: string }, []>("SELECT * FROM part").all()
  run(path, `UPDATE part SET data = '{ torn' WHERE id = '${part?.id}'`)
  const [first] = JSON.parse(fs.readFileSync(join(ANSWERS, "sessions-app.json"), "utf8"))
  put(store.directory, `session/${first.projectID}/${first.id}.json`, "{ torn too")
  const { sessions, left } = await store.importFrom(opencodeDatabase(path))
  expect(sessions.added).toBe(9)
  expect(left.map((problem) => problem.path).sort()).toEqual(
    [
      `${path}#part/${part?.message_id}/${part?.id}`,
      join(store.directory, `session/${first.projectID}/${first.id}.json`),
    ].sort(),
  )
  expect(fs.readFileSync(join(store.directory, `session/${first.projectID}/${first.id}.json`), "utf8")).toBe(
    "{ torn too",
  )
})

test("a run that is ended at any record is finished by the next, and no session is listed before it is whole", async () => {
  const path = database()
  const whole = join(tempFolder(), "whole")
  {
    await using store = await open(whole)
    await store.importFrom(opencodeDatabase(path))
  }
  const wanted = records(whole)
  for (let at = 3; at < 130; at += 17) {
    const directory = join(tempFolder(), "store")
    {
      await using store = await open(directory)
      const enough = new AbortController()
      const reason = new Error("enough")
      const watch = async (): Promise<void> => {
        let seen = 0
        for await (const _ of store.changes({ signal: enough.signal }))
          if (++seen === at) enough.abort(reason)
      }
      const watching = watch().catch(() => {})
      await store.importFrom(opencodeDatabase(path), { signal: enough.signal }).catch((error: unknown) => {
        expect(error).toBe(reason)
      })
      enough.abort(reason)
      await watching
      for await (const { id } of store.sessions.list())
        expect(await textOf(store, id)).toBe(fs.readFileSync(join(ANSWERS, `export-${id}.json`), "utf8"))
      await store.importFrom(opencodeDatabase(path))
    }
    expect(records(directory)).toEqual(wanted)
  }
})

test("import --from opencode finds the database, in the data folder too", async () => {
  const data = join(tempFolder(), "opencode")
  fs.mkdirSync(data)
  fs.copyFileSync(join(treePath("opencode-1.18.34"), "opencode.db"), join(data, "opencode.db"))
  expect(await cliHere(data, "import", "--from", "opencode", "--dry-run")).toMatchObject({
    code: 0,
    out: expect.stringContaining("would be added 9, replaced 0, kept 0 sessions"),
  })
  expect(fs.readdirSync(data)).toEqual(["opencode.db"])
  const { code, out } = await cliHere(data, "--json", "import", "--from", "opencode")
  expect({ code, result: lines(out)[0] }).toMatchObject({ code: 0, result: { sessions: { added: 9 } } })
  expect(fs.readdirSync(data).sort()).toEqual(["opencode.db", "storage"])
  // Now it is read from the store's own files, and may be changed.
  expect(lines((await cliHere(data, "--json", "sessions")).out)).toHaveLength(9)
  const other = join(tempFolder(), "store")
  put(other, "session/p/ses_1.json", session("ses_1"))
  const named = ["import", "--from", join(data, "opencode.db"), "--since", "2020-01-01"]
  expect(await cliHere(other, ...named)).toMatchObject({
    code: 0,
    out: expect.stringContaining("added 9"),
  })
  expect((await cliHere(other, "import", "--from", "opencode", "--older")).code).toBe(2)
  expect((await cliHere(other, "import", "x.json", "--since", "30d")).code).toBe(2)
})

test("import --from opencode copies its JSON files too, unless they are the store's own", async () => {
  const home = homeOfAll()
  const data = opencodeOf(home)
  put(data, "storage/session/p/ses_files.json", session("ses_files"))
  put(data, "storage/message/ses_files/msg_1.json", message("msg_1", "ses_files", 1))
  const before = snapshot(join(data, "storage"))
  const other = join(tempFolder(), "store")
  const added = async (...argv: string[]): Promise<unknown[]> => {
    const { code, out } = await cliIn(home, "--json", ...argv)
    expect(code).toBe(0)
    return lines(out).map((one) => {
      const { from, sessions } = one as { from: string; sessions: { added: number } }
      return [from, sessions.added]
    })
  }
  const files = join(data, "storage")
  const database = join(data, "opencode.db")
  expect(await added("--dir", other, "import", "--from", "opencode")).toEqual([
    [files, 1],
    [database, 9],
  ])
  expect(lines((await cliIn(home, "--json", "--dir", other, "messages", "ses_files")).out)).toHaveLength(1)
  for (const named of [data, files])
    expect(
      (await added("--dir", join(tempFolder(), "store"), "import", "--from", `opencode=${named}`))[0],
    ).toEqual([files, 1])
  expect(snapshot(files)).toEqual(before)
  // The store itself is no history to import from, under whatever name.
  const link = join(tempFolder(), "link")
  fs.symlinkSync(files, link)
  for (const own of [["--dir", data], ["--dir", files], ["--dir", link], []])
    expect(
      (await added(...own, "import", "--dry-run", "--from", "opencode")).map((one) => (one as string[])[0]),
    ).toEqual([database])
})

test("what no file of ours can hold is left and told of, and the rest of its session and all others are copied", async () => {
  const home = tempFolder()
  const folder = join(home, "sessions/2026/11/01")
  fs.mkdirSync(folder, { recursive: true })
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
  const ids = [SESSION, SESSION.replace("01a3", "01a4")]
  for (const id of ids) {
    const calls =
      id === SESSION ? [call("deep", { arguments: deep }), call("huge", { arguments: "[1e400]" })] : []
    const of = [meta({ id }), said(`go ${id}`), ...calls, said("go on")]
    const text = of.map((line) => `${JSON.stringify(line)}\n`).join("")
    fs.writeFileSync(join(folder, `rollout-2026-11-01T08-00-00-${id}.jsonl`), text)
  }
  await using store = await open()
  const { sessions, left } = await store.importFrom(transcripts("codex", home))
  expect(sessions).toEqual({ added: 2, replaced: 0, unchanged: 0, kept: 0 })
  expect(left.map(({ code }) => code)).toEqual(["INVALID_RECORD", "INVALID_RECORD"])
  expect((await Array.fromAsync(store.sessions.ids())).toSorted()).toEqual(ids)
  const all = await Array.fromAsync(
    store.messages.stream(SESSION, { direction: "asc" }),
    ({ parts }) => parts,
  )
  expect(all.map((parts) => parts.map(({ text }) => text))).toEqual([[`go ${SESSION}`], [], ["go on"]])
})
