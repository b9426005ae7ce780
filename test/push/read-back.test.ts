import { expect, test } from "bun:test"
import { join } from "node:path"
import {
  findSources,
  jsonFolder,
  openStore,
  postgres,
  type RootProvider,
  type Store,
} from "../../src/index.ts"
import { homeOfAll } from "../support/home.ts"
import { describePostgres } from "../support/postgres.ts"
import { tempFolder, treePath } from "../support/temp.ts"
import { pushOf } from "./pushing.ts"

/** All that can be read of a store, but for where it lies. */
async function reading(store: Store) {
  const sessions = await Array.fromAsync(store.sessions.list())
  const read = []
  for (const { id } of sessions) {
    const messages = await Array.fromAsync(store.messages.stream(id))
    const count = await store.messages.count(id)
    const exported = (await Array.fromAsync(store.export(id))).join("")
    const children = (await Array.fromAsync(store.sessions.children(id))).map((child) => child.id)
    read.push({ id, messages, count, exported, children })
  }
  const found = []
  for (const query of ["the", "parse", "zebra crossing", "漢字", "naïve", "-the parse", "nothing-has-this"])
    for await (const { sessionID, messageID, snippet } of store.search(query))
      found.push({ query, sessionID, messageID, snippet })
  const ids = await Array.fromAsync(store.sessions.ids({ order: "created", direction: "asc" }))
  const usage = await store.usage()
  return {
    sessions,
    count: await store.sessions.count(),
    read,
    found,
    ids,
    usage: usage.map(({ source: _, ...rest }) => rest),
  }
}

describePostgres("what was pushed and is read back", (server) => {
  test("equals what is here: sessions, messages, parts, counts, search, usage, and exports byte for byte", async () => {
    const home = homeOfAll()
    const histories: [
      string,
      { roots?: readonly RootProvider[]; sources?: ReturnType<typeof findSources> },
    ][] = [
      ["json", { roots: [jsonFolder(join(treePath("opencode-1.1.65"), "storage"))] }],
      ...findSources(home).map((source) => [source.name, { sources: [source] }] as [string, object]),
    ]
    for (const [name, history] of histories) {
      const url = await server.database()
      await using here = await openStore({ directory: tempFolder(), backgroundIndex: false, ...history })
      const { left, masked, sessions } = await pushOf(here, url, { name })
      expect({ name, left, masked }).toEqual({ name, left: [], masked: {} })
      expect(sessions.added).toBeGreaterThan(3)
      await using there = await openStore({
        directory: tempFolder(),
        roots: [postgres(url)],
        backgroundIndex: false,
      })
      expect(await reading(there)).toEqual(await reading(here))
    }
  }, 120_000)
})
