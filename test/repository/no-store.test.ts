import { expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { cliHere, lines } from "../cli/in-process.ts"
import { all, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"

/** What is no store: nothing, another program's folder, and a folder within one. */
const OTHERS: Record<string, (directory: string) => void> = {
  "an empty folder": () => {},
  "another folder": (directory) => put(directory, "src/session.ts", "x"),
  "a project's folder": (directory) => put(directory, "ses_1.json", session("ses_1")),
}

test.each(Object.entries(OTHERS))("reading makes nothing in %s", async (_, fill) => {
  const directory = tempFolder()
  fill(directory)
  const before = snapshot(directory)
  const warnings: string[] = []
  {
    await using store = await openStore({
      directory,
      watch: true,
      logger: { warn: (message) => warnings.push(message) },
    })
    expect(store.missing()).toEqual([expect.objectContaining({ code: "NOT_FOUND", path: directory })])
    expect(await all(store.sessions.list())).toEqual([])
    expect(await store.sessions.count()).toBe(0)
    expect(await all(store.search("anything"))).toEqual([])
    expect(await all(store.messages.list("ses_1"))).toEqual([])
    expect(await all(store.problems())).toEqual([])
    expect(await all(store.orphans())).toEqual([])
    expect(await store.usage()).toEqual([])
    expect(await store.stats()).toMatchObject({ projects: [], indexBytes: 0, trash: { entries: 0 } })
    for (const walk of [store.index(), store.rebuild()])
      expect(await walk).toMatchObject({ sessions: 0, read: 0 })
    expect(await store.verify({ repair: true })).toMatchObject({ ok: true, differences: [] })
    for await (const _ of store.prune({ keep: 0, dryRun: true })) throw new Error("There is nothing to prune")
    while (store.health().backgroundIndex.state !== "done") await Bun.sleep(10)
    expect(warnings).toEqual([])
    expect(snapshot(directory)).toEqual(before)
  }
  expect(snapshot(directory)).toEqual(before)
  const nowhere = join(directory, "nowhere", "storage")
  await using store = await openStore({ directory: nowhere, backgroundIndex: false })
  expect(await store.index()).toMatchObject({ sessions: 0 })
  expect(snapshot(directory)).toEqual(before)
})

test("a store without sessions is listed without an index, and has one when it has some", async () => {
  const directory = tempFolder()
  mkdirSync(join(directory, "session"))
  const index = join(directory, ".sessiondex", "index.sqlite")
  await using store = await openStore({ directory, backgroundIndex: false })
  const ids = (): Promise<string[]> => all(store.sessions.ids())
  expect(await ids()).toEqual([])
  expect((await store.sessions.page()).items).toEqual([])
  expect(existsSync(index)).toBe(false)
  put(directory, "session/app/ses_1.json", session("ses_1"))
  expect(await ids()).toEqual(["ses_1"])
  expect(existsSync(index)).toBe(true)
  rmSync(join(directory, "session"), { recursive: true })
  expect(await ids()).toEqual([])
})

test.each(Object.entries(OTHERS))(
  "every command that reads says of %s that it is no store",
  async (_, fill) => {
    const directory = tempFolder()
    fill(directory)
    const before = snapshot(directory)
    for (const argv of [
      ["sessions"],
      ["sessions", "--json"],
      ["messages", "ses_1"],
      ["show", "ses_1"],
      ["search", "x"],
      ["index"],
      ["rebuild"],
      ["verify"],
      ["verify", "--repair"],
      ["stats"],
      ["orphans"],
      ["export", "ses_1"],
      ["export", "--all", join(tempFolder(), "copy")],
      ["move", "ses_1", "p"],
      ["prune", "--keep", "1", "--yes"],
      ["restore", "--all"],
      ["trash"],
      ["trash", "empty", "--yes"],
      ["serve", "--port", "0"],
    ]) {
      const { code, out, err } = await cliHere(directory, ...argv)
      expect({ argv, code, out }).toEqual({ argv, code: 1, out: "" })
      expect(err).toContain(`NOT_FOUND: ${directory} is no store: it has no session/, message/ or part/`)
      expect(err).toContain("--dir")
      expect(snapshot(directory)).toEqual(before)
    }
    const good = tempFolder()
    put(good, "session/p/ses_1.json", session("ses_1"))
    expect(await cliHere(good, "--also-read", directory, "sessions")).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${directory} is no store`),
    })
    expect(snapshot(directory)).toEqual(before)
  },
)

test("a hint leads from within a store, and from beside it, to the store", async () => {
  const data = tempFolder()
  put(data, "opencode/storage/session/p/ses_1.json", session("ses_1"))
  mkdirSync(join(data, "opencode/log"))
  for (const from of ["", "opencode/log", "opencode/storage/session", "opencode/storage/session/p"])
    expect((await cliHere(join(data, from), "sessions")).err).toContain(
      `Did you mean ${join(data, "opencode/storage")}?`,
    )
})

test.each([
  "session",
  "message",
  "part",
  "project",
  "todo",
  "session_diff",
  "session_share",
  "permission",
  ".sessiondex",
  ".sessiondex-trash",
])("a store that has nothing but %s/ is one, and is indexed", async (name) => {
  const directory = tempFolder()
  mkdirSync(join(directory, name))
  expect(await cliHere(directory, "index")).toMatchObject({ code: 0, err: "" })
  expect(readdirSync(directory)).toContain(".sessiondex")
})

test("a file `migration`, and a folder of records that is a link to one or to nowhere, make a store too", async () => {
  const migration = tempFolder()
  put(migration, "migration", "2")
  const linked = tempFolder()
  symlinkSync(tempFolder(), join(linked, "session"))
  const broken = tempFolder()
  symlinkSync(join(broken, "nowhere"), join(broken, "session"))
  for (const directory of [migration, linked])
    expect(await cliHere(directory, "sessions")).toMatchObject({ code: 0, out: "" })
  const { code, out, err } = await cliHere(broken, "sessions")
  expect({ code, out }).toEqual({ code: 1, out: "" })
  expect(err).toContain(`NOT_A_FILE ${join(broken, "session")}`)
})

test("an empty folder becomes a store when it is first written to, by us or by others, while it is open", async () => {
  for (const write of ["ours", "theirs"]) {
    const directory = join(tempFolder(), "new", "storage")
    await using store = await openStore({ directory, backgroundIndex: write === "ours" })
    expect(await all(store.sessions.list())).toEqual([])
    if (write === "ours") await store.sessions.write(session("ses_1", { title: "the first" }))
    else put(directory, "session/proj/ses_1.json", session("ses_1", { title: "the first" }))
    expect((await all(store.sessions.list())).map(({ id }) => id)).toEqual(["ses_1"])
    expect(store.missing()).toEqual([])
    expect((await all(store.search("first"))).map(({ sessionID }) => sessionID)).toEqual(["ses_1"])
    expect(await store.index()).toMatchObject({ sessions: 1 })
    expect(store.health().index.state).toBe("ready")
    expect(readdirSync(directory)).toContain(".sessiondex")
  }
})

test("an import makes the store that is not there yet; beside a folder that is none nothing is made", async () => {
  const source = tempFolder()
  put(source, "session/p/ses_1.json", session("ses_1", { projectID: "p" }))
  const exported = put(tempFolder(), "one.json", (await cliHere(source, "export", "ses_1")).out)
  const directory = join(tempFolder(), "new")
  expect(await cliHere(directory, "import", exported, "--dry-run")).toMatchObject({ code: 0 })
  expect(await cliHere(directory, "sessions")).toMatchObject({ code: 1 })
  expect(await cliHere(directory, "import", exported)).toMatchObject({ code: 0 })
  expect(lines((await cliHere(directory, "sessions", "--json")).out)).toHaveLength(1)
  const wrong = tempFolder()
  await using store = await openStore({ directory: wrong, alsoRead: [source], backgroundIndex: false })
  expect((await all(store.sessions.list())).map(({ id }) => id)).toEqual(["ses_1"])
  expect((await all(store.search("Session"))).map(({ sessionID }) => sessionID)).toEqual(["ses_1"])
  expect(readdirSync(wrong)).toEqual([])
})
