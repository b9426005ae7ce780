import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { StoreError } from "../../src/index.ts"
import { all, failure, message, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

const HOSTILE: readonly string[][] = [
  ["..", "etc", "passwd"],
  ["../etc/passwd"],
  ["/etc/passwd"],
  ["a", ""],
  [""],
  ["a\0b"],
  ["."],
  [".hidden"],
  [".-"],
  ["a\nb"],
  ["a/b"],
  ["a\\b"],
  ["x".repeat(251)],
  ["é".repeat(126)],
  ["\ud800"],
  [],
  Array.from({ length: 40 }, () => "y".repeat(200)),
]

/** Any record under any key. */
export function keyContract({ open }: Variant): void {
  test("a record reads back as it was written, unknown fields included", async () => {
    await using store = await open(tempFolder())
    const body = { id: "x", deep: { list: [1, null, "é 漢字 🙂", { a: false }] }, unknown: "stays" }
    await store.write(["todo", "ses_1"], body)
    expect(await store.read<typeof body>(["todo", "ses_1"])).toEqual(body)
    expect(fs.readFileSync(join(store.directory, "todo", "ses_1.json"), "utf8")).toBe(
      JSON.stringify(body, null, 2),
    )
  })

  test("a missing record is NOT_FOUND to read and update, and nothing to remove", async () => {
    await using store = await open(tempFolder())
    expect(await failure(store.read(["todo", "nope"]))).toMatchObject({ code: "NOT_FOUND" })
    expect(await failure(store.update(["todo", "nope"], () => {}))).toMatchObject({ code: "NOT_FOUND" })
    expect(await store.remove(["todo", "nope"])).toBe(false)
    expect(fs.existsSync(join(store.directory, "todo"))).toBe(false)
  })

  test("empty, torn and NUL-filled files are CORRUPT, not missing, and stay as they are", async () => {
    await using store = await open(tempFolder())
    const contents = { empty: "", torn: '{"a":', nuls: "\0".repeat(413), text: "hello" }
    for (const [name, content] of Object.entries(contents)) {
      const path = put(store.directory, `todo/${name}.json`, content)
      const error = await failure(store.read(["todo", name]))
      expect(error).toMatchObject({ code: "CORRUPT", path })
      expect(await failure(store.update(["todo", name], () => ({})))).toMatchObject({ code: "CORRUPT" })
      expect(fs.readFileSync(path, "utf8")).toBe(content)
    }
  })

  test("a file seen torn is read again until it is whole", async () => {
    await using store = await open(tempFolder())
    const path = put(store.directory, "todo/slow.json", '{"whole":')
    setTimeout(() => fs.writeFileSync(path, '{"whole":true}'), 5)
    expect(await store.read<{ whole: boolean }>(["todo", "slow"])).toEqual({ whole: true })
  })

  test("keys come sorted, deep ones too, and foreign files are passed over", async () => {
    await using store = await open(tempFolder())
    for (const key of [
      ["b"],
      ["a", "z", "deep", "er"],
      ["a", "y"],
      ["a", "z"],
      ["c", "\u{ffff}"],
      ["c", "\u{1f642}"],
    ])
      await store.write(key, { key })
    for (const foreign of [".oc-1.tmp", "note.txt", "x.json.swp", ".DS_Store", ".hidden.json"])
      put(store.directory, `a/${foreign}`, "x")
    const keys = [
      ["a", "y"],
      ["a", "z"],
      ["a", "z", "deep", "er"],
      ["b"],
      ["c", "\u{ffff}"],
      ["c", "\u{1f642}"],
    ]
    expect(await all(store.keys())).toEqual(keys)
    expect(await all(store.keys(["a", "z"]))).toEqual([["a", "z", "deep", "er"]])
    expect(await store.count(["a"])).toBe(3)
    expect(await all(store.keys(["no", "such", "prefix"]))).toEqual([])
    expect(await store.count(["no"])).toBe(0)
  })

  test("25 concurrent updates of one counter give 25", async () => {
    await using store = await open(tempFolder())
    await store.write(["counter"], { n: 0 })
    const given = await Promise.all(
      Array.from({ length: 25 }, () =>
        store.update<{ n: number }>(["counter"], (draft) => ({ n: draft.n + 1 })),
      ),
    )
    expect(await store.read<{ n: number }>(["counter"])).toEqual({ n: 25 })
    expect(given.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
  })

  test("an update that throws, or is asynchronous, changes nothing and spoils no other", async () => {
    await using store = await open(tempFolder())
    await store.write(["counter"], { n: 1 })
    const results = await Promise.allSettled([
      store.update<{ n: number }>(["counter"], (draft) => {
        draft.n = 100
        throw new Error("no")
      }),
      // @ts-expect-error a promise is a misuse that types catch too
      store.update<{ n: number }>(["counter"], async (draft) => ({ n: draft.n + 100 })),
      // @ts-expect-error
      store.update<{ n: number }>(["counter"], async () => {
        throw new Error("Nobody waits for it")
      }),
      store.update<{ n: number }>(["counter"], (draft) => {
        draft.n++
      }),
    ])
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"])
    for (const result of results.slice(1, 3)) expect(result).toMatchObject({ reason: expect.any(TypeError) })
    expect(await store.read<{ n: number }>(["counter"])).toEqual({ n: 2 })
  })

  test("what JSON cannot hold is refused and leaves nothing behind", async () => {
    await using store = await open(tempFolder())
    await store.write(["kept"], { old: true })
    const circle: { self?: unknown } = {}
    circle.self = circle
    let deep: object = {}
    for (let depth = 0; depth < 300_000; depth++) deep = { deep }
    const before = snapshot(store.directory)
    for (const value of [
      undefined,
      () => {},
      1n,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Symbol("s"),
      circle,
      deep,
      { a: [undefined] },
      { f() {} },
    ])
      for (const key of [["kept"], ["new", "record"]])
        expect(await failure(store.write(key, value))).toMatchObject({ code: "INVALID_RECORD" })
    expect(snapshot(store.directory)).toEqual(before)
  })

  test.each(HOSTILE.map((key) => [key]))("the key %j is INVALID_KEY and nothing is touched", async (key) => {
    const outside = tempFolder()
    const directory = join(outside, "store")
    await using store = await open(directory)
    const before = snapshot(outside)
    const calls = [
      () => store.read(key),
      () => store.write(key, {}),
      () => store.update(key, () => {}),
      () => store.remove(key),
      ...(key.length === 0
        ? []
        : [
            () =>
              all(store.keys(key)).then(() =>
                Promise.reject(new StoreError("INVALID_KEY", "a prefix may be long")),
              ),
          ]),
    ]
    for (const call of calls) expect(await failure(Promise.try(call))).toMatchObject({ code: "INVALID_KEY" })
    expect(snapshot(outside)).toEqual(before)
  })

  test.each([["CON"], ["nul.txt"], ["com1"], ["a:b"], ["what?"], ["dot."], ["space "]])(
    "%j, which Windows reserves, is read but not written",
    async (name) => {
      await using store = await open(tempFolder())
      expect(await failure(store.write(["todo", name], {}))).toMatchObject({ code: "INVALID_KEY" })
      put(store.directory, `todo/${name}.json`, { here: true })
      expect(await store.read<{ here: boolean }>(["todo", name])).toEqual({ here: true })
      expect(await store.remove(["todo", name])).toBe(true)
    },
  )

  test("links below the first level are neither read nor written through", async () => {
    const outside = tempFolder()
    put(outside, "secret.json", { secret: true })
    await using store = await open(tempFolder())
    await store.write(["message", "ses_1", "msg_1"], { ok: true })
    fs.symlinkSync(outside, join(store.directory, "message", "ses_link"))
    fs.symlinkSync(join(outside, "secret.json"), join(store.directory, "message", "ses_1", "msg_link.json"))
    expect(await failure(store.read(["message", "ses_link", "secret"]))).toMatchObject({ code: "NOT_A_FILE" })
    expect(await failure(store.read(["message", "ses_1", "msg_link"]))).toMatchObject({ code: "NOT_A_FILE" })
    expect(await failure(store.write(["message", "ses_link", "x"], {}))).toMatchObject({ code: "NOT_A_FILE" })
    expect(await all(store.messages.list("ses_link"))).toEqual([])
    expect(fs.readdirSync(outside)).toEqual(["secret.json"])
  })

  test("a first level that is a link to another folder is followed", async () => {
    const elsewhere = tempFolder()
    const directory = tempFolder()
    put(elsewhere, "proj/ses_1.json", { id: "ses_1", time: { created: 1, updated: 2 } })
    fs.symlinkSync(elsewhere, join(directory, "session"))
    await using store = await open(directory)
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
    expect(await all(store.keys())).toEqual([["session", "proj", "ses_1"]])
  })

  test("a key that is changed while a write waits is still the one that was checked", async () => {
    await using store = await open(tempFolder())
    const key = ["message", "ses_1", "msg_1"]
    const written = store.write(key, { time: { created: 1 } })
    key.splice(0, 3, "session", "..", "evil")
    await written
    expect(await all(store.keys())).toEqual([["message", "ses_1", "msg_1"]])
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    const changes = store.changes()
    const next = changes.next()
    const again = ["message", "ses_1", "msg_1"]
    const updated = store.update(again, () => {})
    again[2] = "msg_2"
    await updated
    expect((await next).value).toMatchObject({ messageID: "msg_1" })
    await changes.return(undefined)
  })

  test("a closed store neither reads nor writes; what was being listed is listed to its end", async () => {
    const directory = tempFolder()
    put(directory, "project/proj.json", { id: "proj" })
    put(directory, "session/proj/ses_1.json", { id: "ses_1", time: { created: 1, updated: 2 } })
    for (let i = 0; i < 3; i++) put(directory, `message/ses_1/msg_${i}.json`, { time: { created: i } })
    const store = await open(directory)
    const listing = store.messages.ids("ses_1", { direction: "asc" })
    expect((await listing.next()).value).toBe("msg_0")
    await store.close()
    expect(await all(listing)).toEqual(["msg_1", "msg_2"])
    const before = snapshot(directory)
    const part = { id: "prt_1", messageID: "msg_0", sessionID: "ses_1", type: "text", text: "" } as const
    const calls: (() => Promise<unknown>)[] = [
      async () => store.read(["project", "proj"]),
      async () => store.keys([]),
      () => all(store.projects.list()),
      () => store.projects.get("proj"),
      () => all(store.sessions.list()),
      () => all(store.sessions.ids()),
      () => store.sessions.page(),
      () => store.sessions.count(),
      () => store.sessions.get("ses_1"),
      () => store.sessions.write(session("ses_2", { projectID: "proj" })),
      () => store.sessions.update("ses_1", () => {}),
      () => store.sessions.remove("ses_1"),
      () => all(store.messages.list("ses_1")),
      () => store.messages.page("ses_1"),
      () => store.messages.count("ses_1"),
      () => store.messages.get("msg_1"),
      () => store.messages.write(message("msg_9", "ses_1", 9)),
      () => store.messages.remove(["message", "ses_1", "msg_1"]),
      () => all(store.parts.list("msg_0")),
      () => store.parts.get(["part", "msg_0", "prt_1"]),
      () => store.parts.write(part),
      () => store.parts.write(part, { coalesce: 5 }),
      () => store.parts.remove(["part", "msg_0", "prt_1"]),
    ]
    for (const call of calls) expect(await failure(call())).toMatchObject({ code: "CLOSED" })
    expect(snapshot(directory)).toEqual(before)
  })

  test("a read-only store creates and changes nothing at all", async () => {
    const directory = tempFolder()
    put(directory, "session/proj/ses_1.json", { id: "ses_1", time: { created: 1, updated: 2 } })
    put(directory, "message/ses_1/msg_1.json", { id: "msg_1", role: "user", time: { created: 1 } })
    fs.mkdirSync(join(directory, "message", "ses_2"))
    {
      const writable = await open(directory)
      await writable.close()
    }
    const before = snapshot(directory)
    await using store = await open(directory, { readOnly: true })
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    const writes = [
      () => store.write(["a"], {}),
      () => store.update(["session", "proj", "ses_1"], () => {}),
      () => store.remove(["session", "proj", "ses_1"]),
      () => store.sessions.remove("ses_1"),
      () => store.sessions.update("ses_1", () => {}),
      () => store.sessions.remove("ses_2"),
      () => store.sessions.move("ses_1", "other"),
      () => store.messages.remove("msg_1"),
      () => store.messages.remove("msg_none"),
      () => store.parts.remove("prt_none"),
    ]
    for (const write of writes) expect(await failure(write())).toMatchObject({ code: "READ_ONLY" })
    await store.close()
    expect(snapshot(directory)).toEqual(before)
  })
}
