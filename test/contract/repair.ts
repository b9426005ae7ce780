import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { createId, idTime, type Store } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

const MADE = Date.UTC(2026, 0, 1)

/** The messages of a session whose own file is gone. */
function lose(directory: string, id = "ses_lost"): void {
  put(directory, "project/abc.json", { id: "abc", worktree: "/home/dev/app", time: { created: 1 } })
  put(directory, "project/global.json", { id: "global", worktree: "/", time: { created: 1 } })
  put(directory, `message/${id}/msg_1.json`, message("msg_1", id, MADE))
  put(directory, "part/msg_1/prt_1.json", { type: "text", text: "put in by the agent", synthetic: true })
  put(directory, "part/msg_1/prt_2.json", { type: "text", text: "\n\n  Fix   the parser,\nplease" })
  put(directory, `message/${id}/msg_2.json`, {
    ...message("msg_2", id, MADE + 5_000),
    role: "assistant",
    time: { created: MADE + 5_000, completed: MADE + 9_000 },
    path: { cwd: "/home/dev/app/src", root: "/home/dev/app" },
  })
}

async function exported(store: Store, id: string) {
  const pieces: string[] = []
  const text = store.export(id)
  for (let next = await text.next(); ; next = await text.next()) {
    if (next.done) return { body: JSON.parse(pieces.join("")), end: next.value }
    pieces.push(next.value)
  }
}

const REPAIRED = {
  id: "ses_lost",
  version: "unknown",
  projectID: "abc",
  directory: "/home/dev/app/src",
  title: "Fix the parser,",
  time: { created: MADE, updated: MADE + 9_000 },
}

/** Sessions whose own file is gone are brought back from their messages; nothing that is there is touched. */
export function repairContract({ open }: Variant): void {
  test("a session whose file is gone is exported, repaired, and then like any other", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    lose(directory)
    const before = snapshot(directory)
    const lost = await exported(store, "ses_lost")
    expect(lost).toMatchObject({
      body: { info: REPAIRED, messages: [{ parts: [{}, {}] }, { parts: [] }] },
      end: { messages: 2, parts: 2, left: [], recovered: true },
    })
    const path = join(directory, "session/abc/ses_lost.json")
    const dry = await store.sessions.repair("ses_lost", { dryRun: true })
    expect(dry).toEqual({ session: REPAIRED, path })
    expect(
      Object.keys(snapshot(directory)).filter((file) => !(file in before) && !file.startsWith(".sess")),
    ).toEqual([])
    expect(await store.sessions.recover("ses_lost")).toEqual(REPAIRED)
    expect(await store.sessions.repair("ses_lost")).toEqual({ session: REPAIRED, path })
    expect(JSON.parse(fs.readFileSync(path, "utf8"))).toEqual(REPAIRED)
    expect(await all(store.sessions.list())).toEqual([REPAIRED])
    expect(await all(store.orphans())).toEqual([])
    expect(await exported(store, "ses_lost")).toEqual({
      body: lost.body,
      end: { messages: 2, parts: 2, left: [] },
    })
    expect(await store.sessions.recover("ses_lost")).toBeUndefined()
    expect(await failure(store.sessions.repair("ses_lost"))).toMatchObject({ code: "CONFLICT", path })
  })

  test("a session file that is there stays, in whatever project and whatever it holds", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    for (const [n, content] of ["", "{ torn", "[]", session("ses_3")].entries()) {
      lose(directory, `ses_${n}`)
      const path = put(directory, `session/elsewhere/ses_${n}.json`, content)
      const before = fs.readFileSync(path)
      for (const options of [{}, { projectID: "other" }, { dryRun: true }])
        expect(await failure(store.sessions.repair(`ses_${n}`, options))).toMatchObject({
          code: "CONFLICT",
          path,
        })
      expect(fs.readFileSync(path)).toEqual(before)
      expect(await store.sessions.recover(`ses_${n}`)).toBeUndefined()
    }
    fs.mkdirSync(join(directory, "session/elsewhere/ses_9.json"))
    lose(directory, "ses_9")
    expect(await failure(store.sessions.repair("ses_9"))).toMatchObject({ code: "CONFLICT" })
    expect(fs.readdirSync(join(directory, "session"))).toEqual(["elsewhere"])
  })

  test("of two repairs at once one writes, and the other finds its file", async () => {
    await using store = await open(tempFolder())
    lose(store.directory)
    const outcomes = await Promise.allSettled([
      store.sessions.repair("ses_lost", { projectID: "one" }),
      store.sessions.repair("ses_lost", { projectID: "two" }),
    ])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
    expect(await all(store.keys(["session"]))).toHaveLength(1)
  })

  test("what messages do not tell is left out, or plain", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    const made = Date.UTC(2026, 5, 1)
    const id = createId("session", made)
    // No project has that work tree; no time is one.
    const odd = { id: "msg_1", role: "user", path: "a text", time: { created: "yesterday" } }
    put(directory, `message/${id}/msg_1.json`, odd)
    put(directory, `message/${id}/msg_2.json`, {
      role: "assistant",
      path: { cwd: 5 },
      time: { created: 1.7e18 },
    })
    put(directory, `message/${id}/msg_3.json`, "{ torn")
    const { session: repaired } = await store.sessions.repair(id)
    const time = { created: idTime(id), updated: idTime(id) }
    expect(repaired).toEqual({
      id,
      version: "unknown",
      projectID: "global",
      title: "Recovered session",
      time,
    } as never)
    lose(directory, "ses_long")
    put(directory, "part/msg_1/prt_2.json", part("prt_2", "msg_1", `\u{1b}[31m${"👨‍👩‍👧 ".repeat(80)}`))
    const { session: long } = await store.sessions.repair("ses_long", { projectID: "mine" })
    expect(long.projectID).toBe("mine")
    expect(long.title.length).toBeLessThanOrEqual(100)
    expect(long.title).toEndWith("👨‍👩‍👧…")
    expect(await failure(store.sessions.repair("ses_none"))).toMatchObject({ code: "NOT_FOUND" })
    expect(await failure(store.sessions.repair("../x"))).toMatchObject({ code: "INVALID_KEY" })
    expect(await failure(store.sessions.repair("ses_none", { projectID: "a/b" }))).toMatchObject({
      code: "INVALID_KEY",
    })
    expect(await failure(exported(store, "ses_none"))).toMatchObject({ code: "NOT_FOUND" })
  })

  test("what lies only in a folder beside the store is exported and not repaired; nor is a session that it has", async () => {
    const backup = tempFolder()
    lose(backup)
    await using store = await open(tempFolder(), { alsoRead: [backup] })
    expect(await exported(store, "ses_lost")).toMatchObject({
      body: { info: REPAIRED },
      end: { recovered: true },
    })
    expect(await failure(store.sessions.repair("ses_lost"))).toMatchObject({
      code: "READ_ONLY",
      path: backup,
    })
    put(store.directory, "message/ses_there/msg_9.json", message("msg_9", "ses_there", 1))
    const path = put(backup, "session/abc/ses_there.json", session("ses_there"))
    expect(await failure(store.sessions.repair("ses_there"))).toMatchObject({ code: "CONFLICT", path })
    await using shut = await open(backup, { readOnly: true })
    expect(await failure(shut.sessions.repair("ses_lost"))).toMatchObject({ code: "READ_ONLY" })
    expect(await shut.sessions.repair("ses_lost", { dryRun: true })).toMatchObject({ session: REPAIRED })
  })

  test("each session of the fixture is repaired to what its own file said of time and project", async () => {
    const directory = copyOfTree("opencode-1.1.65/storage")
    await using store = await open(directory)
    let same = 0
    for (const original of await all(store.sessions.list())) {
      const key = await store.sessions.keyOf(original.id)
      if (!key || (await store.messages.count(original.id)) === 0) continue
      await store.remove(key)
      const { session: repaired } = await store.sessions.repair(original.id)
      expect(repaired.projectID).toBe(original.projectID ?? "")
      expect(repaired.directory).toBe(original.directory ?? "")
      expect(Math.abs(repaired.time.created - original.time.created)).toBeLessThan(60_000)
      same++
    }
    expect(same).toBeGreaterThan(4)
  })
}
