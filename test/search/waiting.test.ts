import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { openStore, type SearchEnd, type SearchHit, type SearchOptions } from "../../src/index.ts"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { failure, message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")

function fill(directory: string, messages: number, name = "ses"): void {
  for (let m = 0; m < messages; m++) {
    const owner = `${name}_${m % 20}`
    const id = `msg_${name}_${1000 + m}`
    put(directory, `session/p/${owner}.json`, session(owner))
    put(directory, `message/${owner}/${id}.json`, message(id, owner, m * 1000))
    put(directory, `part/${id}/prt_1.json`, { type: "text", text: `needle ${m}` })
  }
}

const newestFirst = (messages: number, name = "ses"): string[] =>
  Array.from({ length: messages }, (_, m) => `msg_${name}_${1000 + messages - 1 - m}`)

/** Opens a store whose walks are counted, and that is slow in opening files of such paths for the first time. */
function openSlowly(options: StoreOptions, isSlow: (path: string) => boolean = () => false) {
  let walks = 0
  const opened = new Set<string>()
  const store = new Store(resolveOptions(options), {
    fs: {
      ...fileSystem,
      readNames(path) {
        // What a walk alone asks for.
        if (path === `${options.directory}/part`) walks++
        return fileSystem.readNames(path)
      },
      openFile(path) {
        if (isSlow(path) && !opened.has(path)) Bun.sleepSync(6)
        opened.add(path)
        return fileSystem.openFile(path)
      },
    },
  })
  return { store, walks: () => walks }
}

async function outcome(
  store: Store,
  query: string,
  options: SearchOptions = {},
  onHit: (hit: SearchHit) => void = () => {},
): Promise<{ ids: (string | undefined)[]; end: SearchEnd }> {
  const search = store.search(query, { limit: 10_000, ...options })
  const ids: (string | undefined)[] = []
  for (let next = await search.next(); ; next = await search.next()) {
    if (next.done) return { ids, end: next.value }
    onHit(next.value)
    ids.push(next.value.messageID)
  }
}

const state = (store: Store): string => store.health().backgroundIndex.state

async function untilState(store: Store, wanted: string): Promise<void> {
  for (let i = 0; i < 1_000 && state(store) !== wanted; i++) await Bun.sleep(5)
  expect(state(store)).toBe(wanted)
}

test("the first search of a store that was just opened finds everything, newest first", async () => {
  const directory = tempFolder()
  fill(directory, 60)
  await using store = await openStore({ directory })
  const found: (string | undefined)[] = []
  for await (const { messageID } of store.search("needle", { limit: 100 })) found.push(messageID)
  expect(found).toEqual(newestFirst(60))
  expect((await outcome(store, "needle")).end).toEqual({ partial: false })
})

test("a process that has nothing else to do does not end before its first search has", async () => {
  const directory = tempFolder()
  fill(directory, 60)
  const script = `import { openStore } from "./src/index.ts"
    const store = await openStore({ directory: ${JSON.stringify(directory)} })
    let found = 0
    for await (const hit of store.search("needle", { limit: 100 })) found++
    console.log(found)
    process.exit()`
  const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" })
  expect((await new Response(child.stdout).text()).trim()).toBe("60")
})

test("a search that is not to wait ends at once and says that more may be found", async () => {
  const directory = tempFolder()
  fill(directory, 30)
  await using store = await openStore({ directory })
  expect(await outcome(store, "needle", { wait: false })).toEqual({
    ids: [],
    end: { partial: true, reason: "indexing" },
  })
  expect(["waiting", "running"]).toContain(state(store))
  await untilState(store, "done")
  expect(await outcome(store, "needle", { wait: false })).toEqual({
    ids: newestFirst(30),
    end: { partial: false },
  })
  // Taken away, the index is made anew without being waited for.
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  expect((await outcome(store, "needle", { wait: false })).end).toEqual({ partial: true, reason: "indexing" })
  await untilState(store, "done")
  expect((await outcome(store, "needle", { wait: false })).ids).toEqual(newestFirst(30))
})

test("what needs no index is not waited for: titles, and the messages of one session", async () => {
  const directory = tempFolder()
  fill(directory, 40)
  for (const wait of [true, false]) {
    await using store = await openStore({ directory, indexPath: tempFolder() })
    const titles = await outcome(store, "session", { in: "title", wait })
    expect(titles).toMatchObject({ end: { partial: false } })
    expect(titles.ids).toHaveLength(20)
    const found = await outcome(store, "needle", { sessionID: "ses_7", wait })
    expect(found).toEqual({ ids: ["msg_ses_1027", "msg_ses_1007"], end: { partial: false } })
    // On a busy machine the background may have begun by itself.
    expect(["waiting", "running"]).toContain(state(store))
  }
})

test("hits come while the store is being indexed, each once, and none is missing at the end", async () => {
  const directory = tempFolder()
  fill(directory, 110)
  const { store, walks } = openSlowly({ directory }, (path) => path.includes("/part/"))
  await using _ = store
  const states = new Set<string>()
  const { ids, end } = await outcome(store, "needle", {}, () => states.add(state(store)))
  expect(end).toEqual({ partial: false })
  expect(ids.toSorted()).toEqual(newestFirst(110).toSorted())
  expect(states).toContain("running")
  expect(walks()).toBe(1)
})

test("a search waits no longer than its time-out, and takes no more hits than its limit", async () => {
  const directory = tempFolder()
  fill(directory, 150)
  const { store } = openSlowly({ directory }, (path) => path.includes("/part/"))
  await using _ = store
  expect(await outcome(store, "absent", { timeout: 100 })).toEqual({
    ids: [],
    end: { partial: true, reason: "timeout" },
  })
  expect(state(store)).toBe("running")
  const { ids, end } = await outcome(store, "needle", { timeout: 400, limit: 3 })
  expect({ ids, end }).toEqual({ ids: newestFirst(150).slice(0, 3), end: { partial: true, reason: "limit" } })
  expect(state(store)).toBe("running")
})

test("a search that waits can be ended, which ends nothing for others", async () => {
  const directory = tempFolder()
  fill(directory, 25)
  const isSlow = (path: string): boolean => path.includes("/part/")
  for (const backgroundIndex of [true, false]) {
    const { store, walks } = openSlowly({ directory, indexPath: tempFolder(), backgroundIndex }, isSlow)
    const stop = new AbortController()
    const ended = failure(outcome(store, "needle", { signal: stop.signal }))
    const goesOn = outcome(store, "needle")
    await Bun.sleep(20)
    stop.abort(new Error("enough"))
    expect(await ended).toMatchObject({ message: "enough" })
    expect((await goesOn).ids.toSorted()).toEqual(newestFirst(25).toSorted())
    expect(await failure(outcome(store, "needle", { signal: stop.signal }))).toMatchObject({
      message: "enough",
    })
    expect(walks()).toBe(1)
    await store.close()
  }
})

test("whoever waits shares one walk; with nobody left it ends, and the next one goes on", async () => {
  const directory = tempFolder()
  fill(directory, 60)
  const { store, walks } = openSlowly({ directory, backgroundIndex: false })
  await using _ = store
  const ends = await Promise.all(["needle 5", "needle", "absent"].map((query) => outcome(store, query)))
  expect(ends.map(({ end }) => end.partial)).toEqual([false, false, false])
  expect(ends.map(({ ids }) => ids.length)).toEqual([15, 60, 0])
  expect(walks()).toBe(1)
  await outcome(store, "needle")
  expect(walks()).toBe(1)
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  const stop = new AbortController()
  const ended = failure(outcome(store, "needle", { signal: stop.signal }))
  stop.abort(new Error("enough"))
  expect(await ended).toMatchObject({ message: "enough" })
  expect((await outcome(store, "needle")).ids).toEqual(newestFirst(60))
  expect(await store.verify()).toMatchObject({ ok: true })
})

test("a store that is closed while a search waits ends it", async () => {
  const directory = tempFolder()
  fill(directory, 60)
  for (const backgroundIndex of [true, false]) {
    const options = { directory, indexPath: tempFolder(), backgroundIndex }
    const { store } = openSlowly(options, (path) => path.includes("/part/"))
    const ended = failure(outcome(store, "needle"))
    await Bun.sleep(20)
    await store.close()
    expect(await ended).toMatchObject({ code: "CLOSED" })
  }
})

test("where there can be no index the files answer, all of them", async () => {
  const directory = tempFolder()
  fill(directory, 30)
  for (const backgroundIndex of [true, false]) {
    const indexPath = join(tempFolder(), "index")
    fs.writeFileSync(indexPath, "in the way")
    await using store = await openStore({ directory, indexPath, backgroundIndex })
    for (const wait of [true, false])
      expect(await outcome(store, "needle", { wait })).toEqual({
        ids: newestFirst(30),
        end: { partial: false },
      })
  }
})

test("all that is read beside a store is waited for too, and told of together", async () => {
  const directory = tempFolder()
  const backup = tempFolder()
  fill(directory, 20)
  fill(backup, 40, "beside")
  await using store = await openStore({ directory, alsoRead: [backup] })
  expect((await outcome(store, "needle", { wait: false })).end).toEqual({ partial: true, reason: "indexing" })
  const { ids, end } = await outcome(store, "needle")
  expect(end).toEqual({ partial: false })
  expect(ids.toSorted()).toEqual([...newestFirst(20), ...newestFirst(40, "beside")].toSorted())
})

test("a look at every file is waited for whatever else is asked", async () => {
  const directory = tempFolder()
  fill(directory, 20)
  await using store = await openStore({ directory, backgroundIndex: false })
  await outcome(store, "needle")
  const { ids } = await outcome(store, "needle", { timeout: Number.POSITIVE_INFINITY })
  expect(ids).toEqual(newestFirst(20))
  put(directory, "message/ses_1/msg_new.json", message("msg_new", "ses_1", 1e9))
  put(directory, "part/msg_new/prt_1.json", { type: "text", text: "needle new" })
  expect((await outcome(store, "needle", { fresh: true, wait: false })).ids).toEqual([
    "msg_new",
    ...newestFirst(20),
  ])
})
