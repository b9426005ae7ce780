import { expect, test } from "bun:test"
import { join } from "node:path"
import { findSources, findStore, openStore, type SourceName, type Store } from "../../src/index.ts"
import { homeOfAll } from "../support/home.ts"
import { put } from "../support/temp.ts"

const NAMES: readonly SourceName[] = ["opencode", "claude-code", "codex", "gemini-cli"]

/** A store over all histories of a home, and one over each alone. */
async function opened() {
  const home = homeOfAll()
  const sources = findSources(home)
  const directory = findStore(home)
  const open = (only?: SourceName): Promise<Store> =>
    openStore({
      directory,
      sources: sources.filter(({ name }) => only === undefined || name === only),
      backgroundIndex: false,
    })
  return { sources, open, store: await open() }
}

test("lists, pages and counts of one source are those of a store over it alone, and say so beside the body", async () => {
  const { store, open, sources } = await opened()
  let all = 0
  for (const source of NAMES) {
    await using alone = await open(source)
    const place = sources.find(({ name }) => name === source)?.place ?? ""
    const expected = await Array.fromAsync(alone.sessions.list())
    all += expected.length
    expect(await Array.fromAsync(store.sessions.list({ source }))).toEqual(expected)
    expect(await Array.fromAsync(store.sessions.ids({ source, limit: 3 }))).toEqual(
      expected.slice(0, 3).map(({ id }) => id),
    )
    expect(await store.sessions.count({ source })).toBe(expected.length)
    expect(await store.sessions.count({ source, archived: "exclude" })).toBe(
      await alone.sessions.count({ archived: "exclude" }),
    )
    const page = await store.sessions.page({ source, limit: 2 })
    const next = await store.sessions.page({ source, limit: 100, cursor: page.older })
    expect([...page.items, ...next.items]).toEqual(expected)
    for await (const { session, ...from } of store.sessions.listWithOrigin({ source })) {
      const origin = source === "opencode" ? join(place, "opencode.db") : place
      expect(from).toEqual({ source, origin })
      expect(await store.sessions.getWithOrigin(session.id)).toEqual({ session, ...from })
      expect(session).not.toHaveProperty("origin")
    }
  }
  expect(await store.sessions.count()).toBe(all)
  expect(await store.sessions.count({ source: NAMES })).toBe(all)
  expect(await store.sessions.count({ source: ["codex", "opencode"] })).toBeLessThan(all)
  expect(await Array.fromAsync(store.sessions.list({ source: "json" }))).toEqual([])
  expect(() => store.sessions.ids({ source: 1 as unknown as string }).next()).toThrow(TypeError)
  await store.close()
}, 60_000)

test("a session that two sources have is one of where it is read", async () => {
  const { store } = await opened()
  const [codex] = await Array.fromAsync(store.sessions.list({ source: "codex", limit: 1 }))
  if (!codex) throw new Error("There is none")
  const count = await store.sessions.count({ source: "codex" })
  put(store.directory, `session/p/${codex.id}.json`, { ...codex, time: { created: 1, updated: 2 ** 42 } })
  expect(await store.sessions.count({ source: "codex" })).toBe(count - 1)
  expect(await Array.fromAsync(store.sessions.ids({ source: "json" }))).toEqual([codex.id])
  put(store.directory, `session/p/${codex.id}.json`, { ...codex, time: { created: 1, updated: 2 } })
  expect(await store.sessions.count({ source: "codex" })).toBe(count)
  expect(await Array.fromAsync(store.sessions.ids({ source: "json" }))).toEqual([])
  await store.close()
}, 60_000)

test("hits and usage say their source, and are filtered by it and by the work tree", async () => {
  const { store, open } = await opened()
  const hits = await Array.fromAsync(store.search("e", { limit: 5_000, timeout: 60_000 }))
  const usage = await store.usage()
  expect(new Set(hits.map(({ source }) => source))).toEqual(new Set(NAMES))
  expect(new Set(usage.map(({ source }) => source))).toEqual(new Set(NAMES))
  for (const source of NAMES) {
    await using alone = await open(source)
    const ofSource = hits.filter((hit) => hit.source === source)
    expect(await Array.fromAsync(store.search("e", { limit: 5_000, timeout: 60_000, source }))).toEqual(
      ofSource,
    )
    expect(await Array.fromAsync(alone.search("e", { limit: 5_000, timeout: 60_000 }))).toEqual(ofSource)
    expect(await store.usage({ source })).toEqual(usage.filter((row) => row.source === source))
    expect(await alone.usage()).toEqual(usage.filter((row) => row.source === source))
    const sessions = await Array.fromAsync(alone.sessions.list())
    const directory = sessions.find((session) => session.directory)?.directory ?? ""
    const within = new Set(sessions.flatMap((one) => (one.directory === directory ? [one.id] : [])))
    expect(within.size).toBeGreaterThan(0)
    expect(
      await Array.fromAsync(store.search("e", { limit: 5_000, timeout: 60_000, source, directory })),
    ).toEqual(ofSource.filter(({ sessionID }) => within.has(sessionID)))
    const sum = (rows: readonly { messages: number }[]): number =>
      rows.reduce((total, { messages }) => total + messages, 0)
    let messages = 0
    for (const id of within) messages += await alone.messages.count(id)
    expect(sum(await store.usage({ source, directory, copies: "count" }))).toBe(messages)
  }
  expect(await store.usage({ directory: "/nowhere" })).toEqual([])
  await store.close()
}, 60_000)

test("each place is told of with its sessions, bytes and state, and what cannot be read of it", async () => {
  const { store, sources } = await opened()
  const torn = put(
    sources[2]?.place ?? "",
    "sessions/2026/11/27/rollout-2026-11-27T08-00-00-01a216f9-34d6-7eb2-889d-6826d33f4099.jsonl",
    "{ torn\n",
  )
  const reports = await Array.fromAsync(store.sources())
  expect(reports.map(({ source, state }) => ({ source, state }))).toEqual(
    NAMES.map((source) => ({ source, state: "read" })),
  )
  for (const { source, place, sessions, bytes, problems } of reports) {
    expect(sessions).toBe(await store.sessions.count({ source: source as SourceName }))
    expect(bytes).toBeGreaterThan(10_000)
    expect(place).toStartWith(sources.find(({ name }) => name === source)?.place ?? "?")
    expect(problems.map(({ path }) => path.split(":")[0])).toEqual(source === "codex" ? [torn] : [])
  }
  await store.close()
}, 60_000)
