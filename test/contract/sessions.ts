import { expect, test } from "bun:test"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Session, SessionListOptions } from "../../src/index.ts"
import { all, failure, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

function fill(directory: string): void {
  const put1 = (project: string, body: Session): string =>
    put(directory, `session/${project}/${body.id}.json`, body)
  put1("a", session("ses_1", { projectID: "a", time: { created: 10, updated: 50 } }))
  put1(
    "a",
    session("ses_2", { projectID: "a", time: { created: 20, updated: 40, archived: 41 }, directory: "/w" }),
  )
  put1("a", session("ses_3", { projectID: "a", parentID: "ses_1", time: { created: 30, updated: 30 } }))
  put1("b", session("ses_4", { projectID: "b", parentID: "ses_1", time: { created: 40, updated: 20 } }))
  put1("b", session("ses_5", { projectID: "b", parentID: null, time: { created: 50, updated: 20 } }))
}

/** Listing, paging and counting sessions. */
export function sessionContract({ open }: Variant): void {
  const cases: [SessionListOptions, string[]][] = [
    [{}, ["ses_1", "ses_2", "ses_3", "ses_5", "ses_4"]],
    [{ direction: "asc" }, ["ses_4", "ses_5", "ses_3", "ses_2", "ses_1"]],
    [{ order: "created" }, ["ses_5", "ses_4", "ses_3", "ses_2", "ses_1"]],
    [{ projectID: "a" }, ["ses_1", "ses_2", "ses_3"]],
    [{ projectID: "none" }, []],
    [{ parentID: "ses_1" }, ["ses_3", "ses_4"]],
    [{ parentID: null }, ["ses_1", "ses_2", "ses_5"]],
    [{ parentID: null, projectID: "b" }, ["ses_5"]],
    [{ archived: "exclude" }, ["ses_1", "ses_3", "ses_5", "ses_4"]],
    [{ archived: "only" }, ["ses_2"]],
    [{ directory: "/w" }, ["ses_2"]],
    [{ updatedSince: 40 }, ["ses_1", "ses_2"]],
    [{ search: "SESSION" }, ["ses_1", "ses_2", "ses_3", "ses_5", "ses_4"]],
    [{ search: "ses_1" }, ["ses_1"]],
    [{ search: "session -ses_1 -ses_2", projectID: "a" }, ["ses_3"]],
    [{ search: "3" }, ["ses_3"]],
    [{ search: '"n ses_4"', order: "created", direction: "asc" }, ["ses_4"]],
    [{ search: "absent" }, []],
    [{ limit: 2 }, ["ses_1", "ses_2"]],
    [{ limit: 0 }, []],
  ]
  test.each(cases)("sessions.list(%j)", async (options, ids) => {
    await using store = await open(tempFolder())
    fill(store.directory)
    expect(await all(store.sessions.ids(options))).toEqual(ids)
    expect((await all(store.sessions.list(options))).map(({ id }) => id)).toEqual(ids)
    if (options.limit === undefined) expect(await store.sessions.count(options)).toBe(ids.length)
  })

  test("titles are searched for more words than SQL takes conditions", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    const words = Array.from({ length: 1_500 }, (_, i) => `w${i}`)
    expect(await all(store.sessions.ids({ search: words.join(" ") }))).toEqual([])
    const excluded = words.map((word) => `-${word}`).join(" ")
    expect(await all(store.sessions.ids({ search: `session ${excluded} -ses_1`, projectID: "a" }))).toEqual([
      "ses_2",
      "ses_3",
    ])
  })

  test("a session is found by the title it has, whatever that shares with those it had", async () => {
    await using store = await open(tempFolder())
    const renames: [title: string | undefined, found: Record<string, number>][] = [
      ["fix parser", { parser: 1, "fix parser": 1 }],
      ["Fix: parser", { parser: 1, "fix parser": 1, '"fix parser"': 0, "fix: p": 1 }],
      ["parser", { parser: 1, fix: 0 }],
      [undefined, { parser: 0 }],
      ["the parser, fixed", { parser: 1, fixed: 1 }],
    ]
    // By a write of ours, and by another program.
    const rename = [
      (body: Session) => store.sessions.write(body),
      async (body: Session) => void put(store.directory, `session/p/${body.id}.json`, body),
    ]
    for (const write of rename)
      for (const [title, found] of renames) {
        const { title: _, ...untitled } = session("ses_1", { projectID: "p" })
        await write((title === undefined ? untitled : { ...untitled, title }) as Session)
        for (const [search, count] of Object.entries(found)) {
          expect([title, search, await store.sessions.count({ search })]).toEqual([title, search, count])
          const hits = await all(store.search(search, { in: "title", fresh: true }))
          expect(hits.map(({ sessionID }) => sessionID)).toEqual(count === 1 ? ["ses_1"] : [])
        }
      }
  })

  test("children are the sessions of that parent in every project", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    expect((await all(store.sessions.children("ses_1"))).map(({ id }) => id)).toEqual(["ses_3", "ses_4"])
  })

  test("pages lead there and back again, and each session is on one of them", async () => {
    await using store = await open(tempFolder())
    const ids = Array.from({ length: 23 }, (_, i) => `ses_${String(i).padStart(2, "0")}`)
    // Few different times, so that pages end amid equal ones.
    for (const [i, id] of ids.entries())
      put(
        store.directory,
        `session/p${i % 3}/${id}.json`,
        session(id, { time: { created: i, updated: Math.floor(i / 5) } }),
      )
    const there: string[][] = []
    let page = await store.sessions.page({ limit: 4 })
    expect(page.newer).toBeUndefined()
    for (;;) {
      there.push(page.items.map(({ id }) => id))
      if (!page.older) break
      page = await store.sessions.page({ limit: 4, cursor: page.older })
    }
    expect(there.flat()).toEqual([...ids].reverse())
    const back: string[][] = [page.items.map(({ id }) => id)]
    while (page.newer) {
      page = await store.sessions.page({ limit: 4, cursor: page.newer })
      back.unshift(page.items.map(({ id }) => id))
    }
    expect(back.flat()).toEqual([...ids].reverse())
  })

  test("cursors survive inserts and deletes", async () => {
    await using store = await open(tempFolder())
    for (let i = 0; i < 10; i++)
      await store.sessions.write(session(`ses_${i}`, { time: { created: i * 10, updated: i * 10 } }))
    const first = await store.sessions.page({ limit: 3 })
    expect(first.items.map(({ id }) => id)).toEqual(["ses_9", "ses_8", "ses_7"])
    await store.sessions.remove("ses_7")
    await store.sessions.remove("ses_6")
    await store.sessions.write(session("ses_new", { time: { created: 55, updated: 55 } }))
    const second = await store.sessions.page({ limit: 3, cursor: first.older })
    expect(second.items.map(({ id }) => id)).toEqual(["ses_new", "ses_5", "ses_4"])
    const again = await store.sessions.page({ limit: 3, cursor: second.newer })
    expect(again.items.map(({ id }) => id)).toEqual(["ses_9", "ses_8"])
  })

  test("a cursor that is not one is INVALID_CURSOR; of another order too", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    const { older } = await store.sessions.page({ limit: 1 })
    const broken = Buffer.from(JSON.stringify([1, "session/updated", "older", "5", "x"])).toString(
      "base64url",
    )
    for (const cursor of ["", "%%%", "bm9wZQ", broken])
      expect(await failure(store.sessions.page({ cursor }))).toMatchObject({ code: "INVALID_CURSOR" })
    expect(await failure(store.sessions.page({ cursor: older, order: "created" }))).toMatchObject({
      code: "INVALID_CURSOR",
    })
    expect(await failure(store.messages.page("ses_1", { cursor: older }))).toMatchObject({
      code: "INVALID_CURSOR",
    })
  })

  test("misuse of options is a TypeError", async () => {
    await using store = await open(tempFolder())
    const wrong: unknown[] = [
      { limit: -1 },
      { limit: 1.5 },
      { order: "size" },
      { direction: "up" },
      { archived: "maybe" },
      { updatedSince: Number.NaN },
      { directory: 5 },
      { search: ["a"] },
    ]
    for (const options of wrong)
      expect(await failure(all(store.sessions.list(options as SessionListOptions)))).toBeInstanceOf(TypeError)
    expect(await failure(store.sessions.page({ limit: 0 }))).toBeInstanceOf(TypeError)
    for (const id of ["../x", 5 as unknown as string])
      for (const options of [{ projectID: id }, { parentID: id }])
        expect(await failure(all(store.sessions.list(options)))).toMatchObject({ code: "INVALID_KEY" })
  })

  test("an id in two projects is listed once, the newest winning, and once per project where one is named", async () => {
    await using store = await open(tempFolder())
    put(
      store.directory,
      "session/a/ses_1.json",
      session("ses_1", { title: "older", time: { created: 1, updated: 5 } }),
    )
    put(
      store.directory,
      "session/b/ses_1.json",
      session("ses_1", { title: "newer", time: { created: 1, updated: 9 } }),
    )
    put(store.directory, "session/c/ses_1.json", "{ torn")
    put(
      store.directory,
      "session/a/ses_2.json",
      session("ses_2", { title: "a", time: { created: 1, updated: 7 } }),
    )
    put(
      store.directory,
      "session/b/ses_2.json",
      session("ses_2", { title: "b", time: { created: 1, updated: 7 } }),
    )
    const titles = async (options?: SessionListOptions): Promise<string[]> =>
      (await all(store.sessions.list(options))).map(({ title }) => title)
    expect(await titles()).toEqual(["newer", "b"])
    expect(await titles({ direction: "asc" })).toEqual(["b", "newer"])
    expect(await titles({ projectID: "a" })).toEqual(["a", "older"])
    expect((await store.sessions.get("ses_1"))?.title).toBe("newer")
    expect((await store.sessions.get(["session", "a", "ses_1"]))?.title).toBe("older")
    expect((await store.sessions.page()).items).toHaveLength(2)
    expect(await store.sessions.count({ archived: "exclude" })).toBe(2)
  })

  test("a session touched while a listing goes on is yielded once, and none is lost", async () => {
    await using store = await open(tempFolder())
    for (let i = 0; i < 30; i++)
      await store.sessions.write(session(`ses_${i}`, { time: { created: i, updated: i } }))
    const seen: string[] = []
    for await (const { id } of store.sessions.list()) {
      seen.push(id)
      if (seen.length === 5) {
        await store.sessions.update("ses_2", (draft) => {
          draft.time.updated = 1000
        })
        put(
          store.directory,
          "session/proj/ses_3.json",
          session("ses_3", { time: { created: 3, updated: 2000 } }),
        )
      }
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: 30 }, (_, i) => `ses_${i}`).toSorted())
  })

  test("changes by other programs are seen by the next listing", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    const ids = (): Promise<string[]> => all(store.sessions.ids({ projectID: "a" }))
    expect(await ids()).toEqual(["ses_1", "ses_2", "ses_3"])
    writeFileSync(
      join(store.directory, "session/a/ses_3.json"),
      JSON.stringify(session("ses_3", { time: { created: 1, updated: 99 } })),
    )
    expect(await ids()).toEqual(["ses_3", "ses_1", "ses_2"])
    renameSync(join(store.directory, "session/a/ses_1.json"), join(store.directory, "session/a/ses_9.json"))
    expect(await ids()).toEqual(["ses_3", "ses_9", "ses_2"])
    renameSync(join(store.directory, "session/a"), join(store.directory, "session/z"))
    expect(await ids()).toEqual([])
    expect(await all(store.sessions.ids({ projectID: "z" }))).toEqual(["ses_3", "ses_9", "ses_2"])
  })

  test("write puts a session where it lies, else into its project; update and get find it", async () => {
    await using store = await open(tempFolder())
    await store.sessions.write(session("ses_1", { projectID: "a" }))
    put(store.directory, "session/moved/ses_2.json", session("ses_2", { projectID: "stale" }))
    await store.sessions.write(session("ses_2", { projectID: "stale", title: "written" }))
    expect(await all(store.keys(["session"]))).toEqual([
      ["session", "a", "ses_1"],
      ["session", "moved", "ses_2"],
    ])
    const updated = await store.sessions.update("ses_2", (draft) => ({ ...draft, title: "updated" }))
    expect(updated.title).toBe("updated")
    expect(await store.sessions.get("ses_2")).toMatchObject({ title: "updated", projectID: "moved" })
    expect(await store.sessions.get("ses_none")).toBeUndefined()
    expect(await failure(store.sessions.update("ses_none", () => {}))).toMatchObject({ code: "NOT_FOUND" })
    expect(
      await failure(store.sessions.write({ ...session("x"), projectID: undefined } as unknown as Session)),
    ).toMatchObject({ code: "INVALID_RECORD" })
  })

  test("a signal ends every listing: before it begins, and between any two items", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    fill(directory)
    put(directory, "project/p.json", { id: "p" })
    put(directory, "project/q.json", { id: "q" })
    for (let i = 0; i < 600; i++) put(directory, `message/ses_1/msg_${i}.json`, { time: { created: i } })
    for (let i = 0; i < 3; i++) put(directory, `part/msg_1/prt_${i}.json`, { type: "text", text: "" })
    const listings: ((signal: AbortSignal) => AsyncGenerator<unknown>)[] = [
      (signal) => store.projects.ids({ signal }),
      (signal) => store.projects.list({ signal }),
      (signal) => store.sessions.ids({ signal }),
      (signal) => store.sessions.list({ signal }),
      (signal) => store.messages.ids("ses_1", { signal }),
      (signal) => store.messages.list("ses_1", { signal }),
      (signal) => store.messages.stream("ses_1", { signal }),
      (signal) => store.parts.ids("msg_1", { signal }),
      (signal) => store.parts.list("msg_1", { signal }),
      (signal) => store.keys([], { signal }),
    ]
    for (const listing of listings) {
      const aborted = AbortSignal.abort(new Error("before"))
      expect(await failure(all(listing(aborted)))).toMatchObject({ message: "before" })
      const abort = new AbortController()
      const items = listing(abort.signal)
      expect((await items.next()).done).toBe(false)
      abort.abort(new Error("between"))
      expect(await failure(items.next())).toMatchObject({ message: "between" })
    }
    const signal = AbortSignal.abort(new Error("before"))
    for (const call of [
      () => all(store.messages.list("ses_none", { signal })),
      () => all(store.parts.list("msg_none", { signal })),
      () => all(store.parts.ids("msg_none", { signal })),
      () => store.sessions.count({ signal }),
      () => store.sessions.page({ signal }),
      () => store.messages.page("ses_1", { signal }),
    ])
      expect(await failure(call())).toMatchObject({ message: "before" })
  })

  test("an aborted listing ends with the signal's reason", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    const abort = new AbortController()
    const seen: string[] = []
    const listing = (async () => {
      for await (const { id } of store.sessions.list({ signal: abort.signal })) {
        seen.push(id)
        abort.abort(new Error("enough"))
      }
    })()
    expect(await failure(listing)).toMatchObject({ message: "enough" })
    expect(seen).toHaveLength(1)
  })
}
