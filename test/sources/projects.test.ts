import { afterEach, expect, test } from "bun:test"
import { findSources, findStore, openStore, type ProjectGroup, type Session } from "../../src/index.ts"
import { cliIn, lines } from "../cli/in-process.ts"
import { serving, stopServers } from "../http/support.ts"
import { homeOfAll } from "../support/home.ts"
import { failure, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

afterEach(stopServers)

const APP = "/home/dev/app"

async function openedHome() {
  const home = homeOfAll()
  const options = { directory: findStore(home), sources: findSources(home), backgroundIndex: false }
  return { home, options, store: await openStore(options) }
}

test("projects of all histories with one work tree are one group, the last used first", async () => {
  const { store } = await openedHome()
  const groups = await Array.fromAsync(store.projects.groups())
  const all = await Array.fromAsync(store.sessions.listWithOrigin())
  const app = groups.find(({ worktree }) => worktree === APP)
  expect(new Set(app?.projects.map(({ source }) => source))).toEqual(
    new Set(["opencode", "claude-code", "codex", "gemini-cli"]),
  )
  expect(app?.ids).toHaveLength(2)
  for (const { worktree, updated, sessions, ids, projects } of groups) {
    const own = all.filter(({ session }) => ids.includes(String(session.projectID)))
    expect([worktree, sessions]).toEqual([worktree, own.length])
    expect(updated).toBe(Math.max(...own.map(({ session }) => session.time.updated)))
    for (const { id, source, origin, sessions } of projects)
      expect(
        own.filter((one) => one.session.projectID === id && one.source === source && one.origin === origin),
      ).toHaveLength(sessions)
  }
  expect(groups.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(all.length)
  expect(groups.map(({ updated }) => updated)).toEqual(
    groups.map(({ updated }) => updated).toSorted((a, b) => Number(b) - Number(a)),
  )
  expect(new Set(groups.map(({ worktree }) => worktree)).size).toBe(groups.length)
  const codex = await Array.fromAsync(store.projects.groups({ source: "codex" }))
  expect(codex).toMatchObject([{ worktree: APP, projects: [{ source: "codex" }] }])
  await store.close()
})

test("the ids of a group filter lists, pages, counts, searches and usage", async () => {
  const { store } = await openedHome()
  const groups = await Array.fromAsync(store.projects.groups())
  const { ids: projectID = [], sessions } = groups.find(({ worktree }) => worktree === APP) ?? {}
  const all = await Array.fromAsync(store.sessions.list())
  const own = all.filter((one) => projectID.includes(String(one.projectID)))
  expect(own.length).toBe(sessions ?? 0)
  expect(own.length).toBeLessThan(all.length)
  expect(await Array.fromAsync(store.sessions.list({ projectID }))).toEqual(own)
  expect(await store.sessions.count({ projectID })).toBe(own.length)
  expect(await store.sessions.count({ projectID, archived: "exclude" })).toBe(
    own.filter(({ time }) => !("archived" in time)).length,
  )
  expect(await store.sessions.count({ projectID: [] })).toBe(0)
  expect(await Array.fromAsync(store.sessions.list({ projectID, source: "opencode" }))).toEqual(
    await Array.fromAsync(store.sessions.list({ directory: APP, source: "opencode" })),
  )
  const paged: Session[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await store.sessions.page({ projectID, limit: 4, cursor })
    paged.push(...page.items)
    cursor = page.older
    if (cursor === undefined) break
  }
  expect(paged).toEqual(own)
  const within = new Set(own.map(({ id }) => id))
  const hits = await Array.fromAsync(store.search("e", { limit: 5_000, timeout: 60_000 }))
  expect(await Array.fromAsync(store.search("e", { limit: 5_000, projectID, timeout: 60_000 }))).toEqual(
    hits.filter(({ sessionID }) => within.has(sessionID)),
  )
  const messages = (rows: readonly { messages: number }[]): number =>
    rows.reduce((sum, row) => sum + row.messages, 0)
  let expected = 0
  for (const id of within) expected += await store.messages.count(id)
  expect(messages(await store.usage({ projectID, copies: "count" }))).toBe(expected)
  for (const wrong of ["..", ["a", "../b"], 1 as unknown as string])
    expect(await failure(store.sessions.count({ projectID: wrong }))).toMatchObject({ code: "INVALID_KEY" })
  await store.close()
})

test("in one store a session that lies in several of the projects is listed once, as its newest copy", async () => {
  const [directory, backup] = [tempFolder(), tempFolder()]
  const at = (folder: string, project: string, id: string, updated: number): void =>
    void put(
      folder,
      `session/${project}/${id}.json`,
      session(id, { projectID: project, title: `${project} ${updated} word`, time: { created: 1, updated } }),
    )
  at(directory, "a", "ses_1", 5)
  at(directory, "b", "ses_1", 7)
  at(directory, "a", "ses_2", 6)
  at(directory, "b", "ses_2", 6)
  at(directory, "c", "ses_2", 9)
  at(directory, "b", "ses_3", 1)
  for (const alsoRead of [[], [backup]]) {
    await using store = await openStore({ directory, alsoRead, backgroundIndex: false })
    const projectID = ["b", "a"]
    for (const order of ["updated", "created"] as const) {
      const listed = await Array.fromAsync(store.sessions.list({ projectID, order, direction: "asc" }))
      expect(listed.map(({ id }) => id)).toEqual(
        order === "updated" ? ["ses_3", "ses_2", "ses_1"] : ["ses_1", "ses_2", "ses_3"],
      )
      expect(new Set(listed.map(({ title }) => title))).toEqual(
        new Set([listed.find(({ id }) => id === "ses_2")?.title ?? "", "b 7 word", "b 1 word"]),
      )
    }
    expect(await Array.fromAsync(store.sessions.ids({ projectID, limit: 2 }))).toEqual(["ses_1", "ses_2"])
    expect(await store.sessions.count({ projectID })).toBe(3)
    expect(await store.sessions.count({ projectID, updatedSince: 6 })).toBe(2)
    expect((await Array.fromAsync(store.search("word", { projectID }))).map((hit) => hit.sessionID)).toEqual([
      "ses_1",
      "ses_2",
      "ses_3",
    ])
  }
})

test("a project without a record goes by the folder of its newest session; one without sessions comes last", async () => {
  const directory = tempFolder()
  const ran = (id: string, projectID: string, folder: string, updated: number): void =>
    void put(
      directory,
      `session/${projectID}/${id}.json`,
      session(id, { projectID, directory: folder, time: { created: 1, updated } }),
    )
  ran("ses_1", "lost", "/old", 1)
  ran("ses_2", "lost", "/w/", 2)
  ran("ses_3", "kept", "/w/below", 3)
  put(directory, "project/kept.json", { id: "kept", worktree: "/w", name: "Kept" })
  put(directory, "project/new.json", { id: "new", worktree: "/", time: { created: 1 } })
  put(directory, "project/torn.json", "{ torn")
  await using store = await openStore({ directory, backgroundIndex: false })
  const origin = store.directory
  const one = (id: string, sessions: number) => ({ id, source: "json", origin, sessions })
  expect(await Array.fromAsync(store.projects.groups())).toEqual([
    {
      worktree: "/w",
      name: "Kept",
      updated: 3,
      sessions: 3,
      ids: ["kept", "lost"],
      projects: [one("kept", 1), one("lost", 2)],
    },
    { worktree: null, updated: null, sessions: 0, ids: ["torn"], projects: [one("torn", 0)] },
    { worktree: "/", updated: null, sessions: 0, ids: ["new"], projects: [one("new", 0)] },
  ])
})

test("over HTTP groups are those of the library, and several projects filter sessions, hits and usage", async () => {
  const home = homeOfAll()
  const { json, get, store } = serving(findStore(home), {}, { sources: findSources(home) })
  const groups = (await json("/project?groups=true")) as ProjectGroup[]
  expect(groups).toEqual(await Array.fromAsync(store.projects.groups()))
  expect(await json("/project?groups=true&source=codex")).toHaveLength(1)
  const projectID = groups.find(({ worktree }) => worktree === APP)?.ids ?? []
  const query = new URLSearchParams(projectID.map((id) => ["project", id])).toString()
  expect(await json(`/session?${query}`)).toEqual(await Array.fromAsync(store.sessions.list({ projectID })))
  expect(await json(`/session?${query}&limit=3`)).toEqual(
    await Array.fromAsync(store.sessions.list({ projectID, limit: 3 })),
  )
  expect(await json(`/usage?${query}`)).toEqual(await store.usage({ projectID }))
  const hits = (await json(`/search?q=e&limit=1000&${query}`)) as object[]
  const within = new Set(await Array.fromAsync(store.sessions.ids({ projectID })))
  for (const hit of hits.slice(0, -1)) expect(within).toContain((hit as { sessionID: string }).sessionID)
  expect((await get("/session?project=a&project=..")).status).toBe(400)
}, 60_000)

test("the command line lists groups, and takes a work tree for --project", async () => {
  const { home, store } = await openedHome()
  const groups = await Array.fromAsync(store.projects.groups())
  expect(lines((await cliIn(home, "--json", "projects")).out)).toEqual(groups)
  expect(lines((await cliIn(home, "--json", "projects", "--limit", "2")).out)).toEqual(groups.slice(0, 2))
  const shown = (await cliIn(home, "projects")).out.split("\n")
  expect(shown.filter(Boolean)).toHaveLength(groups.length)
  expect(shown.find((line) => line.includes(`${APP} `))).toContain("opencode, claude-code, codex, gemini-cli")
  const { ids: projectID = [] } = groups.find(({ worktree }) => worktree === APP) ?? {}
  const expected = await Array.fromAsync(store.sessions.ids({ projectID }))
  const ids = async (...argv: string[]): Promise<string[]> =>
    (lines((await cliIn(home, "--json", "sessions", ...argv)).out) as { session: Session }[]).map(
      ({ session }) => session.id,
    )
  expect(await ids("--project", APP)).toEqual(expected)
  expect(await ids(...projectID.flatMap((id) => ["--project", id]))).toEqual(expected)
  expect(await ids("--directory", APP)).toEqual(await Array.fromAsync(store.sessions.ids({ directory: APP })))
  expect(await cliIn(home, "search", "e", "--project", APP)).toMatchObject({ code: 0 })
  const none = await cliIn(home, "sessions", "--project", "/nowhere")
  expect(none).toMatchObject({ code: 1, out: "" })
  expect(none.err).toContain("NOT_FOUND: No project has the work tree /nowhere")
  await store.close()
}, 60_000)
