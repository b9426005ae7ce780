import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Session, SessionListOptions } from "../../src/index.ts"
import { Random } from "../support/random.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

interface Copy {
  readonly root: string
  readonly project: string
  readonly body: Session
}

/** Of each id the newest copy, as the plainest code finds it: among equals the first root, and in it the last folder. */
function newest(roots: readonly string[], copies: readonly Copy[]): Copy[] {
  const rank = ({ root }: Copy): number => roots.indexOf(root)
  const order = (a: Copy, b: Copy): number =>
    b.body.time.updated - a.body.time.updated || rank(a) - rank(b) || (a.project < b.project ? 1 : -1)
  return copies.filter(
    (copy) => copies.filter(({ body }) => body.id === copy.body.id).sort(order)[0] === copy,
  )
}

/** Several folders read as one store. */
export function rootsContract({ open }: Variant): void {
  test("random stores read together: every listing, page and count equals the plainest look at the files", async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Random(seed)
      const roots = [tempFolder(), tempFolder(), tempFolder()]
      const copies: Copy[] = []
      for (const root of roots)
        for (const project of ["a", "b"])
          for (let n = 0; n < 12; n++) {
            if (random.chance(0.5)) continue
            const body = session(`ses_${String(n).padStart(2, "0")}`, {
              projectID: project,
              title: random.pick(["one", "two", "one two"]),
              time: { created: random.below(5), updated: random.below(5) },
              ...(random.chance(0.3) && { parentID: "ses_00" }),
            })
            put(root, `session/${project}/${body.id}.json`, body)
            copies.push({ root, project, body })
          }
      const [directory = "", ...alsoRead] = roots
      await using store = await open(directory, { alsoRead })
      const cases: [SessionListOptions, (copy: Copy) => boolean][] = [
        [{}, () => true],
        [{ parentID: "ses_00" }, ({ body }) => body.parentID === "ses_00"],
        [{ parentID: null }, ({ body }) => body.parentID === undefined],
        [{ search: "two" }, ({ body }) => body.title.includes("two")],
        [{ updatedSince: 3 }, ({ body }) => body.time.updated >= 3],
        [{ projectID: "a", archived: "exclude" }, () => true],
      ]
      for (const [filter, matches] of cases)
        for (const order of ["updated", "created"] as const) {
          const among = copies.filter(({ project }) => (filter.projectID ?? project) === project)
          const expected = newest(roots, among)
            .filter(matches)
            .sort((a, b) => b.body.time[order] - a.body.time[order] || (a.body.id < b.body.id ? 1 : -1))
          const listed = await all(store.sessions.listWithOrigin({ ...filter, order }))
          expect(listed).toEqual(
            expected.map(({ body, root: origin }) => ({ session: body, source: "json", origin })),
          )
          const bodies = expected.map(({ body }) => body)
          expect(await all(store.sessions.list({ ...filter, order, direction: "asc" }))).toEqual(
            bodies.toReversed(),
          )
          expect(await all(store.sessions.list({ ...filter, order, limit: 4 }))).toEqual(bodies.slice(0, 4))
          const paged: Session[] = []
          for (let cursor: string | undefined; ; ) {
            const page = await store.sessions.page({ ...filter, order, limit: 3, cursor })
            paged.push(...page.items)
            cursor = page.older
            if (!cursor) break
          }
          expect(paged).toEqual(bodies)
          expect(await store.sessions.count(filter)).toBe(bodies.length)
        }
      for (const { body, root } of newest(roots, copies)) {
        expect(await store.sessions.get(body.id)).toEqual(body)
        expect(await store.sessions.origin(body.id)).toBe(root)
      }
    }
  })

  test("two stores made from one by different edits: each session once and whole, from where it is newer", async () => {
    const directory = copyOfTree("opencode-1.1.65/storage")
    const backup = copyOfTree("opencode-1.1.65/storage")
    const [app, lib] = fs.readdirSync(join(directory, "session"))
    const [mine = "", theirs = "", same = ""] = fs
      .readdirSync(join(directory, "session", app ?? ""))
      .map((name) => name.slice(0, -5))
    const edit = (root: string, id: string, title: string, by: number): void => {
      const path = join(root, "session", app ?? "", `${id}.json`)
      const body = JSON.parse(fs.readFileSync(path, "utf8")) as Session
      put(root, `session/${app}/${id}.json`, {
        ...body,
        title,
        time: { ...body.time, updated: body.time.updated + by },
      })
    }
    edit(directory, mine, "edited here", 5)
    edit(backup, mine, "edited there, earlier", 3)
    edit(backup, theirs, "edited there", 7)
    edit(backup, same, "another title of the same time", 0)
    put(backup, `message/${theirs}/msg_new.json`, message("msg_new", theirs, 1))
    put(backup, "part/msg_new/prt_new.json", part("prt_new", "msg_new"))
    put(backup, "todo/ses_only.json", ["only there"])
    put(backup, `session/${lib}/ses_only.json`, session("ses_only"))
    put(directory, `message/${theirs}/msg_mine.json`, message("msg_mine", theirs, 1))
    const before = snapshot(backup)
    await using store = await open(directory, { alsoRead: [backup] })
    const listed = await all(store.sessions.listWithOrigin())
    expect(listed).toHaveLength(10)
    const found = (id: string) => listed.find(({ session }) => session.id === id)
    expect(found(mine)).toMatchObject({ session: { title: "edited here" }, origin: directory })
    expect(found(theirs)).toMatchObject({ session: { title: "edited there" }, origin: backup })
    expect(found("ses_only")?.origin).toBe(backup)
    expect(found(same)?.origin).toBe(directory)
    expect(listed.filter(({ origin }) => origin === backup)).toHaveLength(2)
    const messages = await all(store.messages.ids(theirs))
    expect(messages).toContain("msg_new")
    expect(messages).not.toContain("msg_mine")
    expect(await all(store.parts.list("msg_new"))).toMatchObject([{ id: "prt_new" }])
    expect(await store.read<string[]>(["todo", "ses_only"])).toEqual(["only there"])
    expect((await all(store.readText(["message", theirs, "msg_new"]))).join("")).toContain("msg_new")
    let streamed = 0
    for (const { session } of listed)
      for await (const { info, parts } of store.messages.stream(session.id)) {
        streamed++
        expect(await store.messages.get(info.id)).toEqual(info)
        expect(await all(store.parts.list(info.id))).toEqual(parts)
      }
    const usage = await store.usage()
    expect(usage.reduce((sum, { messages }) => sum + messages, 0)).toBe(streamed)
    const hits = await all(store.search("edited", { fresh: true }))
    expect(hits.map(({ snippet }) => snippet).toSorted()).toEqual(["edited here", "edited there"])
    const parts = await all(store.search("text of prt_new", { fresh: true }))
    expect(parts).toMatchObject([{ messageID: "msg_new", origin: backup }])
    expect(await failure(store.sessions.update(theirs, () => {}))).toMatchObject({
      code: "READ_ONLY",
      path: backup,
    })
    expect((await store.sessions.update(mine, (draft) => ({ ...draft, title: "again" }))).title).toBe("again")
    expect(snapshot(backup)).toEqual(before)
  })

  test("hits of several stores come newest first, each once, and end at the limit", async () => {
    const roots = [tempFolder(), tempFolder()]
    for (const [r, root] of roots.entries()) {
      put(root, "session/p/ses_both.json", session("ses_both", { time: { created: 1, updated: 1 + r } }))
      for (let n = 0; n < 6; n++) {
        put(root, `message/ses_both/msg_${n}.json`, message(`msg_${n}`, "ses_both", n * 2000))
        put(root, `part/msg_${n}/prt.json`, part("prt", `msg_${n}`, `needle ${root}`))
        put(
          root,
          `message/ses_${r}/msg_${r}_${n}.json`,
          message(`msg_${r}_${n}`, `ses_${r}`, n * 2000 + 1000 * r + 1),
        )
        put(root, `part/msg_${r}_${n}/prt.json`, part("prt", `msg_${r}_${n}`, "needle"))
      }
    }
    const [directory = "", backup = ""] = roots
    await using store = await open(directory, { alsoRead: [backup] })
    const hits = await all(store.search("needle", { fresh: true }))
    expect(hits.map(({ time }) => time)).toEqual(hits.map(({ time }) => time).toSorted((a, b) => b - a))
    expect(hits).toHaveLength(18)
    expect(hits.filter(({ sessionID }) => sessionID === "ses_both").map(({ snippet }) => snippet)).toEqual(
      Array(6).fill(`needle ${backup}`),
    )
    const search = store.search("needle", { limit: 5, fresh: true })
    const first: unknown[] = []
    let next = await search.next()
    for (; !next.done; next = await search.next()) first.push(next.value)
    expect(next.value).toEqual({ partial: true, reason: "limit" })
    expect(first).toEqual(hits.slice(0, 5))
    const behind = await all(store.search("needle", { after: hits[4], fresh: true }))
    expect(behind).toEqual(hits.slice(5))
  })

  test("removing a session that lies elsewhere too tells of the copy; its children there are left", async () => {
    const directory = tempFolder()
    const backup = tempFolder()
    for (const root of [directory, backup]) put(root, "session/p/ses_1.json", session("ses_1"))
    const child = put(backup, "session/p/ses_2.json", session("ses_2", { parentID: "ses_1" }))
    await using store = await open(directory, { alsoRead: [backup] })
    const removal = await store.sessions.remove("ses_1")
    expect(removal).toMatchObject({
      sessions: 1,
      left: [{ code: "READ_ONLY", path: join(backup, "session/p/ses_1.json") }],
    })
    expect(fs.existsSync(child)).toBe(true)
    expect(await store.sessions.origin("ses_1")).toBe(backup)
    expect(await failure(store.sessions.remove("ses_1"))).toMatchObject({ code: "READ_ONLY" })
  })

  test("a folder that is not there is told, and hides nothing; misuse is a TypeError", async () => {
    const directory = tempFolder()
    const nowhere = join(tempFolder(), "nowhere")
    put(directory, "session/p/ses_1.json", session("ses_1"))
    const warnings: string[] = []
    const logger = { warn: (text: string): void => void warnings.push(text) }
    await using store = await open(directory, { alsoRead: [nowhere], logger })
    expect(warnings).toContain(`There is no folder ${nowhere} to be read too`)
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
    expect(await all(store.problems())).toMatchObject([{ path: nowhere, code: "NOT_FOUND" }])
    expect(fs.existsSync(nowhere)).toBe(false)
    put(nowhere, "session/p/ses_2.json", session("ses_2"))
    expect(await all(store.sessions.ids())).toEqual(["ses_2", "ses_1"])
    for (const alsoRead of ["x", [""], [3], [directory], [`${directory}/.`]] as never[])
      expect(await failure(open(directory, { alsoRead }))).toBeInstanceOf(TypeError)
  })

  test("an unreadable newest copy gives way to one that can be read", async () => {
    const directory = tempFolder()
    const backup = tempFolder()
    put(directory, "session/p/ses_1.json", "{ torn")
    put(backup, "session/p/ses_1.json", session("ses_1", { title: "whole" }))
    put(backup, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
    await using store = await open(directory, { alsoRead: [backup] })
    expect((await all(store.sessions.list())).map(({ title }) => title)).toEqual(["whole"])
    expect((await store.sessions.get("ses_1"))?.title).toBe("whole")
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
  })

  test("projects of all stores are listed once each; orphans, stats and health tell of all", async () => {
    const directory = tempFolder()
    const backup = tempFolder()
    const project = (id: string, worktree: string) => ({ id, worktree, time: { created: 1 } })
    put(directory, "project/b.json", project("b", "/here"))
    for (const id of ["a", "b"]) put(backup, `project/${id}.json`, project(id, "/there"))
    const orphan = put(backup, "message/ses_x/msg_x.json", message("msg_x", "ses_x", 1))
    await using store = await open(directory, { alsoRead: [backup] })
    expect((await all(store.projects.list())).map(({ id, worktree }) => `${id} ${worktree}`)).toEqual([
      "a /there",
      "b /here",
    ])
    expect((await store.projects.get("a"))?.worktree).toBe("/there")
    expect(await all(store.projects.ids())).toEqual(["a", "b"])
    expect(await all(store.orphans())).toEqual([
      { kind: "message", key: ["message", "ses_x", "msg_x"], path: orphan, origin: backup },
    ])
    expect(await all(store.messages.ids("ses_x"))).toEqual(["msg_x"])
    const { alsoRead } = await store.stats()
    expect(alsoRead).toMatchObject([{ directory: backup, kinds: { message: { files: 1 } } }])
    expect(store.health().alsoReading).toMatchObject([{ directory: backup, layout: "current" }])
  })
}
