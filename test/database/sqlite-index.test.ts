import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { basename, dirname, join } from "node:path"
import { SqliteIndex } from "../../src/database/sqlite-index.ts"
import { openStore, type Store } from "../../src/index.ts"
import { silentLogger } from "../../src/logger.ts"
import { all, failure, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

tempFoldersOnDisk()

function filled(): string {
  const directory = tempFolder()
  for (let i = 0; i < 5; i++)
    put(directory, `session/p/ses_${i}.json`, session(`ses_${i}`, { time: { created: i, updated: i } }))
  return directory
}

const IDS = ["ses_4", "ses_3", "ses_2", "ses_1", "ses_0"]
const open = (directory: string): Promise<Store> => openStore({ directory, backgroundIndex: false })

test("opening touches nothing; the index is made when first needed; close empties the WAL", async () => {
  const directory = filled()
  const store = await open(directory)
  expect(store.health().index.state).toBe("unopened")
  expect(fs.existsSync(join(directory, ".sessiondex"))).toBe(false)
  expect(await all(store.sessions.ids())).toEqual(IDS)
  expect(store.health().index).toMatchObject({ state: "ready", journalMode: "wal", failures: 0 })
  await store.close()
  expect(fs.statSync(join(directory, `${INDEX}-wal`), { throwIfNoEntry: false })?.size ?? 0).toBe(0)
  expect(store.health().index.state).toBe("closed")
  expect(await store.write(["a"], 1).catch((error: unknown) => error)).toMatchObject({ code: "CLOSED" })
})

test("deleting the index between any two calls changes no answer", async () => {
  const directory = filled()
  await using store = await open(directory)
  const calls: (() => Promise<unknown>)[] = [
    () => all(store.sessions.ids()),
    () => store.sessions.page({ limit: 2 }),
    () => store.sessions.count({ archived: "exclude" }),
    () => store.sessions.get("ses_3"),
    () => store.write(["message", "ses_1", "msg_1"], { time: { created: 1 } }),
    () => store.messages.count("ses_1"),
    () => all(store.messages.stream("ses_1")),
    () => store.messages.get("msg_1"),
    () => store.index().then(({ sessions, messages }) => ({ sessions, messages })),
  ]
  for (const call of calls) {
    const answer = await call()
    for (const victim of [".sessiondex", INDEX, `${INDEX}-wal`]) {
      fs.rmSync(join(directory, victim), { recursive: true, force: true })
      expect(await call()).toEqual(answer)
    }
  }
})

test("an index that is deleted is not taken for a settled one, however stale listings may be", async () => {
  const directory = filled()
  put(directory, "message/ses_1/msg_1.json", { time: { created: 1 } })
  await using store = await openStore({ directory, backgroundIndex: false, maxStaleness: 60_000 })
  const answers = async () => ({
    ids: await all(store.sessions.ids()),
    page: (await store.sessions.page()).items.length,
    count: await store.sessions.count({ archived: "exclude" }),
    messages: await all(store.messages.ids("ses_1")),
  })
  const before = await answers()
  expect(before).toEqual({ ids: IDS, page: 5, count: 5, messages: ["msg_1"] })
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  expect(await answers()).toEqual(before)
})

test("an index that could not be opened is tried again after a second, also where calls never cease", async () => {
  const directory = filled()
  const elsewhere = join(tempFolder(), "index")
  fs.writeFileSync(elsewhere, "in the way")
  await using store = await openStore({ directory, indexPath: elsewhere, backgroundIndex: false })
  expect(await all(store.sessions.ids())).toEqual(IDS)
  expect(store.health().index.state).toBe("failing")
  fs.rmSync(elsewhere)
  for (let calls = 0; calls < 100 && store.health().index.state !== "ready"; calls++) {
    await Bun.sleep(50)
    expect(await all(store.sessions.ids())).toEqual(IDS)
  }
  expect(store.health().index.state).toBe("ready")
})

test("a damaged index is left for inspection and a new generation begun; other stores of the process follow", async () => {
  const directory = filled()
  const warnings: string[] = []
  await using store = await openStore({
    directory,
    backgroundIndex: false,
    logger: { warn: (message) => warnings.push(message) },
  })
  await using other = await open(directory)
  expect(await all(other.sessions.ids())).toEqual(IDS)
  expect(await all(store.sessions.ids())).toEqual(IDS)
  // Moves everything out of the WAL: pages in there would hide the damage, and heal it.
  await store.close()
  fs.writeFileSync(join(directory, INDEX), "garbage".repeat(1000))
  await using third = await openStore({
    directory,
    backgroundIndex: false,
    logger: { warn: (message) => warnings.push(message) },
  })
  expect(await all(third.sessions.ids())).toEqual(IDS)
  expect(third.health().index).toMatchObject({
    state: "ready",
    path: join(directory, ".sessiondex/index-2.sqlite"),
    damaged: [join(directory, INDEX)],
  })
  expect(fs.readFileSync(join(directory, INDEX), "utf8").startsWith("garbage")).toBe(true)
  expect(warnings).toHaveLength(1)
  expect(await all(other.sessions.ids())).toEqual(IDS)
  expect(other.health().index.path).toBe(join(directory, ".sessiondex/index-2.sqlite"))
})

test("closing one of two stores in a process leaves the other its locks: a second process does not split them", async () => {
  const directory = filled()
  await using store = await open(directory)
  const other = await open(directory)
  for (const each of [store, other]) expect(await all(each.sessions.ids())).toEqual(IDS)
  await other.close()
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dir, "..", "..", "src", "index.ts"))}
    await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
    console.log((await store.sessions.page()).items.length)`
  const child = Bun.spawnSync([process.execPath, "-e", script])
  expect(child.stdout.toString()).toBe("5\n")
  expect(await all(store.sessions.ids())).toEqual(IDS)
  expect(store.health().index).toMatchObject({ failures: 0, damaged: [], path: join(directory, INDEX) })
})

test("an index made by a newer version is left alone; the files answer, logged once and counted", async () => {
  const directory = filled()
  {
    await using store = await open(directory)
    await store.index()
  }
  const database = new Database(join(directory, INDEX))
  database.run(
    "insert into __drizzle_migrations (hash, created_at, name) values ('', 99, '29990101000000_future')",
  )
  database.close()
  const warnings: string[] = []
  await using store = await openStore({
    directory,
    backgroundIndex: false,
    logger: { warn: (message) => warnings.push(message) },
  })
  for (let i = 0; i < 3; i++) expect(await all(store.sessions.ids())).toEqual(IDS)
  expect(store.health()).toMatchObject({
    index: { state: "failing", kind: "newer" },
    answers: { index: 0, files: 3 },
  })
  expect(warnings).toHaveLength(1)
  expect(await store.index().catch((error: unknown) => error)).toMatchObject({ code: "INDEX_UNAVAILABLE" })
})

test("an index that another process holds for itself is no reason to wait or to fail", async () => {
  const directory = filled()
  {
    await using store = await open(directory)
    await store.index()
  }
  const holder = new Database(join(directory, INDEX))
  holder.run("pragma locking_mode = exclusive")
  holder.run("begin exclusive")
  await using store = await open(directory)
  expect(await all(store.sessions.ids())).toEqual(IDS)
  await store.sessions.write(session("ses_9", { projectID: "p", time: { created: 9, updated: 9 } }))
  expect(await all(store.sessions.ids())).toEqual(["ses_9", ...IDS])
  expect(store.health()).toMatchObject({ index: { kind: "busy" }, answers: { files: 2 } })
  holder.close()
  expect(await all(store.sessions.ids())).toEqual(["ses_9", ...IDS])
  expect(store.health().answers.index).toBe(1)
})

test("an index is opened and asked while another process writes to it, and not written to by that", async () => {
  const directory = filled()
  {
    await using store = await open(directory)
    await store.index()
  }
  const path = join(directory, INDEX)
  const { mtimeNs } = fs.statSync(path, { bigint: true })
  const holder = new Database(path)
  holder.run("begin immediate")
  const index = new SqliteIndex({ folder: dirname(path), cacheBytes: 1_000_000, logger: silentLogger })
  expect(await index.read(({ directories }) => directories.allNames("session"))).toEqual(["p"])
  holder.run("rollback")
  holder.close()
  index.close()
  expect(fs.statSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs)
})

test.each([
  ["too long a name", (folder: string) => join(folder, "x".repeat(300))],
  [
    "a link to itself",
    (folder: string) => {
      fs.symlinkSync(join(folder, "loop"), join(folder, "loop"))
      return join(folder, "loop", "index")
    },
  ],
  [
    "a file",
    (folder: string) => {
      fs.writeFileSync(join(folder, "file"), "")
      return join(folder, "file")
    },
  ],
])("an indexPath that cannot be used, %s, is worked around", async (_, path) => {
  await using store = await openStore({
    directory: filled(),
    indexPath: path(tempFolder()),
    backgroundIndex: false,
  })
  expect(await all(store.sessions.ids())).toEqual(IDS)
  expect((await store.sessions.page()).items).toHaveLength(5)
  expect(await store.messages.get("msg_0")).toBeUndefined()
  expect(await all(store.search("ses_3"))).toMatchObject([{ sessionID: "ses_3" }])
  expect(store.health().index).toMatchObject({ state: "failing", kind: "unavailable" })
})

test("the private index of a read-only store goes with its process, and what a killed one left an hour later", async () => {
  const directory = filled()
  const temp = tempFolder()
  const leftBy = (pid: number, age: number): string => {
    const folder = join(temp, `sessiondex-${pid}-${Bun.randomUUIDv7()}`)
    put(folder, "index.sqlite", "")
    fs.utimesSync(folder, Date.now() / 1000 - age, Date.now() / 1000 - age)
    return folder
  }
  const killed = Bun.spawn(["true"])
  await killed.exited
  const old = leftBy(killed.pid, 4_000)
  const kept = [leftBy(killed.pid, 3_000), leftBy(process.pid, 4_000)]
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dir, "..", "..", "src", "index.ts"))}
    const store = await openStore({ directory: ${JSON.stringify(directory)}, readOnly: true, backgroundIndex: false })
    await store.sessions.page()
    console.log(store.health().index.path)
    process.exit(0)`
  const child = Bun.spawnSync([process.execPath, "-e", script], { env: { ...process.env, TMPDIR: temp } })
  const path = child.stdout.toString().trim()
  expect(path.startsWith(temp)).toBe(true)
  expect(fs.existsSync(path)).toBe(false)
  expect(fs.existsSync(old)).toBe(false)
  expect(fs.readdirSync(temp).sort()).toEqual(kept.map((folder) => basename(folder)).sort())
})

test("an empty indexPath is misuse, not the working folder", async () => {
  expect(openStore({ directory: filled(), indexPath: "" })).rejects.toBeInstanceOf(TypeError)
})

test("indexPath keeps everything but the records out of the store", async () => {
  const directory = filled()
  const elsewhere = join(tempFolder(), "index")
  await using store = await openStore({ directory, indexPath: elsewhere, backgroundIndex: false })
  expect(await all(store.sessions.ids())).toEqual(IDS)
  await store.write(["todo", "ses_1"], [])
  expect(fs.readdirSync(directory).sort()).toEqual(["session", "todo"])
  expect(fs.existsSync(join(elsewhere, "index.sqlite"))).toBe(true)
})

test("an index that is closed while it is being made lets go of all it has, and the next one can use it", async () => {
  const folder = join(tempFolder(), "index")
  const index = new SqliteIndex({ folder, cacheBytes: 1_000_000, logger: silentLogger })
  const asked = failure(index.read(({ directories }) => directories.totals()))
  // Far enough to hold the lock; what migrates is then imported.
  await Promise.resolve()
  index.close()
  expect(await asked).toMatchObject({ kind: "unavailable" })
  const next = new SqliteIndex({ folder, cacheBytes: 1_000_000, logger: silentLogger })
  expect(await next.read(({ directories }) => directories.totals())).toMatchObject({ session: 0 })
  next.close()
})
