import { expect, test } from "bun:test"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { findSources, findStore, openStore, type Store, transcripts } from "../../src/index.ts"
import { emptyHome, homeOfAll, opencodeOf } from "../support/home.ts"
import { session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"

async function ids(store: Store): Promise<string[]> {
  return await Array.fromAsync(store.sessions.ids())
}

test("reads every history of a home, each as it is alone, and makes nothing there", async () => {
  const home = homeOfAll()
  const sources = findSources(home)
  const before = snapshot(home.home)
  const alone: string[] = []
  for (const source of sources) {
    await using store = await openStore({ directory: findStore(home), sources: [source] })
    const found = await ids(store)
    expect(found.length).toBeGreaterThan(3)
    expect(store.missing()).toEqual([])
    alone.push(...found)
  }
  {
    await using store = await openStore({ directory: findStore(home), sources })
    expect((await ids(store)).toSorted()).toEqual(alone.toSorted())
    expect(await store.sessions.count()).toBe(alone.length)
    expect((await Array.fromAsync(store.search("the"))).length).toBeGreaterThan(0)
    expect((await store.usage()).length).toBeGreaterThan(0)
    expect(await store.index()).toMatchObject({ sessions: alone.length })
    expect(await store.verify()).toMatchObject({ ok: true })
  }
  expect(snapshot(home.home)).toEqual(before)
})

test("keepIndex makes the store's folder for the indexes, which later reads use", async () => {
  const home = homeOfAll()
  const sources = findSources(home).filter(({ name }) => name !== "opencode")
  const directory = findStore(home)
  let sessions = 0
  {
    await using store = await openStore({ directory, sources, keepIndex: true, backgroundIndex: false })
    sessions = (await store.index()).sessions
    expect(sessions).toBeGreaterThan(30)
  }
  expect(readdirSync(directory)).toContain(".sessiondex")
  await using store = await openStore({ directory, sources, backgroundIndex: false })
  expect(await ids(store)).toHaveLength(sessions)
  for (const { index } of store.health().alsoReading) expect(index.path).toStartWith(directory)
  // What was indexed is not read again.
  expect(await store.index()).toMatchObject({ sessions, read: 0 })
})

test("the first write makes the store; what was read beside it stays where it is", async () => {
  const home = homeOfAll()
  const directory = findStore(home)
  const before = snapshot(join(home.home, ".codex"))
  await using store = await openStore({ directory, sources: findSources(home), backgroundIndex: false })
  const listed = (await ids(store)).length
  expect(existsSync(directory)).toBe(false)
  await store.sessions.write(session("ses_mine"))
  expect(existsSync(join(directory, "session/proj/ses_mine.json"))).toBe(true)
  expect(await ids(store)).toHaveLength(listed + 1)
  expect(snapshot(join(home.home, ".codex"))).toEqual(before)
})

test("a source that is not there is told of; other histories are read all the same", async () => {
  const home = homeOfAll()
  const nowhere = join(home.home, "nowhere")
  const sources = [...findSources(home).slice(2, 3), { name: "gemini-cli", place: nowhere } as const]
  await using store = await openStore({ directory: findStore(home), sources, backgroundIndex: false })
  expect(store.missing()).toMatchObject([{ code: "NOT_FOUND", path: nowhere }])
  expect((await ids(store)).length).toBeGreaterThan(5)
})

test("opencode's data folder as a source brings its files, its older layout and its databases, each once", async () => {
  const home = homeOfAll()
  const data = opencodeOf(home)
  put(data, "storage/session/p/ses_1.json", session("ses_1"))
  put(data, "project/work/storage/session/info/ses_2.json", session("ses_2"))
  const [opencode] = findSources(home)
  if (!opencode) throw new Error("There is no opencode")
  for (const directory of [tempFolder(), data]) {
    await using store = await openStore({ directory, sources: [opencode], backgroundIndex: false })
    expect(await ids(store)).toHaveLength(11)
    const places = [store.directory, ...store.health().alsoReading.map(({ directory }) => directory)]
    expect(new Set(places).size).toBe(places.length)
    expect(places).toContain(join(data, "opencode.db"))
  }
})

test("what is no source is a TypeError", async () => {
  const directory = tempFolder()
  for (const sources of [{}, [{ name: "other", place: "/x" }], [{ name: "codex", place: "" }]])
    expect(openStore({ directory, sources: sources as [] })).rejects.toThrow(TypeError)
})

test("transcripts of an agent are a root like any other", async () => {
  const { home } = homeOfAll()
  const place = join(home, ".codex")
  await using store = await openStore({
    directory: emptyHome().home,
    roots: [transcripts("codex", place)],
    backgroundIndex: false,
  })
  expect((await ids(store)).length).toBeGreaterThan(5)
  expect(store.health().alsoReading).toMatchObject([{ directory: place, layout: "codex" }])
})
