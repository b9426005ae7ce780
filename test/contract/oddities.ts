import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import type { Problem } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { copyOfTree, put, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

/** Stores as they are found, not as they should be. */
export function oddityContract({ name, open }: Variant): void {
  const indexes = !name.startsWith("files alone") && !name.includes("folder where")

  test("a mixed store: good, stale, torn and orphaned records side by side", async () => {
    const told: Problem[] = []
    await using store = await open(tempFolder(), { onProblem: (problem) => told.push(problem) })
    const { directory } = store
    put(directory, "project/proj_a.json", { id: "proj_a", worktree: "/a", time: { created: 1 } })
    put(directory, "project/proj_b.json", { worktree: "/b", time: { created: 1 } })
    const projectC = put(directory, "project/proj_c.json", "{ nope")
    put(directory, "session/proj_a/ses_1.json", session("ses_1", { projectID: "proj_a" }))
    put(directory, "session/proj_a/ses_2.json", {
      id: "ses_2",
      version: "1",
      title: "t",
      time: { created: 1, updated: 1 },
    })
    put(directory, "session/proj_a/ses_3.json", session("ses_3", { projectID: "elsewhere" }))
    put(directory, "message/ses_1/msg_1.json", { role: "user", time: { created: 1 } })
    const brokenMessage = put(directory, "message/ses_1/msg_2.json", '{"id":"msg_2",')
    put(directory, "message/ses_unknown/msg_3.json", message("msg_3", "ses_unknown", 1))
    put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
    const brokenPart = put(directory, "part/msg_1/prt_2.json", "")
    put(directory, "part/msg_unknown/prt_3.json", part("prt_3", "msg_unknown"))

    expect(await all(store.sessions.ids({ projectID: "proj_a" }))).toEqual(["ses_3", "ses_1", "ses_2"])
    expect((await all(store.projects.list())).map(({ id }) => id)).toEqual(["proj_a", "proj_b"])
    expect(await store.projects.get("proj_b")).toMatchObject({ id: "proj_b", worktree: "/b" })
    expect(await store.projects.get("proj_none")).toBeUndefined()
    expect(await store.projects.get("proj_c").catch((error: unknown) => error)).toMatchObject({
      code: "CORRUPT",
    })
    expect((await all(store.orphans())).map(({ key }) => key)).toEqual([
      ["message", "ses_unknown", "msg_3"],
      ["part", "msg_unknown", "prt_3"],
    ])
    const problems = await all(store.problems())
    expect(problems.map(({ path }) => path).sort()).toEqual([brokenMessage, brokenPart, projectC].sort())
    expect(problems.every(({ code }) => code === "CORRUPT")).toBe(true)
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    expect(await store.messages.count("ses_1")).toBe(2)
    expect(told.map(({ path }) => path)).toContain(brokenMessage)
    expect(await all(store.messages.ids("ses_unknown"))).toEqual(["msg_3"])
  })

  test("large records that are broken deep inside are told of and hide no others", async () => {
    const told: Problem[] = []
    await using store = await open(tempFolder(), { onProblem: (problem) => told.push(problem) })
    const { directory } = store
    const long = "x".repeat(550_000)
    const body = (text: string): string =>
      `{"time":{"created":50,"updated":2000},"title":"Broken","summary":${text}}`
    const broken = [
      put(directory, "session/p/ses_3.json", body(`"${long}\n${long}"`)),
      put(
        directory,
        "message/ses_1/msg_3.json",
        body(`["${long}${long}",${"[".repeat(99)}{]${"]".repeat(99)}]`),
      ),
    ]
    for (const id of ["1", "2"]) {
      put(directory, `session/p/ses_${id}.json`, session(`ses_${id}`, { projectID: "p" }))
      put(directory, `message/ses_1/msg_${id}.json`, message(`msg_${id}`, "ses_1", 1))
    }

    expect(await store.sessions.count({ archived: "exclude" })).toBe(2)
    expect((await all(store.sessions.list())).map(({ id }) => id)).toEqual(["ses_2", "ses_1"])
    const sessions = await store.sessions.page({ limit: 1 })
    expect(sessions.items.map(({ id }) => id)).toEqual(["ses_2"])
    const older = await store.sessions.page({ limit: 1, cursor: sessions.older })
    expect([older.items.map(({ id }) => id), older.older]).toEqual([["ses_1"], undefined])
    const messages = await store.messages.page("ses_1", { limit: 2 })
    expect([messages.items.map(({ id }) => id), messages.older]).toEqual([["msg_2", "msg_1"], undefined])
    expect(await failure(store.sessions.get("ses_3"))).toMatchObject({ code: "CORRUPT" })
    expect((await all(store.problems())).map(({ path }) => path).sort()).toEqual(broken.toSorted())
    expect(new Set(told.map(({ path }) => path))).toEqual(new Set(broken))
  })

  test("every oddity that real stores hold is survived, and the rest is reported by path", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    put(directory, "migration", " 2 \n\n")
    put(
      directory,
      "session/p/ses_compact.json",
      JSON.stringify(session("ses_compact", { time: { created: 9, updated: 9 } })),
    )
    put(
      directory,
      "session/p/ses_pretty.json",
      JSON.stringify(session("ses_pretty", { time: { created: 8, updated: 8 } }), null, 2),
    )
    put(directory, "session/p/ses_bare.json", { time: { created: 7 } })
    put(directory, "session/p/ses_timeless.json", { id: "ses_timeless", parentID: null, title: "" })
    put(directory, "session/p/ses_strange.json", {
      time: "noon",
      title: 5,
      parentID: {},
      directory: [],
      summary: true,
    })
    put(
      directory,
      "session/p/ses_bom.json",
      `\u{feff}${JSON.stringify(session("ses_bom", { time: { created: 6, updated: 6 } }))}`,
    )
    put(directory, "message/ses_p/msg_cost.json", {
      role: "assistant",
      cost: {},
      path: "x",
      summary: {},
      time: { created: 2 },
    })
    put(directory, "message/ses_p/msg_zero.json", { role: "user", time: { start: 0, end: 0 } })
    put(directory, "part/msg_cost/prt_running.json", {
      type: "tool",
      tool: "bash",
      state: { status: "running" },
    })
    put(
      directory,
      "part/msg_cost/prt_nul.json",
      JSON.stringify({ type: "text", text: "a\0b \u{1b}[31m \u{fffd} e\u{301} 漢 🙂" }),
    )
    put(directory, "session_diff/ses_gone.json", [])
    for (const foreign of [".oc-x.tmp", "ses_1.json.swp", ".DS_Store", "notes.md"])
      put(directory, `session/p/${foreign}`, "{")
    put(directory, "session/p/quarantine/ses_q.json", session("ses_q"))
    put(directory, "message/ses_p/sub/msg_q.json", message("msg_q", "ses_p", 1))
    const bad = [
      put(directory, "session/p/ses_array.json", "[1]"),
      put(directory, "session/p/ses_null.json", "null"),
      put(directory, "message/ses_p/msg_nuls.json", "\0".repeat(413)),
      put(directory, "part/msg_cost/prt_torn.json", '{"type":"te'),
      join(directory, "message/ses_p/msg_folder.json"),
      join(directory, "part/msg_cost/prt_link.json"),
      join(directory, "message/ses_linked"),
    ]
    mkdirSync(join(directory, "message/ses_p/msg_folder.json"))
    symlinkSync("prt_running.json", join(directory, "part/msg_cost/prt_link.json"))
    symlinkSync("ses_p", join(directory, "message/ses_linked"))

    const order = ["ses_compact", "ses_pretty", "ses_bare", "ses_bom", "ses_timeless", "ses_strange"]
    expect(await all(store.sessions.ids())).toEqual(order)
    expect(await all(store.messages.ids("ses_p"))).toEqual(["msg_cost", "msg_zero"])
    expect((await all(store.parts.list("msg_cost"))).map(({ id }) => id)).toEqual(["prt_nul", "prt_running"])
    expect(await store.messages.count("ses_p")).toBe(3)
    expect((await all(store.problems())).map(({ path }) => path).sort()).toEqual(bad.sort())
    if (!indexes) return
    const result = await store.index()
    expect(result).toMatchObject({ sessions: 8, messages: 3, parts: 3 })
    expect(result.unreadable.map(({ path }) => path).sort()).toEqual(bad.sort())
  })

  test("a store that is not there, or says 2 in `migration` and holds nothing, is empty", async () => {
    await using nowhere = await open(join(tempFolder(), "no", "such", "store"))
    expect(await all(nowhere.sessions.list())).toEqual([])
    expect(await nowhere.sessions.count()).toBe(0)
    expect(await all(nowhere.problems())).toEqual([])
    await using bare = await open(tempFolder())
    put(bare.directory, "migration", "2")
    expect((await bare.sessions.page()).items).toEqual([])
    expect(await all(bare.orphans())).toEqual([])
  })

  test("what lies where a folder should be is empty to listings, and reported by path", async () => {
    const directory = tempFolder()
    put(directory, "session", "a file")
    symlinkSync(join(directory, "nowhere"), join(directory, "todo"))
    put(directory, "message/ses_1/msg_1.json", { time: { created: 1 } })
    await using store = await open(directory)
    expect(await all(store.sessions.ids())).toEqual([])
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    const found = await all(store.problems())
    expect(found.map(({ path, code }) => `${code} ${path.slice(directory.length + 1)}`)).toEqual([
      "NOT_A_FILE session",
      "NOT_A_FILE todo",
    ])
  })

  test("too large a record is skipped by lists, refused by get, and reported", async () => {
    await using store = await open(tempFolder(), { maxRecordBytes: 2000 })
    put(
      store.directory,
      "message/ses_1/msg_big.json",
      message("msg_big", "ses_1", 1, { system: "x".repeat(5000) }),
    )
    put(store.directory, "message/ses_1/msg_small.json", message("msg_small", "ses_1", 2))
    expect((await all(store.messages.list("ses_1"))).map(({ id }) => id)).toEqual(["msg_small"])
    const error = await store.messages.get("msg_big").catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "TOO_LARGE" })
    expect((await all(store.problems())).map(({ code }) => code)).toEqual(["TOO_LARGE"])
  })

  test("the tree that release 1.0.0 wrote lists every session, message and part file there is", async () => {
    await using store = await open(copyOfTree("opencode-1.0.0/storage"))
    const listed: string[] = []
    for await (const { id: sessionID, projectID } of store.sessions.list()) {
      listed.push(`session/${projectID}/${sessionID}`)
      for await (const { info, parts } of store.messages.stream(sessionID)) {
        listed.push(`message/${sessionID}/${info.id}`)
        for (const { id } of parts) listed.push(`part/${info.id}/${id}`)
      }
    }
    const keys: string[] = []
    for (const kind of ["session", "message", "part"])
      for await (const key of store.keys([kind])) keys.push(key.join("/"))
    expect(listed.sort()).toEqual(keys.sort())
    expect(keys).toHaveLength(78)
  })
}
