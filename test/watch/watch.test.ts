import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { StoreParts } from "../../src/composition.ts"
import type { StoreChange } from "../../src/index.ts"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"
import { limited, until } from "./support.ts"

tempFoldersOnDisk()

interface Watching extends AsyncDisposable {
  readonly store: Store
  readonly seen: StoreChange[]
}

/** A store that watches, and what it has told. */
async function watching(
  directory: string,
  options: Partial<StoreOptions> = {},
  parts: StoreParts = {},
): Promise<Watching> {
  const store = new Store(
    resolveOptions({ directory, durability: "relaxed", watch: true, ...options }),
    parts,
  )
  const seen: StoreChange[] = []
  const reading = (async () => {
    for await (const change of store.changes()) seen.push(change)
  })()
  await until(() => store.health().watch.state !== "starting")
  await until(() => !["waiting", "running"].includes(store.health().backgroundIndex.state))
  return {
    store,
    seen,
    async [Symbol.asyncDispose]() {
      await store.close()
      await reading
    },
  }
}

/** What the index holds, asked by someone who looks at no file. */
function rows<T>(directory: string, sql: string): T[] {
  using database = new Database(join(directory, INDEX), { readonly: true })
  return database.query<T, []>(sql).all()
}

test("what another program changes reaches the index without anyone asking, and is told", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  await using watch = await watching(directory)
  const { seen } = watch
  const by = "other"
  const titles = (): string[] =>
    rows<{ title: string }>(directory, "select title from sessions order by title").map(({ title }) => title)
  const step = async (
    change: () => void,
    told: StoreChange[],
    indexed: () => boolean = () => true,
  ): Promise<void> => {
    seen.length = 0
    change()
    await until(() => seen.length >= told.length)
    await until(indexed)
    expect(seen).toEqual(told)
    // One change is told once.
    await Bun.sleep(60)
    expect(seen).toEqual(told)
  }
  const ses1 = { kind: "session", by, projectID: "p", sessionID: "ses_1" } as const
  const inPlace = { ...session("ses_1"), title: "in place" }
  await step(
    () => put(directory, "session/p/ses_1.json", inPlace),
    [{ ...ses1, type: "written" }],
    () => titles()[0] === "in place",
  )
  await step(
    () => {
      const temp = put(directory, "session/p/.oc-1.tmp", { ...session("ses_1"), title: "renamed over" })
      fs.renameSync(temp, join(directory, "session/p/ses_1.json"))
    },
    [{ ...ses1, type: "written" }],
    () => titles()[0] === "renamed over",
  )
  await step(
    () => put(directory, "session/q/ses_2.json", session("ses_2", { title: "zzz" })),
    [{ kind: "session", type: "written", by, projectID: "q", sessionID: "ses_2" }],
    () => titles()[1] === "zzz",
  )
  await step(
    () => put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1")),
    [{ kind: "part", type: "written", by, sessionID: "ses_1", messageID: "msg_1", partID: "prt_1" }],
    () => rows(directory, "select 1 from parts").length === 1,
  )
  await step(
    () => put(directory, "part/msg_1/prt_2.json", part("prt_2", "msg_1")),
    [{ kind: "part", type: "written", by, sessionID: "ses_1", messageID: "msg_1", partID: "prt_2" }],
    () => rows(directory, "select 1 from parts").length === 2,
  )
  await step(
    () => put(directory, "todo/ses_1.json", []),
    [{ kind: "todo", type: "written", by, sessionID: "ses_1" }],
  )
  await step(
    () => put(directory, "project/p.json", { id: "p" }),
    [{ kind: "project", type: "written", by, projectID: "p" }],
  )
  await step(
    () => fs.rmSync(join(directory, "session/p/ses_1.json")),
    [{ ...ses1, type: "removed" }],
    () => titles().length === 1,
  )
  // A folder that is moved away takes all of it along; one that comes back is another.
  await step(
    () => fs.renameSync(join(directory, "part/msg_1"), join(tempFolder(), "away")),
    [{ kind: "part", type: "removed", by, sessionID: "ses_1", messageID: "msg_1" }],
    () => rows(directory, "select 1 from parts").length === 0,
  )
  seen.length = 0
  fs.mkdirSync(join(directory, "part/msg_1"))
  put(directory, "part/msg_1/prt_9.json", part("prt_9", "msg_1"))
  await until(() => seen.some(({ partID }) => partID === "prt_9"))
  await until(() => rows(directory, "select 1 from parts").length === 1)
}, 30_000)

test("a folder that is put in place of another at once takes the other's rows along, and that is told", async () => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2"]) put(directory, `message/${id}/msg_${id}.json`, message("msg", id, 1))
  await using watch = await watching(directory)
  const { seen } = watch
  const messages = (): string[] =>
    rows<{ id: string }>(directory, "select id from messages order by id").map(({ id }) => id)
  await until(() => messages().length === 2)
  const swap = (id: string, file?: string): void => {
    seen.length = 0
    fs.renameSync(join(directory, "message", id), join(tempFolder(), "away"))
    fs.mkdirSync(join(directory, "message", id))
    if (file !== undefined) put(directory, `message/${id}/${file}.json`, message(file, id, 1))
  }
  swap("ses_1")
  await until(() => seen.length > 0)
  expect(seen[0]).toEqual({ kind: "message", type: "unknown", by: "other", sessionID: "ses_1" })
  await until(() => messages().join() === "msg_ses_2")
  swap("ses_2", "msg_other")
  await until(() => seen.length > 0)
  expect(seen[0]).toEqual({ kind: "message", type: "unknown", by: "other", sessionID: "ses_2" })
  await until(() => messages().join() === "msg_other")
}, 20_000)

test("files beside the folders, and a folder's own attributes, are no changes of records", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  const warned: string[] = []
  await using watch = await watching(directory, { logger: { warn: (text) => void warned.push(text) } })
  const { seen } = watch
  put(directory, "migration", "2")
  put(directory, "notes.txt", "x")
  fs.rmSync(join(directory, "notes.txt"))
  put(directory, "message/notes.txt", "x")
  for (const folder of ["", "session", "message", "message/ses_1"])
    fs.chmodSync(join(directory, folder), 0o750)
  put(directory, "session/p/ses_2.json", session("ses_2"))
  await until(() => seen.length > 0)
  expect(seen).toEqual([
    { kind: "session", type: "written", by: "other", projectID: "p", sessionID: "ses_2" },
  ])
  expect(warned).toEqual([])
}, 20_000)

test("a link to itself in the store's folder keeps neither the watch nor the index from beginning", async () => {
  const directory = tempFolder()
  fs.symlinkSync("loop", join(directory, "loop"))
  put(directory, "session/p/ses_1.json", session("ses_1"))
  await using watch = await watching(directory)
  expect(watch.store.health().watch).toEqual({ state: "watching", folders: 3 })
  expect(rows(directory, "select 1 from sessions")).toHaveLength(1)
}, 20_000)

test("own writes are told once and as our own, however long they take to be safe", async () => {
  await using watch = await watching(tempFolder(), { durability: "full" })
  const { store, seen } = watch
  await store.sessions.write(session("ses_1"))
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => store.messages.write(message(`msg_${i}`, "ses_1", i))),
  )
  for (let i = 0; i < 10; i++) await store.parts.write(part("prt_1", "msg_1", `text ${i}`))
  await store.sessions.remove("ses_1")
  await Bun.sleep(300)
  expect(seen.filter(({ by }) => by === "other")).toEqual([])
  expect(seen.filter(({ kind, type }) => kind === "message" && type === "written")).toHaveLength(50)
  expect(seen.filter(({ kind, type }) => kind === "part" && type === "written")).toHaveLength(10)
}, 30_000)

test("a text that another program writes is found by a search without a sweep", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  await using watch = await watching(directory)
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1", "a quagga"))
  await until(async () => (await all(watch.store.search("quagga"))).length === 1)
}, 20_000)

test("setting up lets others run all the while, and watches every folder", async () => {
  const directory = tempFolder()
  const FOLDERS = 3_000
  for (let i = 0; i < FOLDERS; i++) fs.mkdirSync(join(directory, "part", `msg_${i}`), { recursive: true })
  const store = new Store(resolveOptions({ directory, watch: true, backgroundIndex: false }))
  let turns = 0
  while (store.health().watch.state === "starting") {
    await new Promise((resolve) => setImmediate(resolve))
    turns++
  }
  expect(store.health().watch).toEqual({ state: "watching", folders: FOLDERS + 2 })
  expect(turns).toBeGreaterThan(5)
  await store.close()
  expect(store.health().watch).toEqual({ state: "stopped", folders: 0 })
}, 30_000)

async function sweeps(most: number): Promise<void> {
  const directory = tempFolder()
  for (let i = 0; i < 20; i++) {
    put(directory, `message/ses_${i}/msg_${i}.json`, message(`msg_${i}`, `ses_${i}`, 1))
    put(directory, `part/msg_${i}/prt_${i}.json`, part(`prt_${i}`, `msg_${i}`))
  }
  await using watch = await watching(directory, {}, { watch: limited(most) })
  const { store, seen } = watch
  expect(store.health().watch).toEqual({
    state: "sweeping",
    folders: most,
    reason: expect.stringContaining("ENOSPC"),
  })
  // Stamps are proven, and the index at rest.
  await Bun.sleep(150)
  await store.index()
  seen.length = 0
  put(directory, "part/msg_7/prt_new.json", part("prt_new", "msg_7"))
  await until(() => rows(directory, "select 1 from parts where id = 'prt_new'").length === 1)
  await until(() => seen.length > 0)
  expect(seen).toContainEqual({ kind: "part", type: "unknown", by: "other", messageID: "msg_7" })
  expect(seen.every(({ type }) => type === "unknown")).toBe(true)
}

test("where the system gives few watches, or none, the rest is swept", async () => {
  await Promise.all([6, 0].map(sweeps))
}, 30_000)

test("folders that are put in place of others, the store's own among them, are noticed", async () => {
  const directory = join(tempFolder(), "store")
  put(directory, "session/p/ses_1.json", session("ses_1"))
  await using watch = await watching(directory)
  const { store, seen } = watch
  const other = tempFolder()
  put(other, "session/p/ses_2.json", session("ses_2", { title: "other" }))
  fs.renameSync(directory, `${directory}-old`)
  fs.renameSync(other, directory)
  await until(() => seen.some(({ kind }) => kind === "store"))
  await until(() => store.health().watch.state === "watching")
  seen.length = 0
  put(directory, "session/p/ses_3.json", session("ses_3"))
  await until(() => seen.length > 0)
  expect(seen).toEqual([
    { kind: "session", type: "written", by: "other", projectID: "p", sessionID: "ses_3" },
  ])
}, 30_000)

test("a store whose folder is not there yet is watched once it is", async () => {
  const directory = join(tempFolder(), "later")
  await using watch = await watching(directory, { indexPath: tempFolder() })
  const { store, seen } = watch
  expect(store.health().watch).toMatchObject({
    state: "sweeping",
    reason: expect.stringContaining("not there"),
  })
  put(directory, "session/p/ses_1.json", session("ses_1"))
  await until(() => store.health().watch.state === "watching")
  seen.length = 0
  put(directory, "session/p/ses_2.json", session("ses_2"))
  await until(() => seen.some(({ sessionID }) => sessionID === "ses_2"))
}, 30_000)

test("more changes than the system's queue holds are not lost", async () => {
  const directory = tempFolder()
  put(directory, "message/ses_0/msg_0.json", message("msg_0", "ses_0", 1))
  const child = Bun.spawn(["bun", join(import.meta.dir, "watch-child.ts"), directory], {
    stdin: "pipe",
    stdout: "pipe",
  })
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  const read = async (wanted: (line: Record<string, unknown>) => boolean): Promise<void> => {
    for (;;) {
      const complete = text.split("\n")
      text = complete.pop() ?? ""
      if (complete.some((line) => wanted(JSON.parse(line)))) return
      const { value, done } = await lines.read()
      if (done) throw new Error("The child ended")
      text += value
    }
  }
  await read(({ state }) => state === "watching")
  // While it stands still, inotify's queue of 16,384 events overflows; the last folders are new ones.
  child.kill("SIGSTOP")
  const FILES = 9_000
  for (let i = 1; i <= FILES; i++)
    put(directory, `message/ses_0/msg_${i}.json`, message(`msg_${i}`, "ses_0", i))
  put(directory, "message/ses_new/msg_new.json", message("msg_new", "ses_new", 1))
  child.kill("SIGCONT")
  await read(({ kind, type }) => kind === "store" && type === "unknown")
  await until(() => rows<{ n: number }>(directory, "select count(*) n from messages")[0]?.n === FILES + 2)
  // From now on it hears of the new folder too.
  put(directory, "message/ses_new/msg_last.json", message("msg_last", "ses_new", 2))
  await read(({ messageID }) => messageID === "msg_last")
  child.stdin.end()
  expect(await child.exited).toBe(0)
}, 60_000)
