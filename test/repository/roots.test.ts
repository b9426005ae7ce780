import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { jsonFolder, openStore, type RootProvider } from "../../src/index.ts"
import { memoryRoot } from "../root/memory-root.ts"
import { olderData } from "../support/older.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder, untilProven } from "../support/temp.ts"

test("the indexes of what is read beside lie in the store and are kept; deleted they come again", async () => {
  const { directory, older } = olderData()
  const backup = tempFolder()
  put(backup, "session/p/ses_backup.json", session("ses_backup"))
  const before = [snapshot(older), snapshot(backup)]
  await untilProven()
  const options = { directory, alsoRead: [backup], backgroundIndex: false }
  const index = async (): Promise<number> => {
    await using store = await openStore(options)
    const { sessions, messages, parts, read } = await store.index()
    expect([sessions, messages, parts]).toEqual([10, 26, 43])
    expect(await store.verify()).toMatchObject({
      ok: true,
      checked: { sessions: 10, messages: 26, parts: 43 },
    })
    expect((await store.stats()).indexBytes).toBeGreaterThan(100_000)
    return read
  }
  expect(await index()).toBe(79)
  expect(await index()).toBe(0)
  const folder = join(directory, ".sessiondex", "also-read")
  expect(fs.readdirSync(folder)).toHaveLength(2)
  fs.rmSync(folder, { recursive: true })
  expect(await index()).toBe(79)
  expect([snapshot(older), snapshot(backup)]).toEqual(before)
})

test("a read-only store keeps its indexes of others out of every folder, and a private folder is left clean", async () => {
  const { data, directory } = olderData()
  const before = snapshot(data)
  {
    await using store = await openStore({ directory, readOnly: true })
    expect(await all(store.sessions.ids())).toHaveLength(9)
    await store.index()
    expect(store.health().alsoReading).toMatchObject([{ layout: "older", index: { state: "ready" } }])
  }
  expect(snapshot(data)).toEqual(before)
})

test("what was imported is listed at once, whatever the staleness allowed", async () => {
  const { directory, older } = olderData()
  await using store = await openStore({ directory, older: false, maxStaleness: 1e9, backgroundIndex: false })
  const id = "ses_dfbe64387ffeRSXOaHQH6xlKGc"
  expect(await all(store.sessions.ids())).toEqual([])
  expect(await all(store.messages.ids(id))).toEqual([])
  await store.importOlder({ directory: older })
  expect(await all(store.sessions.ids())).toHaveLength(9)
  expect(await all(store.messages.ids(id))).toHaveLength(4)
  expect((await all(store.search("explore repo"))).length).toBeGreaterThan(0)
})

test("a file in the place of an older project's sessions is told of", async () => {
  const { directory, older } = olderData()
  const path = put(older, "broken/storage/session/info", "no folder")
  await using store = await openStore({ directory, backgroundIndex: false })
  const told = async (): Promise<string[]> =>
    (await all(store.problems())).map((problem) => `${problem.code} ${problem.path}`)
  expect(await told()).toEqual([`NOT_A_FILE ${path}`])
  expect(await all(store.sessions.ids())).toHaveLength(9)
  fs.rmSync(path)
  expect(await told()).toEqual([])
})

test("links in an older tree are told and not followed", async () => {
  const { directory, older } = olderData()
  const elsewhere = tempFolder()
  put(elsewhere, "storage/session/info/ses_linked.json", session("ses_linked"))
  fs.symlinkSync(elsewhere, join(older, "linked"))
  const app = join(older, "home-dev-app/storage/session")
  put(app, "info/ses_1.json", session("ses_1"))
  put(app, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(elsewhere, "parts/msg_1/prt_1.json", part("prt_1", "msg_1"))
  fs.symlinkSync(join(elsewhere, "parts"), join(app, "part", "ses_1"))
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await all(store.sessions.ids())).not.toContain("ses_linked")
  expect(await all(store.messages.stream("ses_1"))).toMatchObject([{ info: { id: "msg_1" }, parts: [] }])
  const problems = (await all(store.problems())).map(({ path, code }) => `${code} ${path}`)
  expect(problems).toContain(`NOT_A_FILE ${join(older, "linked/storage/session/info")}`)
  const { unreadable } = await store.importOlder()
  expect(unreadable.map(({ path, code }) => `${code} ${path}`).sort()).toEqual([
    `NOT_A_FILE ${join(app, "part/ses_1")}`,
    `NOT_A_FILE ${join(older, "linked/storage/session/info")}`,
  ])
  expect(fs.existsSync(join(directory, "part/msg_1"))).toBe(false)
})

test.each([
  "",
  "storage",
  "storage/session",
  "storage/session/info",
  "storage/session/message",
  "storage/session/message/ses_1",
  "storage/session/part",
  "storage/session/part/ses_1",
  "storage/session/part/ses_1/msg_1",
])(
  "a link in the place of %j of an older project is told by a path that is there, wherever it leads",
  async (at) => {
    for (const target of ["moved", "nowhere"]) {
      const data = tempFolder()
      const directory = join(data, "storage")
      const project = join(data, "project/app")
      const records = join(project, "storage/session")
      put(records, "info/ses_1.json", session("ses_1"))
      put(records, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
      put(records, "part/ses_1/msg_1/prt_1.json", part("prt_1", "msg_1"))
      // A link in the place of a whole project tells only where there is another: it may be anything.
      if (at === "") put(data, "project/lib/storage/session/info/ses_2.json", session("ses_2"))
      fs.renameSync(join(project, at), join(data, "moved"))
      fs.symlinkSync(join(data, target), at === "" ? project : join(project, at))
      await using store = await openStore({ directory, backgroundIndex: false })
      const problems = await all(store.problems())
      expect(problems.map(({ code }) => code)).toEqual(["NOT_A_FILE"])
      const [{ path = "" } = {}] = problems
      expect(path).toStartWith(project)
      expect(fs.lstatSync(path, { throwIfNoEntry: false })).toBeDefined()
      expect((await store.importOlder()).unreadable).toMatchObject([{ code: "NOT_A_FILE", path }])
      // What lies behind the link is not taken along.
      const kept = ["info", "message", "part"].filter(
        (kind) => at.startsWith(`storage/session/`) && !at.includes(kind),
      )
      const imported = ["session/app/ses_1", "message/ses_1/msg_1", "part/msg_1/prt_1"]
      const there = imported.filter((key) => fs.existsSync(join(directory, `${key}.json`)))
      expect(there).toHaveLength(kept.length)
    }
  },
)

test.each(["--alone", "--beside"])(
  "a part given with coalesce is written though the process ends at once %s",
  async (flag) => {
    const { directory } = olderData()
    put(directory, "session/p/ses_1.json", session("ses_1"))
    const script = `import { openStore } from "./src/index.ts"
    const store = await openStore({ directory: ${JSON.stringify(directory)}, older: process.argv.includes("--beside"), backgroundIndex: false })
    const part = (text) => ({ id: "prt_1", sessionID: "ses_1", messageID: "msg_1", type: "text", text })
    await store.parts.write(part("first"), { coalesce: 10000 })
    store.parts.write(part("last"), { coalesce: 10000 })
    process.exit(0)`
    const child = Bun.spawn(["bun", "-e", script, "--", flag], {
      cwd: join(import.meta.dir, "../.."),
      stderr: "inherit",
    })
    expect(await child.exited).toBe(0)
    expect(JSON.parse(fs.readFileSync(join(directory, "part/msg_1/prt_1.json"), "utf8"))).toMatchObject({
      text: "last",
    })
  },
)

test("declared fields of a root that knows none are read from its bodies, with those of the others", async () => {
  const directory = tempFolder()
  const backup = tempFolder()
  const bodyOf = (id: string, mood: unknown, updated: number) =>
    session(id, { projectID: "p", mood, time: { created: updated, updated } })
  const held = (id: string, mood: unknown, updated: number) => ({
    folder: "p",
    id,
    body: bodyOf(id, mood, updated),
  })
  put(directory, "session/p/ses_1.json", bodyOf("ses_1", "b", 1))
  put(directory, "session/p/ses_2.json", bodyOf("ses_2", "b", 1))
  put(backup, "session/p/ses_3.json", bodyOf("ses_3", "a", 1))
  // Newer than the store's own, and with another mood.
  const sessions = [held("ses_2", "d", 2), held("ses_4", "c", 1), held("ses_5", 5, 1)]
  await using store = await openStore({
    directory,
    alsoRead: [backup],
    roots: [memoryRoot("memory:one", { sessions, messages: [], parts: [] })],
    backgroundIndex: false,
    fields: { session: { mood: "text" } },
  })
  const { sessions: listings } = store
  expect(await all(listings.ids({ order: "mood" }))).toEqual(["ses_2", "ses_4", "ses_1", "ses_3", "ses_5"])
  expect(await all(listings.ids({ order: "mood", direction: "asc", limit: 2 }))).toEqual(["ses_5", "ses_3"])
  expect(await all(listings.ids({ where: { mood: "b" } }))).toEqual(["ses_1"])
  expect(await listings.count({ where: { mood: { from: "b" } } })).toBe(3)
  const first = await listings.page({ order: "mood", limit: 2 })
  const second = await listings.page({ order: "mood", limit: 2, cursor: first.older })
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(["ses_2", "ses_4", "ses_1", "ses_3"])
  expect(store.health().answers.files).toBe(0)
})

test("a count over roots is that of their list also where sessions come, are copied and move while it is made", async () => {
  const own = tempFolder()
  const other = tempFolder()
  for (const id of ["ses_1", "ses_2"]) put(own, `session/p/${id}.json`, session(id))
  put(other, "session/p/ses_3.json", session("ses_3"))
  /** Done once the first root was counted. */
  let meanwhile: (() => void) | undefined
  const beside = jsonFolder(other)
  const provider: RootProvider = {
    place: beside.place,
    open(context) {
      const root = beside.open(context)
      const countSessions = root.catalog.countSessions.bind(root.catalog)
      Object.assign(root.catalog, {
        countSessions(...asked: Parameters<typeof countSessions>) {
          meanwhile?.()
          meanwhile = undefined
          return countSessions(...asked)
        },
      })
      return root
    },
  }
  await using store = await openStore({ directory: own, roots: [provider], backgroundIndex: false })
  const count = () => store.sessions.count({ archived: "exclude" })
  const place = (root: string, id: string): string => join(root, "session", "p", `${id}.json`)
  expect(await count()).toBe(3)
  const changes = [
    () => put(own, "session/p/ses_4.json", session("ses_4")),
    () => fs.renameSync(place(own, "ses_1"), place(other, "ses_1")),
    () => fs.renameSync(place(other, "ses_3"), place(own, "ses_3")),
    () => fs.copyFileSync(place(own, "ses_2"), place(other, "ses_2")),
    () => fs.rmSync(place(own, "ses_2")),
    () => fs.renameSync(place(own, "ses_4"), place(other, "ses_4")),
  ]
  for (const change of changes) {
    meanwhile = change
    expect([await count(), await count()]).toEqual([4, 4])
    // Where roots share a session they are listed, and not counted one after the other.
    meanwhile?.()
    meanwhile = undefined
    expect(await count()).toBe(4)
  }
  fs.rmSync(place(other, "ses_4"))
  expect(await count()).toBe(3)
})
