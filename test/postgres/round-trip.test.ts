import { expect, test } from "bun:test"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { findSources, machineOf, openStore, postgres, type Store } from "../../src/index.ts"
import { cliIn, lines } from "../cli/in-process.ts"
import { homeOfAll } from "../support/home.ts"
import { describePostgres } from "../support/postgres.ts"
import { tempFolder, treePath } from "../support/temp.ts"

const QUERIES = [
  "the",
  "read",
  "e",
  "README",
  '"in the"',
  "bun -test",
  "漢字",
  "漢",
  "🙂",
  "=>",
  "no such text",
]

/** All that readers see of a store, but for where it lies. */
async function seen(store: Store) {
  const sessions = await Array.fromAsync(store.sessions.listWithOrigin())
  const each: unknown[] = []
  for (const { session } of sessions)
    each.push({
      messages: await Array.fromAsync(store.messages.stream(session.id)),
      count: await store.messages.count(session.id),
      export: (await Array.fromAsync(store.export(session.id))).join(""),
      children: await Array.fromAsync(store.sessions.children(session.id)),
    })
  const hits: unknown[] = []
  for (const query of QUERIES) {
    const search = store.search(query, { limit: 1_000, timeout: Number.POSITIVE_INFINITY })
    let next = await search.next()
    for (; !next.done; next = await search.next()) {
      const { origin, ...hit } = next.value
      hits.push(hit)
    }
    hits.push({ query, ...next.value })
  }
  return {
    sessions: sessions.map(({ session, source }) => ({ session, source })),
    count: await store.sessions.count(),
    archived: await store.sessions.count({ archived: "exclude" }),
    each,
    hits,
    usage: await store.usage({ timeZone: "UTC" }),
    projects: await Array.fromAsync(store.projects.list()),
  }
}

function openFleet(url: string, folder = tempFolder()): Promise<Store> {
  const roots = [postgres(url)]
  return openStore({
    directory: join(folder, "none"),
    indexPath: join(folder, "index"),
    roots,
    backgroundIndex: false,
  })
}

async function push(store: Store, url: string, machineFolder: string): Promise<void> {
  const pushing = store.push(url, { mask: false, machineFolder })
  let next = await pushing.next()
  while (!next.done) next = await pushing.next()
  expect(next.value.left).toEqual([])
}

describePostgres("a store that was pushed", (server) => {
  test("reads back as it is, of every agent", async () => {
    const url = await server.database()
    const home = homeOfAll()
    const directory = join(tempFolder(), "own")
    await using local = await openStore({
      directory,
      sources: findSources(home),
      keepIndex: true,
      backgroundIndex: false,
    })
    await local.index()
    await push(local, url, tempFolder())
    await using fleet = await openFleet(url)
    const here = await seen(local)
    expect(here.sessions.length).toBeGreaterThan(5)
    expect(here.hits.length).toBeGreaterThan(20)
    const there = await seen(fleet)
    expect(there.sessions).toEqual(here.sessions)
    expect(there).toEqual(here)
  })

  test("the command line reads it, and pulls it into a store", async () => {
    const url = await server.database()
    const directory = join(tempFolder(), "storage")
    cpSync(treePath("opencode-1.1.65/storage"), directory, { recursive: true })
    await using local = await openStore({ directory, backgroundIndex: false })
    const machineFolder = tempFolder()
    await push(local, url, machineFolder)
    expect(await machineOf(machineFolder)).toMatch(/^mch_/)
    expect(await machineOf(tempFolder())).toBeUndefined()
    const home = { environment: {}, home: tempFolder() }
    const cli = (...argv: string[]) => cliIn(home, ...argv)
    const ids = await Array.fromAsync(local.sessions.ids())
    const listed = lines((await cli("--fleet", url, "--json", "sessions")).out) as Record<string, unknown>[]
    expect(listed.map(({ session }) => (session as { id: string }).id)).toEqual(ids)
    expect(listed[0]).toMatchObject({ machine: expect.any(String), alsoOn: [], source: "json" })
    expect((await cli("--fleet", url, "sessions", "--limit", "1")).out).toContain("[json on ")
    const [id = ""] = ids
    expect((await cli("--fleet", url, "export", id)).out).toBe(
      (await Array.fromAsync(local.export(id))).join(""),
    )
    for (const command of [["show", id], ["search", "the"], ["usage"], ["projects"], ["messages", id]])
      expect(await cli("--fleet", url, ...command)).toMatchObject({ code: 0, err: "" })
    expect(await cli("--fleet", url, "prune", "--keep", "1")).toMatchObject({ code: 2 })
    expect(await cli("--fleet", "mysql://x:secret@h/d", "sessions")).toMatchObject({ code: 2 })
    const pulled = join(tempFolder(), "pulled")
    const imported = await cli("--dir", pulled, "import", "--from", url)
    expect(imported).toMatchObject({ code: 0, out: expect.stringContaining(`added ${ids.length}`) })
    await using copy = await openStore({ directory: pulled, backgroundIndex: false })
    for (const session of ids)
      expect((await Array.fromAsync(copy.export(session))).join("")).toBe(
        (await Array.fromAsync(local.export(session))).join(""),
      )
    expect((await cli("--dir", pulled, "import", "--from", url)).out).toContain(
      `${ids.length} were there already`,
    )
  })

  test("a server that is gone, or never had anything, is told, and local histories are read without it", async () => {
    const url = await server.database()
    const home = { environment: {}, home: tempFolder() }
    const gone = "postgres://u:s3cret@127.0.0.1:1/history"
    for (const [target, code] of [
      [gone, "FLEET_UNAVAILABLE"],
      [url, "FLEET_SCHEMA"],
    ] as const) {
      for (const command of [
        ["sessions"],
        ["search", "x"],
        ["export", "ses_1"],
        ["show", "ses_1"],
        ["usage"],
      ]) {
        const ran = await cliIn(home, "--fleet", target, ...command)
        expect({ command, ...ran }).toMatchObject({ code: 1, err: expect.stringContaining(code) })
        expect(ran.err).not.toContain("s3cret")
      }
      const pulled = join(tempFolder(), "pulled")
      const imported = await cliIn(home, "--dir", pulled, "import", "--from", target)
      expect(imported).toMatchObject({ code: 1, err: expect.stringContaining(code) })
    }
    const directory = join(tempFolder(), "storage")
    cpSync(treePath("opencode-1.1.65/storage"), directory, { recursive: true })
    const problems: string[] = []
    const onProblem = ({ code }: { code: string }): unknown => problems.push(code)
    await using store = await openStore({
      directory,
      roots: [postgres(gone)],
      onProblem,
      backgroundIndex: false,
    })
    await using alone = await openStore({ directory, backgroundIndex: false })
    const ids = await Array.fromAsync(alone.sessions.ids())
    expect(await Array.fromAsync(store.sessions.ids())).toEqual(ids)
    expect(await Array.fromAsync(store.sessions.ids())).toEqual(ids)
    expect(await store.sessions.get(ids[0] ?? "")).toBeDefined()
    expect(problems).toEqual(["FLEET_UNAVAILABLE"])
    expect(store.sessions.get("ses_elsewhere")).rejects.toMatchObject({ code: "UNREADABLE" })
    expect(store.health().alsoReading[0]?.index).toMatchObject({ state: "failing" })
  })

  test("what went out of reach is missed and not replaced, and found when it is back", async () => {
    const url = await server.database()
    const directory = join(tempFolder(), "storage")
    cpSync(treePath("opencode-1.1.65/storage"), directory, { recursive: true })
    await using local = await openStore({ directory, backgroundIndex: false })
    await push(local, url, tempFolder())
    await using fleet = await openFleet(url)
    const ids = await Array.fromAsync(fleet.sessions.ids())
    expect(ids.length).toBeGreaterThan(0)
    await server.stop("immediate")
    expect(await Array.fromAsync(fleet.sessions.ids())).toEqual([])
    await expect(fleet.sessions.get(ids[0] ?? "")).rejects.toMatchObject({ code: "UNREADABLE" })
    await server.start()
    let back: string[] = []
    while (back.length === 0) {
      back = await Array.fromAsync(fleet.sessions.ids())
      await Bun.sleep(20)
    }
    expect(back).toEqual(ids)
  })
})
