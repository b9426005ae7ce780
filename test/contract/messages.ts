import { expect, test } from "bun:test"
import { createHandler } from "../../src/http/index.ts"
import { createId, type Part, type SessionExport } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

/** Messages and parts. */
export function messageContract({ open }: Variant): void {
  test("messages are ordered by time of creation, then id, both ways", async () => {
    await using store = await open(tempFolder())
    const times = { msg_c: 1, msg_a: 2, msg_b: 2, msg_0: 3 }
    for (const [id, created] of Object.entries(times))
      put(store.directory, `message/ses_1/${id}.json`, message(id, "ses_1", created))
    const order = ["msg_0", "msg_b", "msg_a", "msg_c"]
    expect(await all(store.messages.ids("ses_1"))).toEqual(order)
    expect(await all(store.messages.ids("ses_1", { direction: "asc" }))).toEqual([...order].reverse())
    expect(await all(store.messages.ids("ses_1", { limit: 2 }))).toEqual(order.slice(0, 2))
    expect((await all(store.messages.list("ses_1"))).map(({ id }) => id)).toEqual(order)
    expect(await store.messages.count("ses_1")).toBe(4)
    expect(await all(store.messages.ids("ses_none"))).toEqual([])
    expect(await store.messages.count("ses_none")).toBe(0)
  })

  test("a session whose messages straddle the wrap of the ids lists in the order of time", async () => {
    await using store = await open(tempFolder())
    const wrap = Date.UTC(2026, 7, 14, 11, 19, 55)
    const ids: string[] = []
    for (let i = -5; i < 5; i++) {
      const created = wrap + i * 60_000
      const hex = BigInt.asUintN(48, BigInt(created) * 4096n + 1n)
        .toString(16)
        .padStart(12, "0")
      const id = `msg_${hex}00000000000000`
      ids.push(id)
      put(store.directory, `message/ses_1/${id}.json`, message(id, "ses_1", created))
    }
    expect(ids).not.toEqual(ids.toSorted())
    expect(await all(store.messages.ids("ses_1", { direction: "asc" }))).toEqual(ids)
  })

  test("a long session comes in one piece, in runs and in pages", async () => {
    await using store = await open(tempFolder())
    const ids = Array.from({ length: 700 }, (_, i) => `msg_${String(i).padStart(4, "0")}`)
    for (const [i, id] of ids.entries())
      put(store.directory, `message/ses_1/${id}.json`, message(id, "ses_1", i >> 2))
    expect(await all(store.messages.ids("ses_1", { direction: "asc" }))).toEqual(ids)
    const paged: string[] = []
    let page = await store.messages.page("ses_1", { limit: 150 })
    for (;;) {
      paged.push(...page.items.map(({ id }) => id))
      if (!page.older) break
      page = await store.messages.page("ses_1", { limit: 150, cursor: page.older })
    }
    expect(paged).toEqual([...ids].reverse())
    expect((await store.messages.page("ses_1", { limit: 150, cursor: page.newer })).items).toHaveLength(150)
  })

  test("stream gives messages with their parts by id, none for a message without", async () => {
    await using store = await open(tempFolder())
    await store.messages.write(message("msg_1", "ses_1", 1))
    await store.messages.write(message("msg_2", "ses_1", 2))
    for (const id of ["prt_2", "prt_1", "prt_3"]) await store.parts.write(part(id, "msg_1"))
    const [newest, oldest] = await all(store.messages.stream("ses_1"))
    expect(newest).toEqual({ info: message("msg_2", "ses_1", 2), parts: [] })
    expect(oldest?.info.id).toBe("msg_1")
    expect(oldest?.parts.map(({ id }) => id)).toEqual(["prt_1", "prt_2", "prt_3"])
  })

  test("get takes the id alone or the whole key", async () => {
    await using store = await open(tempFolder())
    await store.messages.write(message("msg_1", "ses_1", 1))
    await store.parts.write(part("prt_1", "msg_1"))
    expect(await store.messages.get("msg_1")).toEqual(message("msg_1", "ses_1", 1))
    expect(await store.messages.get(["message", "ses_1", "msg_1"])).toEqual(message("msg_1", "ses_1", 1))
    expect(await store.messages.get(["message", "ses_2", "msg_1"])).toBeUndefined()
    expect(await store.parts.get("prt_1")).toEqual(part("prt_1", "msg_1"))
    expect(await store.parts.get(["part", "msg_1", "prt_1"])).toEqual(part("prt_1", "msg_1"))
    expect(await store.parts.get("prt_none")).toBeUndefined()
    expect(await failure(store.parts.get(["message", "x", "y"]))).toBeInstanceOf(TypeError)
    expect(await failure(store.messages.get("../x"))).toMatchObject({ code: "INVALID_KEY" })
  })

  test("a record found by id in another folder than the index remembers is found all the same", async () => {
    await using store = await open(tempFolder())
    await store.messages.write(message("msg_1", "ses_1", 1))
    await store.remove(["message", "ses_1", "msg_1"])
    put(store.directory, "message/ses_2/msg_1.json", message("msg_1", "ses_2", 1))
    expect(await store.messages.get("msg_1")).toMatchObject({ sessionID: "ses_2" })
  })

  test("parts are listed by id, updated by id and counted by name", async () => {
    await using store = await open(tempFolder())
    for (const id of ["prt_b", "prt_a"]) await store.parts.write(part(id, "msg_1"))
    put(store.directory, "part/msg_1/prt_c.json", "{ torn")
    expect(await all(store.parts.ids("msg_1"))).toEqual(["prt_a", "prt_b", "prt_c"])
    expect((await all(store.parts.list("msg_1"))).map(({ id }) => id)).toEqual(["prt_a", "prt_b"])
    expect(await all(store.parts.list("msg_1", { limit: 1 }))).toHaveLength(1)
    expect(await store.parts.count("msg_1")).toBe(3)
    const updated = await store.parts.update("prt_a", (draft) => {
      if (draft.type === "text") draft.text = "new"
    })
    expect(updated).toMatchObject({ text: "new" })
    expect(await store.parts.remove("prt_a")).toBe(true)
    expect(await store.parts.remove("prt_a")).toBe(false)
    expect(await failure(store.parts.get("prt_c"))).toMatchObject({ code: "CORRUPT" })
  })

  test("ids come from paths: bodies with stale or no ids get those of their place", async () => {
    await using store = await open(tempFolder())
    put(store.directory, "session/here/ses_1.json", { ...session("ses_1"), projectID: "gone" })
    put(store.directory, "message/ses_1/msg_1.json", { role: "user", time: { created: 1 } })
    put(store.directory, "part/msg_1/prt_1.json", {
      id: "other",
      messageID: "other",
      type: "text",
      text: "x",
    })
    expect((await all(store.sessions.list()))[0]?.projectID).toBe("here")
    const [{ info, parts } = { info: undefined, parts: [] }] = await all(store.messages.stream("ses_1"))
    expect(info).toMatchObject({ id: "msg_1", sessionID: "ses_1" })
    expect(parts[0]).toMatchObject({ id: "prt_1", messageID: "msg_1" })
  })

  test("a page can begin with one message, and leads both ways from there", async () => {
    await using store = await open(tempFolder())
    // Few different times, so that the page begins amid equal ones.
    for (let i = 0; i < 9; i++)
      put(store.directory, `message/ses_1/msg_${i}.json`, message(`msg_${i}`, "ses_1", Math.floor(i / 3)))
    const ids = (keys: readonly (readonly string[])[]): string[] => keys.map(([, , id = ""]) => id)
    const page = await store.messages.pageKeys("ses_1", { from: "msg_4", limit: 3 })
    expect(page.items).toEqual([
      ["message", "ses_1", "msg_6"],
      ["message", "ses_1", "msg_5"],
      ["message", "ses_1", "msg_4"],
    ])
    expect(
      (await store.messages.page("ses_1", { from: "msg_4", limit: 3 })).items.map(({ id }) => id),
    ).toEqual(ids(page.items))
    const older = await store.messages.pageKeys("ses_1", { cursor: page.older, limit: 9 })
    const newer = await store.messages.pageKeys("ses_1", { cursor: page.newer, limit: 9 })
    expect(ids(older.items)).toEqual(["msg_3", "msg_2", "msg_1", "msg_0"])
    expect(ids(newer.items)).toEqual(["msg_8", "msg_7"])
    const first = await store.messages.pageKeys("ses_1", { from: "msg_0", limit: 9 })
    expect([first.items.length, first.older, first.newer]).toEqual([9, undefined, undefined])
    expect(await failure(store.messages.page("ses_1", { from: "msg_none" }))).toMatchObject({
      code: "NOT_FOUND",
    })
    expect(await failure(store.messages.page("ses_1", { from: "../x" }))).toMatchObject({
      code: "INVALID_KEY",
    })
    expect(await failure(store.messages.page("ses_1", { from: "msg_1", cursor: "x" }))).toBeInstanceOf(
      TypeError,
    )
  })

  test("parts of a message that went on over the wrap of ids come in the order of their making everywhere", async () => {
    await using store = await open(tempFolder())
    const wrap = 26 * 2 ** 36
    const times = [wrap - 2, wrap - 1, wrap, wrap + 1, wrap + 60_000]
    await store.sessions.write(session("ses_1"))
    await store.messages.write(message("msg_1", "ses_1", wrap - 2))
    const ids = times.map((time) => createId("part", time))
    expect(ids.toSorted()).not.toEqual(ids)
    for (const [at, id] of ids.entries()) await store.parts.write(part(id, "msg_1", `needle ${at}`))
    const order = (parts: readonly { id: string }[]): string[] => parts.map(({ id }) => id)
    expect(await all(store.parts.ids("msg_1"))).toEqual(ids)
    expect(await all(store.parts.ids("msg_1", { limit: 2 }))).toEqual(ids.slice(0, 2))
    expect(order(await all(store.parts.list("msg_1")))).toEqual(ids)
    expect(order(await all(store.parts.list("msg_1", { limit: 3 })))).toEqual(ids.slice(0, 3))
    expect((await all(store.messages.stream("ses_1"))).map(({ parts }) => order(parts))).toEqual([ids])
    const exported: SessionExport = JSON.parse((await all(store.export("ses_1"))).join(""))
    expect(exported.messages.map(({ parts }) => order(parts))).toEqual([ids])
    // The first part that matches is the first that was made.
    expect(await all(store.search("needle"))).toMatchObject([{ partID: ids[0] }])
    const handler = createHandler(store)
    const get = async (path: string): Promise<unknown> =>
      (await handler(new Request(`http://localhost${path}`))).json()
    expect(order((await get("/session/ses_1/message/msg_1/part")) as Part[])).toEqual(ids)
    expect(await get("/session/ses_1/message")).toMatchObject([{ parts: ids.map((id) => ({ id })) }])
    expect(await get("/session/ses_1/message?limit=5")).toMatchObject([{ parts: ids.map((id) => ({ id })) }])
  })
}
