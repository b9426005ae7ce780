import { afterEach, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Hono } from "hono"
import { createHandler } from "sessiondex/http"
import type { SearchHit, Session } from "../../src/index.ts"
import { message, part, session } from "../support/records.ts"
import { copyOfTree, put, tempFolder, treePath, untilProven } from "../support/temp.ts"
import { serving, stopServers } from "./support.ts"

afterEach(stopServers)

const TREE = "opencode-1.1.65/storage"
const ANSWERS = treePath("opencode-1.1.65/answers")
const SESSION = "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"

function answer<T>(name: string): T {
  return JSON.parse(readFileSync(join(ANSWERS, name), "utf8")) as T
}

test("the fixture of release 1.1.65 is answered as that release's server answered it, body for body", async () => {
  const { json } = serving(copyOfTree(TREE))
  let compared = 0
  for (const name of ["sessions-app.json", "sessions-lib.json"]) {
    const expected = answer<Session[]>(name)
    const { projectID = "", directory = "" } = expected[0] ?? {}
    expect(await json(`/session?order=created&project=${projectID}`)).toEqual(expected)
    expect(await json(`/session?order=created&directory=${directory}`)).toEqual(expected)
    for (const body of expected) expect(await json(`/session/${body.id}`)).toEqual(body)
    compared += expected.length
  }
  expect(compared).toBe(9)
  for (const file of readdirSync(ANSWERS)) {
    const [, kind, id = ""] = /^(messages|children)-(.*)\.json$/.exec(file) ?? []
    if (!kind) continue
    compared++
    const expected = answer<Session[]>(file)
    if (kind === "messages") expect(await json(`/session/${id}/message`)).toEqual(expected)
    else {
      const byId = (a: Session, b: Session): number => (a.id < b.id ? -1 : 1)
      const children = (await json(`/session/${id}/children`)) as Session[]
      expect(children.sort(byId)).toEqual(expected.sort(byId))
    }
  }
  expect(compared).toBe(9 + 18)
})

test("filters of the session list, the agent's own among them", async () => {
  const directory = tempFolder()
  const add = (id: string, over: Partial<Session>): string =>
    put(directory, `session/${over.projectID ?? "a"}/${id}.json`, session(id, { projectID: "a", ...over }))
  add("ses_1", { title: "Parse the Config file", time: { created: 10, updated: 50 } })
  add("ses_2", { parentID: "ses_1", time: { created: 20, updated: 40, archived: 41 } })
  add("ses_3", { projectID: "b", directory: "/w", title: 'config "x"', time: { created: 30, updated: 30 } })
  const { json } = serving(directory)
  const ids = async (query: string): Promise<string[]> =>
    ((await json(`/session?${query}`)) as Session[]).map(({ id }) => id)
  expect(await ids("")).toEqual(["ses_1", "ses_2", "ses_3"])
  expect(await ids("roots=true")).toEqual(["ses_1", "ses_3"])
  expect(await ids("parent=none&project=a")).toEqual(["ses_1"])
  expect(await ids("parent=ses_1")).toEqual(["ses_2"])
  expect(await ids("search=config")).toEqual(["ses_1", "ses_3"])
  expect(await ids("search=the%20config")).toEqual(["ses_1"])
  expect(await ids("search=config%20the")).toEqual([])
  expect(await ids("search=%22config%22%20x")).toEqual(["ses_3"])
  expect(await ids("start=40")).toEqual(["ses_1", "ses_2"])
  expect(await ids("updatedSince=41")).toEqual(["ses_1"])
  expect(await ids("archived=only")).toEqual(["ses_2"])
  expect(await ids("directory=/w")).toEqual(["ses_3"])
  expect(await ids("order=created&direction=asc&limit=2")).toEqual(["ses_1", "ses_2"])
})

/** Follows `Link` from page to page. */
async function pages<T>(
  get: (path: string) => Promise<Response>,
  path: string,
  rel: string,
): Promise<{ last: string; items: T[][] }> {
  const items: T[][] = []
  for (let next = path; ; ) {
    const response = await get(next)
    items.push((await response.json()) as T[])
    const target = new RegExp(`<([^>]*)>; rel="${rel}"`).exec(response.headers.get("link") ?? "")?.[1]
    if (target === undefined) return { last: next, items }
    next = path.replace(/\?.*/, "") + target
  }
}

test("pages of sessions and messages lead there and back by their links", async () => {
  const directory = tempFolder()
  for (let i = 0; i < 11; i++) {
    put(directory, `session/p/ses_${i}.json`, session(`ses_${i}`, { time: { created: i, updated: i % 4 } }))
    put(directory, `message/ses_1/msg_${i}.json`, message(`msg_${i}`, "ses_1", i))
  }
  const { get, json } = serving(directory)
  const all = (await json("/session")) as Session[]
  const there = await pages<Session>(get, "/session?limit=4", "next")
  expect(there.items.flat()).toEqual(all)
  expect(there.items.map((page) => page.length)).toEqual([4, 4, 3])
  const back = await pages<Session>(get, there.last, "prev")
  expect(back.items.reverse().flat()).toEqual(all)

  type Entry = { info: { id: string } }
  const ids = (page: Entry[]): string[] => page.map(({ info }) => info.id)
  const older = await pages<Entry>(get, "/session/ses_1/message?limit=4", "next")
  expect(older.items.map(ids)).toEqual([
    ["msg_7", "msg_8", "msg_9", "msg_10"],
    ["msg_3", "msg_4", "msg_5", "msg_6"],
    ["msg_0", "msg_1", "msg_2"],
  ])
  // A page that begins with one message, as a jump to a search hit needs it.
  const jump = await pages<Entry>(get, "/session/ses_1/message?limit=3&from=msg_4", "next")
  expect(jump.items.map(ids)).toEqual([["msg_4", "msg_5", "msg_6"], ["msg_1", "msg_2", "msg_3"], ["msg_0"]])
  const newer = await pages<Entry>(get, "/session/ses_1/message?limit=3&from=msg_4", "prev")
  expect(newer.items.map(ids)).toEqual([["msg_4", "msg_5", "msg_6"], ["msg_7", "msg_8", "msg_9"], ["msg_10"]])
  expect(ids((await json("/session/ses_1/message?from=msg_9")) as Entry[])).toEqual(["msg_9", "msg_10"])
  expect((await get("/session/ses_1/message?from=msg_none")).status).toBe(404)
})

test("one message, its parts, one part; todos and diffs, none where the file is missing", async () => {
  const { json, get } = serving(copyOfTree(TREE))
  const [entry] = answer<{ info: { id: string }; parts: { id: string }[] }[]>(`messages-${SESSION}.json`)
  const at = `/session/${SESSION}/message/${entry?.info.id}`
  expect(await json(at)).toEqual(entry)
  expect(await json(`${at}/part`)).toEqual(entry?.parts)
  expect(await json(`${at}/part/${entry?.parts[0]?.id}`)).toEqual(entry?.parts[0])
  expect(await json(`/session/${SESSION}/todo`)).toEqual([
    { id: "1", content: "first", status: "pending", priority: "high" },
    { id: "2", content: "second", status: "completed", priority: "low" },
  ])
  expect(await json(`/session/${SESSION}/diff`)).toMatchObject([{ file: "note1.txt" }])
  expect(await json("/session/ses_none/todo")).toEqual([])
  for (const path of [
    "/session/ses_none",
    "/session/ses_none/message",
    "/session/ses_none/children",
    `/session/${SESSION}/message/msg_none`,
    `/session/${SESSION}/message/msg_none/part`,
    `${at}/part/prt_none`,
    `/session/ses_other/message/${entry?.info.id}/part/${entry?.parts[0]?.id}`,
    "/nowhere",
    "/assets/../../package.json",
  ])
    expect((await get(path)).status).toBe(404)
})

test("projects without a file of their own are listed; a file that cannot be read hides nothing", async () => {
  const directory = copyOfTree(TREE)
  put(directory, "session/lonely/ses_x.json", session("ses_x"))
  put(directory, "project/torn.json", "{ torn")
  const { json } = serving(directory)
  const projects = (await json("/project")) as { id: string; worktree?: string }[]
  expect(projects.map(({ id, worktree }) => [id.slice(0, 6), worktree])).toEqual([
    ["279c78", "/home/dev/lib"],
    ["d85b40", "/home/dev/app"],
    ["lonely", undefined],
    ["torn", undefined],
  ])
})

test("search: hits, then the end, which tells where to go on", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1", { title: "about zebras" }))
  for (let i = 0; i < 5; i++) {
    put(directory, `message/ses_1/msg_${i}.json`, message(`msg_${i}`, "ses_1", 2_000 + i))
    put(directory, `part/msg_${i}/prt_${i}.json`, part(`prt_${i}`, `msg_${i}`, `zebra <b>${i}</b>`))
  }
  const { get } = serving(directory)
  const found: unknown[] = []
  for (let after: string | undefined = ""; after !== undefined; ) {
    const response: Response = await get(`/search?q=zebra&limit=4&after=${after}`, {
      headers: { accept: "application/x-ndjson" },
    })
    expect(response.headers.get("content-type")).toBe("application/x-ndjson")
    const lines = (await response.text()).trimEnd().split("\n")
    const end = JSON.parse(lines.pop() ?? "") as { end: { partial: boolean; after?: string } }
    for (const line of lines) found.push((JSON.parse(line) as SearchHit).messageID ?? "title")
    expect(end.end.partial).toBe(end.end.after !== undefined)
    after = end.end.after
  }
  expect(found).toEqual(["msg_4", "msg_3", "msg_2", "msg_1", "msg_0", "title"])
  const array = (await (await get("/search?q=zebra&in=title&project=p")).json()) as unknown[]
  expect(array).toEqual([expect.objectContaining({ kind: "title" }), { end: { partial: false } }])
  expect(await (await get("/search?q=absent&wait=false")).json()).toEqual([{ end: { partial: false } }])
  expect((await get("/search?q=x&wait=maybe")).status).toBe(400)
  expect((await get("/search")).status).toBe(400)
  expect((await get("/search?q=x&after=bogus")).status).toBe(400)
})

test("usage counts a fork's copies once and tells of them, or counts them where it is asked to", async () => {
  const { json, store } = serving(copyOfTree(TREE))
  const original = await Array.fromAsync(store.messages.list(SESSION))
  for (const info of original)
    await store.messages.write({ ...info, id: `${info.id}x`, sessionID: "ses_fork" })
  const copies = original.filter(({ role }) => role === "assistant").length
  expect(copies).toBeGreaterThan(0)
  const prompts = 13 + original.length - copies
  expect(await json("/usage")).toMatchObject([{ messages: prompts }, { messages: 27, copies }])
  expect(await json("/usage?copies=count")).toMatchObject([
    { messages: prompts },
    { messages: 27 + copies, copies },
  ])
  expect(await json("/usage?copies=never")).toMatchObject({ status: 400, code: "INVALID_QUERY" })
})

test("usage, stats and health", async () => {
  const { json, store } = serving(copyOfTree(TREE))
  const rows = (await json("/usage")) as { messages: number; model: string | null }[]
  expect(rows).toEqual([...(await store.usage())])
  expect(rows.map(({ model, messages }) => [model, messages])).toEqual([
    [null, 13],
    ["m1", 27],
  ])
  expect(await json("/usage?since=9000000000000")).toEqual([])
  expect(await json("/stats")).toMatchObject({ kinds: { session: { files: 9 } } })
  await json("/session")
  expect(await json("/health")).toMatchObject({
    index: { state: "ready" },
    watch: { state: "off" },
    writable: false,
  })
})

test("what did not change is not sent again; what did is, at once", async () => {
  const directory = copyOfTree(TREE)
  const { get, json, store } = serving(directory)
  await store.index()
  await untilProven()
  const [entry] = answer<{ info: { id: string }; parts: { id: string }[] }[]>(`messages-${SESSION}.json`)
  const at = `/session/${SESSION}/message/${entry?.info.id}`
  const partID = entry?.parts[0]?.id
  const paths = [
    `/session/${SESSION}`,
    "/session?limit=100",
    `/session/${SESSION}/message?limit=100`,
    at,
    `${at}/part/${partID}`,
    `/session/${SESSION}/todo`,
    "/",
    "/assets/app.js",
  ]
  const tags: string[] = []
  for (const path of paths) {
    const tag = (await get(path)).headers.get("etag") ?? ""
    expect(tag).toMatch(/^"[\w-]+"$/)
    tags.push(tag)
    for (const known of [tag, `"x", W/${tag}`, "*"]) {
      const again = await get(path, { headers: { "if-none-match": known } })
      expect([path, again.status, await again.text(), again.headers.get("etag")]).toEqual([
        path,
        304,
        "",
        tag,
      ])
    }
    expect((await get(path, { headers: { "if-none-match": '"x"' } })).status).toBe(200)
  }
  // The same page as lines is another representation.
  expect(
    (await get("/session?limit=100", { headers: { accept: "application/x-ndjson" } })).headers.get("etag"),
  ).not.toBe(tags[1])
  const body = (await json(`/session/${SESSION}`)) as Session
  put(directory, `session/${body.projectID}/${SESSION}.json`, { ...body, title: "changed" })
  put(directory, `part/${entry?.info.id}/${partID}.json`, { ...entry?.parts[0], text: "changed" })
  put(directory, `todo/${SESSION}.json`, [])
  for (const [i, path] of paths.slice(0, 6).entries()) {
    const again = await get(path, { headers: { "if-none-match": tags[i] ?? "" } })
    // A file so young that a later change could leave the same stamp vouches for nothing.
    expect([path, again.status, again.headers.get("etag")]).toEqual([path, 200, null])
  }
})

test("a handler mounted in an app's own server, below a path, answers with links that hold there", async () => {
  const { store } = serving(copyOfTree(TREE))
  const app = new Hono().mount("/history", createHandler(store))
  const response = await app.request("http://localhost/history/session?limit=2")
  expect(response.status).toBe(200)
  expect(await response.json()).toBeArrayOfSize(2)
  const [, target = ""] = /<([^>]*)>/.exec(response.headers.get("link") ?? "") ?? []
  const next = await app.request(new URL(target, "http://localhost/history/session?limit=2"))
  expect(await next.json()).toBeArrayOfSize(2)
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: createHandler(store) })
  expect(await (await fetch(`${server.url}session`)).json()).toBeArrayOfSize(9)
  await server.stop(true)
})

test("removing a session, where writing is allowed", async () => {
  const directory = copyOfTree(TREE)
  put(directory, "message/ses_odd/msg_1.json", "{ torn")
  const served = serving(directory, { writable: true })
  const response = await served.get(`/session/${SESSION}`, { method: "DELETE" })
  expect(await response.json()).toMatchObject({
    sessions: 1,
    messages: 12,
    parts: 33,
    sideFiles: 2,
    left: [],
  })
  expect((await served.get(`/session/${SESSION}`)).status).toBe(404)
  expect((await served.get(`/session/${SESSION}`, { method: "DELETE" })).status).toBe(404)
  const odd = await served.get("/session/ses_odd", { method: "DELETE" })
  expect(await odd.json()).toMatchObject({ left: [{ path: "message/ses_odd/msg_1.json", code: "CORRUPT" }] })
})
