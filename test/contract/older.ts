import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { ImportOlderProgress, Session, Store } from "../../src/index.ts"
import { migratedTree, olderData, olderRecords, storedRecords } from "../support/older.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder, untilProven } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

/** Everything a store says of its sessions. */
async function everything(store: Store) {
  const sessions = await all(store.sessions.list())
  const messages: unknown[] = []
  for (const { id } of sessions)
    messages.push(...(await all(store.messages.stream(id, { direction: "asc" }))))
  const parts = messages.flatMap((streamed) => (streamed as { parts: unknown[] }).parts)
  return { sessions, messages, parts }
}

const idOf = ({ id }: { id: string }): string => id

/** The older layout: listed in place, and copied into the current one. */
export function olderContract({ open }: Variant): void {
  test("the history of 0.5.29 is listed in place, and nothing there is changed", async () => {
    const { directory, older } = olderData()
    const before = snapshot(older)
    const records = olderRecords(older)
    expect(records.size).toBe(9 + 26 + 43)
    await using store = await open(directory)
    const { sessions, messages, parts } = await everything(store)
    expect([sessions.length, messages.length, parts.length]).toEqual([9, 26, 43])
    for (const body of sessions) {
      const text = records.get(`session/${body.projectID}/${body.id}.json`) ?? ""
      expect(body).toEqual({ ...JSON.parse(text), projectID: body.projectID })
      expect(await store.sessions.origin(body.id)).toBe(older)
      expect(await store.messages.count(body.id)).toBe((await all(store.messages.ids(body.id))).length)
    }
    for (const { info, parts } of messages as { info: Session & { sessionID: string }; parts: Session[] }[]) {
      expect(info).toEqual(JSON.parse(records.get(`message/${info.sessionID}/${info.id}.json`) ?? ""))
      for (const one of parts)
        expect(one).toEqual(JSON.parse(records.get(`part/${info.id}/${one.id}.json`) ?? ""))
    }
    expect(sessions.map((body) => body.time.updated)).toEqual(
      sessions.map((body) => body.time.updated).toSorted((a, b) => b - a),
    )
    expect(snapshot(older)).toEqual(before)
    expect(storedRecords(directory).size).toBe(0)
  })

  test("in place there are pages, counts, children, lookups by id, parts, orphans, problems and search", async () => {
    const { directory, older } = olderData()
    const session = "ses_dfbe64d5affesiiO3CXoOKXqoc"
    const where = "home-dev-app/storage/session"
    const torn = put(older, `${where}/message/${session}/msg_torn.json`, "{ torn")
    const lost = put(older, `${where}/part/${session}/msg_lost/prt_1.json`, {
      type: "text",
      text: "a lost part",
    })
    await using store = await open(directory)
    expect(await store.sessions.count()).toBe(9)
    expect(await store.sessions.count({ projectID: "home-dev-lib" })).toBe(4)
    expect(await store.sessions.count({ parentID: null })).toBe(7)
    expect((await all(store.sessions.children("ses_dfbe64744ffeiMz44bP8scM5CU"))).map(idOf)).toEqual([
      "ses_dfbe646d4ffekh7BS8Jz8638Nh",
    ])
    const first = await store.sessions.page({ limit: 5 })
    const second = await store.sessions.page({ limit: 5, cursor: first.older })
    expect([...first.items, ...second.items]).toEqual(await all(store.sessions.list()))
    expect(second.older).toBeUndefined()
    expect((await store.messages.page(session, { limit: 4 })).items).toHaveLength(4)
    const [message] = await all(store.messages.list(session, { direction: "asc" }))
    expect(await store.messages.get(message?.id ?? "")).toEqual(message)
    const [one] = await all(store.parts.list(message?.id ?? ""))
    expect(await store.parts.get(one?.id ?? "")).toEqual(one)
    expect(await store.parts.count(message?.id ?? "")).toBe(1)
    expect(await store.read(["message", session, message?.id ?? ""])).toEqual(message)
    expect((await all(store.orphans())).map(({ path }) => path)).toEqual([lost])
    expect((await all(store.problems())).map(({ path, code }) => `${code} ${path}`)).toEqual([
      `CORRUPT ${torn}`,
    ])
    expect(await failure(store.messages.get("msg_torn"))).toMatchObject({ code: "CORRUPT", path: torn })
    const hits = await all(store.search("explore", { fresh: true }))
    const titles = hits.filter(({ kind }) => kind === "title").map(({ sessionID }) => sessionID)
    expect(titles).toEqual(["ses_dfbe63d9effedeFirBvmeIG0V8", "ses_dfbe646d4ffekh7BS8Jz8638Nh"])
    expect(hits.length).toBeGreaterThan(4)
    expect(hits.map(({ time }) => time)).toEqual(hits.map(({ time }) => time).toSorted((a, b) => b - a))
    expect((await store.stats()).alsoRead).toMatchObject([
      { directory: older, kinds: { session: { files: 9 }, message: { files: 27 }, part: { files: 44 } } },
    ])
  })

  test("changes in the older folder are seen by the next listing; older: false leaves it out", async () => {
    const { directory, older } = olderData()
    await using store = await open(directory)
    expect(await all(store.sessions.ids())).toHaveLength(9)
    const info = join(older, "home-dev-app/storage/session/info")
    fs.rmSync(join(info, "ses_dfbe64387ffeRSXOaHQH6xlKGc.json"))
    put(info, "ses_new.json", session("ses_new", { time: { created: 1, updated: 2 ** 41 } }))
    expect((await all(store.sessions.ids()))[0]).toBe("ses_new")
    expect(await all(store.sessions.ids())).toHaveLength(9)
    put(older, "home-dev-app/storage/session/message/ses_new/msg_1.json", message("msg_1", "ses_new", 5))
    expect(await all(store.messages.ids("ses_new"))).toEqual(["msg_1"])
    put(older, "home-dev-app/storage/session/part/ses_new/msg_1/prt_1.json", part("prt_1", "msg_1"))
    expect(await all(store.parts.ids("msg_1"))).toEqual(["prt_1"])
    fs.renameSync(join(older, "home-dev-lib"), join(older, "renamed"))
    expect(await all(store.sessions.ids({ projectID: "renamed" }))).toHaveLength(4)
    expect(await all(store.sessions.ids({ projectID: "home-dev-lib" }))).toEqual([])
    await using without = await open(directory, { older: false })
    expect(await all(without.sessions.ids())).toEqual([])
  })

  test("what lies only there cannot be changed, and says what to do", async () => {
    const { directory, older } = olderData()
    const before = snapshot(older)
    await using store = await open(directory)
    const [first] = await all(store.sessions.list())
    const id = first?.id ?? ""
    const [info] = await all(store.messages.list(id))
    const [one] = await all(store.parts.list(info?.id ?? ""))
    const attempts: Promise<unknown>[] = [
      store.sessions.update(id, () => {}),
      store.sessions.write(session(id)),
      store.sessions.remove(id),
      store.messages.update(info?.id ?? "", () => {}),
      store.messages.write(message("msg_new", id, 1)),
      store.messages.remove(info?.id ?? ""),
      store.parts.update(one?.id ?? "", () => {}),
      store.parts.write({ ...part("prt_new", info?.id ?? ""), sessionID: id }),
      store.parts.remove(one?.id ?? ""),
    ]
    for (const error of await Promise.all(attempts.map(failure)))
      expect(error).toMatchObject({ code: "READ_ONLY", hint: expect.stringContaining("mport") })
    await store.sessions.write(session("ses_other"))
    expect((await store.sessions.get("ses_other"))?.id).toBe("ses_other")
    expect(snapshot(older)).toEqual(before)
  })

  test("imported it is the same; again nothing is written; nothing older is changed", async () => {
    const { directory, older } = olderData()
    const before = snapshot(older)
    await using store = await open(directory)
    const inPlace = await everything(store)
    const progress: ImportOlderProgress[] = []
    const bytes = [...olderRecords(older).values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    expect(await store.importOlder({ onProgress: (step) => progress.push(step) })).toEqual({
      copied: { sessions: 9, messages: 26, parts: 43 },
      present: { sessions: 0, messages: 0, parts: 0 },
      bytes,
      differing: [],
      unreadable: [],
      elapsedMs: expect.any(Number),
    })
    expect(progress).toHaveLength(9)
    expect(progress.at(-1)).toEqual({ done: 9, total: 9, copied: 78 })
    expect(storedRecords(directory)).toEqual(olderRecords(older))
    expect(await everything(store)).toEqual(inPlace)
    for (const { id } of inPlace.sessions) expect(await store.sessions.origin(id)).toBe(directory)
    const inodes = (): unknown =>
      fs
        .readdirSync(directory, { recursive: true, encoding: "utf8" })
        .filter((name) => !name.startsWith(".sessiondex"))
        .map((name) => [name, fs.statSync(join(directory, name), { bigint: true }).ctimeNs])
    const files = inodes()
    expect(await store.importOlder()).toMatchObject({
      copied: { sessions: 0, messages: 0, parts: 0 },
      present: { sessions: 9, messages: 26, parts: 43 },
      bytes: 0,
      differing: [],
    })
    expect(inodes()).toEqual(files)
    expect(snapshot(older)).toEqual(before)
    await using alone = await open(directory, { older: false })
    expect(await everything(alone)).toEqual(inPlace)
  })

  test("a session whose work tree is gone, one of project/global and whole diffs come along; a known work tree names the project", async () => {
    const { directory, older } = olderData()
    const diffs = [{ file: "a.ts", before: "x", after: "y", additions: 1, deletions: 1 }]
    const global = session("ses_global", { summary: { diffs } })
    put(older, "global/storage/session/info/ses_global.json", global)
    put(older, "gone/storage/session/info/ses_gone.json", session("ses_gone"))
    put(older, "gone/storage/session/message/ses_gone/msg_gone.json", {
      ...message("msg_gone", "ses_gone", 1),
      path: { cwd: "/nowhere/at/all", root: "/nowhere/at/all" },
    })
    put(directory, "project/global.json", { id: "global", worktree: "/home/dev/app" })
    put(directory, "project/0123.json", { id: "0123", worktree: "/home/dev/app" })
    await using store = await open(directory)
    expect((await store.sessions.get("ses_global"))?.summary?.diffs).toEqual(diffs)
    await store.importOlder()
    await using alone = await open(directory, { older: false })
    const projects = (await all(alone.sessions.list())).map(({ projectID }) => projectID)
    expect([...new Set(projects)].toSorted()).toEqual(["0123", "global", "gone", "home-dev-lib"])
    expect((await alone.sessions.get("ses_global"))?.summary?.diffs).toEqual(diffs)
    expect(await all(alone.messages.ids("ses_gone"))).toEqual(["msg_gone"])
  })

  test("beside what 1.1.65 made of it every session is listed once, from the store; importing adds nothing", async () => {
    const { directory, older } = olderData()
    fs.cpSync(migratedTree(), directory, { recursive: true })
    const migrated = storedRecords(directory)
    await using store = await open(directory)
    const { sessions, messages, parts } = await everything(store)
    expect([sessions.length, messages.length, parts.length]).toEqual([9, 26, 43])
    for (const { id } of sessions) expect(await store.sessions.origin(id)).toBe(directory)
    expect(await store.importOlder()).toMatchObject({
      copied: { sessions: 0, messages: 0, parts: 0 },
      present: { sessions: 9, messages: 26, parts: 43 },
      differing: [],
    })
    expect(storedRecords(directory)).toEqual(migrated)
    // The same records but for white space; its session files lie in folders of root commits.
    const names = (records: Map<string, string>): string[] =>
      [...records.keys()].map((key) => key.replace(/^session\/[^/]+/, "session")).toSorted()
    const ours = olderRecords(older)
    expect(names(migrated).filter((key) => !key.startsWith("project/"))).toEqual(names(ours))
    let compact = 0
    for (const [key, text] of ours) {
      const theirs =
        migrated.get(key) ??
        [...migrated].find(([other]) => other.endsWith(key.slice(key.lastIndexOf("/"))))?.[1]
      expect(JSON.parse(theirs ?? "")).toEqual(JSON.parse(text))
      if (theirs !== text) compact++
    }
    expect(compact).toBe(78)
    expect(sessions.some((body) => body.directory !== undefined)).toBe(false)
  })

  test("an upgrade that was interrupted is finished; a session that went on is left with what it lacks", async () => {
    const { directory, older } = olderData()
    const halfway = "ses_dfbe64387ffeRSXOaHQH6xlKGc"
    const wentOn = "ses_dfbe63a4bffeccTeRC7eIUF5Ij"
    const place = (id: string, project: string): string =>
      join(older, project, "storage/session/info", `${id}.json`)
    put(directory, `session/p/${halfway}.json`, fs.readFileSync(place(halfway, "home-dev-app"), "utf8"))
    put(
      directory,
      `session/p/${wentOn}.json`,
      session(wentOn, { title: "went on", time: { created: 1, updated: 2 ** 41 } }),
    )
    await using store = await open(directory)
    expect(await store.importOlder()).toMatchObject({
      copied: { sessions: 7, messages: 24 },
      present: { sessions: 2, messages: 0 },
      differing: [wentOn],
    })
    expect(await store.messages.count(halfway)).toBe(4)
    expect(await store.messages.count(wentOn)).toBe(0)
    expect((await store.sessions.get(wentOn))?.title).toBe("went on")
    expect((await store.sessions.get(halfway))?.projectID).toBe("p")
  })

  test("what cannot be read is told and left, and costs nothing else; records without parents come along", async () => {
    const { directory, older } = olderData()
    const app = "home-dev-app/storage/session"
    const id = "ses_dfbe64387ffeRSXOaHQH6xlKGc"
    const torn = put(older, `${app}/info/${id}.json`, "{ torn")
    const tornMessage = put(
      older,
      `${app}/message/ses_dfbe6454effenSTJtwIPXYKOSf/msg_20419bab30019Zedf8Hhdp0zeN.json`,
      "",
    )
    put(older, `${app}/part/ses_none/msg_none/prt_none.json`, part("prt_none", "msg_none"))
    await using store = await open(directory)
    const result = await store.importOlder()
    expect(result).toMatchObject({ copied: { sessions: 8, messages: 25, parts: 44 } })
    expect(result.unreadable.map(({ path, code }) => `${code} ${path}`).toSorted()).toEqual(
      [`CORRUPT ${torn}`, `CORRUPT ${tornMessage}`].toSorted(),
    )
    expect(storedRecords(directory).size).toBe(8 + 25 + 44)
    expect(fs.readFileSync(torn, "utf8")).toBe("{ torn")
    expect((await store.parts.get("prt_none"))?.messageID).toBe("msg_none")
  })

  test("a session in two older projects is one, with the messages of both", async () => {
    const data = tempFolder()
    const directory = join(data, "storage")
    const put1 = (project: string, path: string, body: unknown): string =>
      put(data, `project/${project}/storage/session/${path}.json`, body)
    put1("a", "info/ses_1", session("ses_1", { title: "old", time: { created: 1, updated: 5 } }))
    put1("b", "info/ses_1", session("ses_1", { title: "new", time: { created: 1, updated: 9 } }))
    put1("a", "message/ses_1/msg_1", message("msg_1", "ses_1", 1))
    put1("a", "part/ses_1/msg_1/prt_1", part("prt_1", "msg_1"))
    put1("b", "message/ses_1/msg_2", message("msg_2", "ses_1", 2))
    put1("b", "part/ses_1/msg_2/prt_2", part("prt_2", "msg_2"))
    // One message went on in the other project.
    put1("b", "message/ses_1/msg_1", message("msg_1", "ses_1", 1))
    put1("b", "part/ses_1/msg_1/prt_1", part("prt_1", "msg_1", "in b"))
    put1("b", "part/ses_1/msg_1/prt_3", part("prt_3", "msg_1"))
    await using store = await open(directory)
    const check = async (): Promise<void> => {
      expect((await all(store.sessions.list())).map(({ title }) => title)).toEqual(["new"])
      expect(await all(store.messages.stream("ses_1"))).toMatchObject([
        { info: { id: "msg_2" }, parts: [{ id: "prt_2" }] },
        { info: { id: "msg_1" }, parts: [{ id: "prt_1", text: "text of prt_1" }, { id: "prt_3" }] },
      ])
      expect(await store.parts.count("msg_1")).toBe(2)
    }
    await check()
    await store.importOlder()
    await check()
    expect(await all(store.keys(["session"]))).toEqual([["session", "b", "ses_1"]])
    expect(await all(store.keys(["part"]))).toHaveLength(3)
    put1("a", "message/ses_1/msg_3", message("msg_3", "ses_1", 3))
    await using another = await open(join(tempFolder(), "x"), { alsoRead: [join(data, "project")] })
    expect(await all(another.messages.ids("ses_1"))).toEqual(["msg_3", "msg_2", "msg_1"])
    // From here on stamps vouch for what was seen: each change must show in them.
    await untilProven()
    for (const project of ["b", "a", "c"]) {
      const before = await all(another.messages.ids("ses_1"))
      const id = `msg_${before.length + 1}`
      put1(project, `message/ses_1/${id}`, message(id, "ses_1", before.length + 1))
      expect(await all(another.messages.ids("ses_1"))).toEqual([id, ...before])
      put1(project, `part/ses_1/msg_1/prt_${id}`, part(`prt_${id}`, "msg_1"))
      expect(await all(another.parts.ids("msg_1"))).toContain(`prt_${id}`)
      await untilProven()
      await all(another.messages.ids("ses_1"))
    }
  })

  test("no older history is NOT_FOUND, a read-only store READ_ONLY, an aborted import ends with the signal's reason", async () => {
    const { directory, older } = olderData()
    await using store = await open(directory)
    expect(await failure(store.importOlder({ directory: tempFolder() }))).toMatchObject({ code: "NOT_FOUND" })
    const reason = new Error("enough")
    const abort = new AbortController()
    const importing = store.importOlder({
      signal: abort.signal,
      onProgress: ({ done }) => done === 3 && abort.abort(reason),
    })
    expect(await failure(importing)).toBe(reason)
    expect(await store.sessions.count()).toBe(9)
    await using elsewhere = await open(join(tempFolder(), "history"))
    expect(await failure(elsewhere.importOlder())).toMatchObject({ code: "NOT_FOUND" })
    expect(await elsewhere.importOlder({ directory: older })).toMatchObject({ copied: { sessions: 9 } })
    await using readOnly = await open(directory, { readOnly: true })
    expect(await failure(readOnly.importOlder())).toMatchObject({ code: "READ_ONLY" })
  })
}
