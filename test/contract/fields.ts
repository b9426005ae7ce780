import { expect, test } from "bun:test"
import type { Message, Part, Project, Session, SessionListOptions, Store } from "../../src/index.ts"
import { all, failure, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

type Fields = { readonly mood: "text"; readonly score: "number" }

const FIELDS = { session: { mood: "text", score: "number" } } as const

const BODIES: readonly (Partial<Session> & { id: string })[] = [
  { id: "ses_1", mood: "calm", score: 3 },
  { id: "ses_2", mood: "calm", score: -1.5, projectID: "b" },
  { id: "ses_3", mood: "\u{1f600}", score: 1e300 },
  { id: "ses_4", mood: "\uffee", score: "3", projectID: "b" },
  { id: "ses_5", mood: "", score: null, parentID: "ses_1" },
  { id: "ses_6", mood: 7 },
  { id: "ses_7", mood: "x".repeat(513), score: 0 },
]

function fill(directory: string): void {
  for (const { id, ...body } of BODIES)
    put(directory, `session/${body.projectID ?? "a"}/${id}.json`, session(id, { projectID: "a", ...body }))
}

/** Declared fields of sessions. */
export function fieldContract(variant: Variant): void {
  // What a store declares is a matter of types where it is opened by its own function.
  const open = async (directory: string): Promise<Store<Session, Message, Part, Project, Fields>> =>
    (await variant.open(directory, { fields: FIELDS })) as never

  const cases: [SessionListOptions<Fields>, string[]][] = [
    [{ order: "mood", direction: "asc" }, ["ses_6", "ses_7", "ses_5", "ses_1", "ses_2", "ses_4", "ses_3"]],
    [{ order: "mood" }, ["ses_3", "ses_4", "ses_2", "ses_1", "ses_5", "ses_7", "ses_6"]],
    [{ order: "score" }, ["ses_3", "ses_1", "ses_7", "ses_2", "ses_6", "ses_5", "ses_4"]],
    [{ order: "score", limit: 2 }, ["ses_3", "ses_1"]],
    [{ order: "score", projectID: "a" }, ["ses_3", "ses_1", "ses_7", "ses_6", "ses_5"]],
    [{ where: { mood: "calm" } }, ["ses_2", "ses_1"]],
    [{ where: { mood: "calm", score: 3 } }, ["ses_1"]],
    [{ where: { mood: "" } }, ["ses_5"]],
    [{ where: { mood: null } }, ["ses_7", "ses_6"]],
    [{ where: { mood: { from: "" } }, direction: "asc" }, ["ses_1", "ses_2", "ses_3", "ses_4", "ses_5"]],
    [{ where: { mood: { from: "calm", to: "\uffee" } } }, ["ses_4", "ses_2", "ses_1"]],
    [{ where: { score: { from: 0 } }, order: "score" }, ["ses_3", "ses_1", "ses_7"]],
    [{ where: { score: { to: 0 } }, order: "score" }, ["ses_7", "ses_2"]],
    [{ where: { score: {} }, order: "mood" }, ["ses_3", "ses_2", "ses_1", "ses_7"]],
    [{ where: { score: { from: 1, to: 0 } } }, []],
    [{ where: { score: null }, parentID: "ses_1" }, ["ses_5"]],
    [{ where: { mood: "calm" }, search: "ses_2" }, ["ses_2"]],
    [{ where: { mood: undefined }, projectID: "b", order: "mood" }, ["ses_4", "ses_2"]],
  ]
  test.each(cases)("sessions.list(%j)", async (options, ids) => {
    await using store = await open(tempFolder())
    fill(store.directory)
    expect(await all(store.sessions.ids(options))).toEqual(ids)
    expect((await all(store.sessions.list(options))).map(({ id }) => id)).toEqual(ids)
    if (options.limit === undefined) expect(await store.sessions.count(options)).toBe(ids.length)
  })

  test("pages by a field meet every session once, there and back; a cursor is of its order alone", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    for (const order of ["mood", "score"] as const) {
      const listed = await all(store.sessions.ids({ order }))
      const there: string[] = []
      const back: string[] = []
      let last = await store.sessions.page({ order, limit: 2 })
      for (let page = last; ; page = await store.sessions.page({ order, limit: 2, cursor: page.older })) {
        there.push(...page.items.map(({ id }) => id))
        last = page
        if (page.older === undefined) break
      }
      expect(there).toEqual(listed)
      for (let { newer } = last; newer !== undefined; ) {
        const page = await store.sessions.page({ order, limit: 2, cursor: newer })
        back.unshift(...page.items.map(({ id }) => id))
        newer = page.newer
      }
      expect([...back, ...last.items.map(({ id }) => id)]).toEqual(listed)
      for (const other of ["mood", "score", "updated"] as const)
        if (other !== order)
          expect(await failure(store.sessions.page({ order: other, cursor: last.newer }))).toMatchObject({
            code: "INVALID_CURSOR",
          })
    }
  })

  test("values follow writes of the store and of others, moves and removals", async () => {
    await using store = await open(tempFolder())
    fill(store.directory)
    const calm = (): Promise<string[]> => all(store.sessions.ids({ where: { mood: "calm" }, order: "score" }))
    expect(await calm()).toEqual(["ses_1", "ses_2"])
    await store.sessions.update("ses_1", (body) => {
      body.score = -9
    })
    await store.sessions.write(session("ses_8", { projectID: "a", mood: "calm", score: 0 }))
    expect(await calm()).toEqual(["ses_8", "ses_2", "ses_1"])
    put(store.directory, "session/b/ses_2.json", session("ses_2", { projectID: "b", mood: "cross" }))
    put(
      store.directory,
      "session/a/ses_6.json",
      session("ses_6", { projectID: "a", mood: "calm", score: 99 }),
    )
    expect(await calm()).toEqual(["ses_6", "ses_8", "ses_1"])
    await store.sessions.move("ses_8", "b")
    await store.sessions.remove("ses_6")
    expect(await calm()).toEqual(["ses_8", "ses_1"])
    expect(await all(store.sessions.ids({ projectID: "b", order: "mood" }))).toEqual([
      "ses_4",
      "ses_2",
      "ses_8",
    ])
  })

  test("of a session in several projects the copy that counts is asked", async () => {
    await using store = await open(tempFolder())
    const copy = (projectID: string, updated: number, mood: string): void =>
      void put(
        store.directory,
        `session/${projectID}/ses_1.json`,
        session("ses_1", { projectID, mood, time: { created: 1, updated } }),
      )
    copy("a", 5, "calm")
    copy("b", 6, "cross")
    expect(await store.sessions.count({ where: { mood: "calm" } })).toBe(0)
    expect(await all(store.sessions.ids({ where: { mood: "calm" }, projectID: "a" }))).toEqual(["ses_1"])
    expect(await all(store.sessions.ids({ order: "mood" }))).toEqual(["ses_1"])
  })

  test("a field of a very large session is one like any other", async () => {
    await using store = await open(tempFolder())
    const padding = "y".repeat(1_100_000)
    const text = "\\u00e9".repeat(512)
    const put1 = (id: string, mood: string): void =>
      void put(store.directory, `session/a/${id}.json`, `{"padding":"${padding}","mood":"${mood}","score":2}`)
    put1("ses_1", text)
    put1("ses_2", `${text}x`)
    expect(await all(store.sessions.ids({ where: { mood: "é".repeat(512), score: 2 } }))).toEqual(["ses_1"])
    expect(await all(store.sessions.ids({ where: { mood: null } }))).toEqual(["ses_2"])
  })

  test("an old answer about fields is right of its moment, whoever indexed what since", async () => {
    await using store = await variant.open(tempFolder(), { fields: FIELDS, maxStaleness: 60_000 })
    const declared = store as never as Store<Session, Message, Part, Project, Fields>
    fill(store.directory)
    const calm = (): Promise<string[]> =>
      all(declared.sessions.ids({ where: { mood: "calm" }, order: "score" }))
    expect(await calm()).toEqual(["ses_1", "ses_2"])
    put(
      store.directory,
      "session/a/ses_1.json",
      session("ses_1", { projectID: "a", mood: "calm", score: 5, title: "again" }),
    )
    // Its rows are without the fields.
    await using plain = await variant.open(store.directory)
    expect(await plain.sessions.count({ search: "again" })).toBe(1)
    expect(await calm()).toEqual(["ses_1", "ses_2"])
    await store.sessions.write(session("ses_9", { projectID: "a", mood: "calm", score: 4 }))
    expect(await calm()).toEqual(["ses_1", "ses_9", "ses_2"])
  })

  test("what makes no sense is a TypeError", async () => {
    await using store = await open(tempFolder())
    const wrong: object[] = [
      { where: { colour: "red" } },
      { where: { mood: 1 } },
      { where: { score: Number.NaN } },
      { where: { score: { from: "a" } } },
      { where: { score: { above: 1 } } },
      { where: { score: [1] } },
      { where: "mood" },
      { order: "colour" },
    ]
    for (const options of wrong)
      expect(await failure(store.sessions.count(options))).toBeInstanceOf(TypeError)
    await using other = await variant.open(tempFolder())
    expect(await failure(all(other.sessions.ids({ order: "mood" as never })))).toBeInstanceOf(TypeError)
    for (const fields of [{ session: { a: "date" } }, { session: { updated: "number" } }, { message: {} }])
      expect(await failure(variant.open(tempFolder(), { fields: fields as never }))).toBeInstanceOf(TypeError)
  })
}
