import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Store } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder, treePath } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

const ANSWERS = treePath("opencode-1.1.65/answers")

async function text(store: Store, id: string): Promise<string> {
  return (await all(store.export(id))).join("")
}

function records(directory: string): Record<string, unknown> {
  const found = Object.entries(snapshot(directory)).filter(([path]) =>
    /^(?:session|message|part)\/.*\.json$/.test(path),
  )
  return Object.fromEntries(
    found.map(([path, bytes]) => [path, JSON.parse(Buffer.from(bytes, "base64").toString())]),
  )
}

/** A session with two messages, and the file of its export. */
async function exported(open: Variant["open"], over = {}): Promise<string> {
  const directory = tempFolder()
  put(directory, "session/proj/ses_1.json", session("ses_1", { time: { created: 1, updated: 50 }, ...over }))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "message/ses_1/msg_2.json", message("msg_2", "ses_1", 2))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
  await using store = await open(directory)
  return put(tempFolder(), "export.json", await text(store, "ses_1"))
}

/** Exports are the agent's own, imports give back what was exported, and nothing is overwritten unasked. */
export function transferContract({ open }: Variant): void {
  test("every session of the 1.1.65 fixture is exported as that release does, imported, and exported the same", async () => {
    const directory = copyOfTree("opencode-1.1.65/storage")
    put(directory, "session_share/ses_dfbe672b8ffekwC2A8x8syADYe.json", {
      id: "x",
      secret: "hush-hush",
      url: "u",
    })
    const copy = tempFolder()
    await using store = await open(directory)
    await using other = await open(copy)
    let compared = 0
    for (const info of await all(store.sessions.list())) {
      const messages: unknown = JSON.parse(fs.readFileSync(join(ANSWERS, `messages-${info.id}.json`), "utf8"))
      const json = await text(store, info.id)
      expect(json).toBe(`${JSON.stringify({ info, messages }, null, 2)}\n`)
      expect(json).not.toContain("hush-hush")
      const file = put(tempFolder(), "export.json", `Exporting session: ${info.id}${json}`)
      const { added } = await other.import(file)
      const before = snapshot(join(copy, "message"))
      expect(await other.import(file)).toMatchObject({
        added: 0,
        replaced: 0,
        kept: 0,
        unchanged: added,
        left: [],
      })
      expect(snapshot(join(copy, "message"))).toEqual(before)
      expect(await text(other, info.id)).toBe(json)
      compared++
    }
    expect(compared).toBe(9)
    expect(records(copy)).toEqual(records(directory))
    expect(Object.keys(records(copy))).toHaveLength(9 + 40 + 107)
    expect(await all(other.sessions.list())).toEqual(await all(store.sessions.list()))
  })

  test("a session without messages, and a message without parts, are laid out as JSON.stringify does", async () => {
    const directory = tempFolder()
    put(directory, "session/proj/ses_1.json", session("ses_1"))
    put(directory, "session/proj/ses_2.json", session("ses_2"))
    put(directory, "message/ses_2/msg_1.json", message("msg_1", "ses_2", 1))
    await using store = await open(directory)
    for (const id of ["ses_1", "ses_2"]) {
      const value = { info: await store.sessions.get(id), messages: await all(store.messages.stream(id)) }
      expect(await text(store, id)).toBe(`${JSON.stringify(value, null, 2)}\n`)
    }
    expect(await failure(text(store, "ses_3"))).toMatchObject({ code: "NOT_FOUND" })
  })

  test("what cannot be read is left out of an export and told of; stale ids become those of the place", async () => {
    const directory = tempFolder()
    put(directory, "session/proj/ses_1.json", session("ses_1", { projectID: "stale" }))
    put(directory, "message/ses_1/msg_1.json", { role: "user", time: { created: 1 } })
    put(directory, "message/ses_1/msg_2.json", "{ torn")
    put(directory, "part/msg_1/prt_1.json", "[1]")
    put(directory, "part/msg_1/prt_2.json", part("prt_2", "other"))
    // It can be read, but not laid out: that would take more stack than there is.
    put(
      directory,
      "part/msg_1/prt_3.json",
      `{"type":"text","text":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    )
    await using store = await open(directory)
    const running = store.export("ses_1")
    let json = ""
    let next = await running.next()
    for (; !next.done; next = await running.next()) json += next.value
    const paths = next.value.left.map(({ path }) => path.slice(directory.length + 1))
    expect(paths.sort()).toEqual([
      "message/ses_1/msg_2.json",
      "part/msg_1/prt_1.json",
      "part/msg_1/prt_3.json",
    ])
    expect(next.value).toMatchObject({ messages: 1, parts: 1 })
    expect(JSON.parse(json)).toMatchObject({
      info: { id: "ses_1", projectID: "proj" },
      messages: [{ info: { id: "msg_1", sessionID: "ses_1" }, parts: [{ id: "prt_2", messageID: "msg_1" }] }],
    })
  })

  test("a long export lets others run, so that its signal can end it", async () => {
    const directory = tempFolder()
    put(directory, "session/proj/ses_1.json", session("ses_1"))
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
    for (let p = 0; p < 100; p++)
      put(directory, `part/msg_1/prt_${p}.json`, part(`prt_${p}`, "msg_1", "é\n".repeat(50_000)))
    await using store = await open(directory)
    const abort = new AbortController()
    const running = store.export("ses_1", { signal: abort.signal })
    await running.next()
    const reason = new Error("enough")
    setImmediate(() => abort.abort(reason))
    expect(await failure(all(running))).toBe(reason)
  })

  test("a conflict is an error that changes nothing, unless keep, replace or newest decides it", async () => {
    const file = await exported(open)
    const directory = tempFolder()
    await using store = await open(directory)
    await store.import(file)
    const theirs = records(directory)
    const change = async (updated: number): Promise<void> => {
      await store.sessions.write(session("ses_1", { title: "ours", time: { created: 1, updated } }))
      await store.messages.write(message("msg_2", "ses_1", 2, { agent: "ours" }))
      await store.messages.write(message("msg_3", "ses_1", 3))
      await store.parts.remove(["part", "msg_1", "prt_1"])
    }
    await change(60)
    const ours = records(directory)
    const error = await failure(store.import(file))
    expect(error).toMatchObject({ code: "CONFLICT" })
    expect(String(error)).toContain("2 records differ")
    expect(records(directory)).toEqual(ours)
    expect(await store.import(file, { onConflict: "replace", dryRun: true })).toMatchObject({
      added: 1,
      replaced: 2,
    })
    expect(records(directory)).toEqual(ours)
    const missing = theirs["part/msg_1/prt_1.json"]
    for (const onConflict of ["keep", "newest"] as const) {
      expect(await store.import(file, { onConflict })).toMatchObject({ replaced: 0, kept: 2 })
      expect(records(directory)).toEqual({ ...ours, "part/msg_1/prt_1.json": missing })
    }
    expect(await store.import(file, { onConflict: "replace" })).toMatchObject({
      added: 0,
      replaced: 2,
      kept: 0,
    })
    expect(records(directory)).toEqual({ ...ours, ...theirs })
    await change(40)
    expect(await store.import(file, { onConflict: "newest" })).toMatchObject({
      added: 1,
      replaced: 2,
      kept: 0,
    })
    expect(records(directory)).toEqual({ ...ours, ...theirs })
    expect(await failure(store.import(file, { onConflict: "whatever" as never }))).toBeInstanceOf(TypeError)
  })

  test("newest does not decide about the parts of a message that lies in another session", async () => {
    const file = await exported(open)
    const directory = tempFolder()
    put(directory, "session/proj/ses_2.json", session("ses_2"))
    put(directory, "message/ses_2/msg_1.json", message("msg_1", "ses_2", 1))
    put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1", "ours"))
    const ours = records(directory)
    await using store = await open(directory)
    expect(await failure(store.import(file, { onConflict: "newest" }))).toMatchObject({ code: "CONFLICT" })
    expect(records(directory)).toEqual(ours)
    expect(await store.import(file, { onConflict: "keep" })).toMatchObject({ added: 3, kept: 1 })
    expect(records(directory)).toMatchObject(ours)
    // Now the session has that message too.
    expect(await store.import(file, { onConflict: "newest" })).toMatchObject({ unchanged: 3, kept: 1 })
  })

  test("what nobody can read is never overwritten by an import, and told of", async () => {
    const file = await exported(open)
    const directory = tempFolder()
    const path = put(directory, "message/ses_1/msg_1.json", "{ torn")
    fs.utimesSync(path, 1, 1)
    await using store = await open(directory)
    const { left, added } = await store.import(file, { onConflict: "replace" })
    expect(left).toMatchObject([{ path, code: "CORRUPT" }])
    expect(added).toBe(3)
    expect(fs.readFileSync(path, "utf8")).toBe("{ torn")
  })

  test("a session is imported where it lies already, else into the project it names or that is named", async () => {
    const file = await exported(open)
    await using store = await open(tempFolder())
    await store.sessions.write(
      session("ses_1", { projectID: "elsewhere", time: { created: 1, updated: 50 } }),
    )
    expect(await failure(store.import(file, { projectID: "proj" }))).toMatchObject({ code: "CONFLICT" })
    expect(await store.import(file)).toMatchObject({ projectID: "elsewhere", unchanged: 1, added: 3 })
    await using empty = await open(tempFolder())
    const homeless = put(tempFolder(), "e.json", { info: { id: "ses_9" }, messages: [] })
    expect(await failure(empty.import(homeless))).toMatchObject({ code: "INVALID_RECORD" })
    expect(await empty.import(homeless, { projectID: "home" })).toMatchObject({ projectID: "home", added: 1 })
    expect(await empty.sessions.get("ses_9")).toEqual({ id: "ses_9", projectID: "home" } as never)
  })

  test("a file that is no export changes nothing", async () => {
    const info = session("ses_1")
    const bad: [string | object, string][] = [
      ["", "CORRUPT"],
      ["no JSON at all", "CORRUPT"],
      [JSON.stringify({ info, messages: [] }).slice(0, -1), "CORRUPT"],
      [`{"info":{"id":"ses_1","projectID":"p","x":[1 2]},"messages":[]}`, "CORRUPT"],
      [{ messages: [] }, "INVALID_RECORD"],
      [{ info }, "INVALID_RECORD"],
      [{ info: [], messages: [] }, "INVALID_RECORD"],
      [{ info, messages: {} }, "INVALID_RECORD"],
      [{ info, messages: [{ parts: [] }] }, "INVALID_RECORD"],
      [{ info, messages: [{ info: message("msg_1", "ses_1", 1), parts: 5 }] }, "INVALID_RECORD"],
      [{ info, messages: [{ info: { role: "user" }, parts: [] }] }, "INVALID_RECORD"],
      [{ messages: [], info }, "INVALID_RECORD"],
      [
        { info, messages: [1, 2].map((n) => ({ info: message("msg_1", "ses_1", n), parts: [] })) },
        "INVALID_RECORD",
      ],
      [
        {
          info,
          messages: [
            {
              info: message("msg_1", "ses_1", 1),
              parts: ["a", "b"].map((text) => part("prt_1", "msg_1", text)),
            },
          ],
        },
        "INVALID_RECORD",
      ],
      [
        `{"info":{"id":"ses_1","projectID":"p","x":${"[".repeat(100_000)}${"]".repeat(100_000)}},"messages":[]}`,
        "INVALID_RECORD",
      ],
      [{ info: { ...info, id: "../evil" }, messages: [] }, "INVALID_KEY"],
      [{ info: { ...info, projectID: ".." }, messages: [] }, "INVALID_KEY"],
      [{ info, messages: [{ info: message("a/b", "ses_1", 1), parts: [] }] }, "INVALID_KEY"],
      [`${JSON.stringify({ info, messages: [] })}{}`, "INVALID_RECORD"],
    ]
    const directory = tempFolder()
    await using store = await open(directory)
    for (const [content, code] of bad) {
      const file = put(tempFolder(), "bad.json", content)
      expect(await failure(store.import(file))).toMatchObject({ code })
    }
    expect(await failure(store.import(join(directory, "nope.json")))).toMatchObject({ code: "NOT_FOUND" })
    expect(await failure(store.import(tempFolder()))).toMatchObject({ code: "NOT_A_FILE" })
    expect(await all(store.keys())).toEqual([])
    await using readOnly = await open(directory, { readOnly: true })
    expect(await failure(readOnly.import(await exported(open)))).toMatchObject({ code: "READ_ONLY" })
  })

  test("a session moves to another project with its children, and lies in one place afterwards", async () => {
    const directory = tempFolder()
    put(directory, "session/a/ses_1.json", session("ses_1", { projectID: "a", title: "kept" }))
    put(directory, "session/a/ses_2.json", session("ses_2", { projectID: "a", parentID: "ses_1" }))
    put(directory, "session/a/ses_3.json", session("ses_3", { projectID: "a" }))
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
    await using store = await open(directory)
    expect((await store.sessions.move("ses_1", "b")).sort()).toEqual(["ses_1", "ses_2"])
    expect(await store.sessions.move("ses_1", "b")).toEqual([])
    expect((await all(store.sessions.ids({ projectID: "b" }))).sort()).toEqual(["ses_1", "ses_2"])
    expect(await all(store.sessions.ids({ projectID: "a" }))).toEqual(["ses_3"])
    expect(JSON.parse(fs.readFileSync(join(directory, "session/b/ses_1.json"), "utf8"))).toEqual(
      session("ses_1", { projectID: "b", title: "kept" }) as never,
    )
    expect(await store.messages.count("ses_1")).toBe(1)
    // A move cut short leaves it in both; another version there is a conflict.
    put(directory, "session/a/ses_1.json", session("ses_1", { projectID: "a", title: "kept" }))
    await store.sessions.move("ses_1", "b")
    expect(fs.existsSync(join(directory, "session/a/ses_1.json"))).toBe(false)
    put(directory, "session/a/ses_1.json", session("ses_1", { projectID: "a", title: "another" }))
    expect(await failure(store.sessions.move("ses_1", "b"))).toMatchObject({ code: "CONFLICT" })
    expect(await failure(store.sessions.move("ses_9", "b"))).toMatchObject({ code: "NOT_FOUND" })
    expect(await failure(store.sessions.move("ses_3", "../b"))).toMatchObject({ code: "INVALID_KEY" })
  })

  test("a copy of the store is everything as it lies, but for the index, the trash and secrets", async () => {
    const directory = copyOfTree("opencode-1.1.65/storage")
    put(directory, "part/msg_x/prt_1.json", "{ torn")
    put(directory, "session_share/ses_1.json", { secret: "hush" })
    put(directory, "notes.txt", "a stranger's")
    fs.symlinkSync(join(directory, "notes.txt"), join(directory, "message", "link.json"))
    await using store = await open(directory)
    await all(store.sessions.list())
    const target = join(tempFolder(), "copy")
    const missed = await all(store.copyTo(target))
    expect(missed).toEqual([{ path: join(directory, "message/link.json"), reason: "link" }])
    const expected = Object.fromEntries(
      Object.entries(snapshot(directory)).filter(([path]) => !/^\.|^session_share|link\.json$/.test(path)),
    )
    expect(snapshot(target)).toEqual(expected)
    const name = "project/279c78b5a4b6b5fab4e194de64bb475f8bfb25d2.json"
    expect(Math.floor(fs.statSync(join(target, name)).mtimeMs)).toBe(
      Math.floor(fs.statSync(join(directory, name)).mtimeMs),
    )
    // Again, over a copy that was gone on with and lost a file.
    fs.rmSync(join(target, "notes.txt"))
    put(target, name, "changed there")
    const again = store.copyTo(target)
    let next = await again.next()
    const differing: string[] = []
    for (; !next.done; next = await again.next())
      if (next.value.reason === "differs") differing.push(next.value.path)
    expect(differing).toEqual([join(directory, name)])
    expect(next.value).toMatchObject({ copied: 1, secrets: 1, notCopied: 2 })
    expect(fs.readFileSync(join(target, name), "utf8")).toBe("changed there")
    expect(await failure(all(store.copyTo(join(directory, "inside"))))).toBeInstanceOf(TypeError)
    const link = join(tempFolder(), "link")
    fs.symlinkSync(join(directory, "part"), link)
    for (const path of [link, join(link, "new", "folder")])
      expect(await failure(all(store.copyTo(path)))).toBeInstanceOf(TypeError)
  })

  test("versions held back for coalesce are in a copy, and neither overlooked by an import nor put over it", async () => {
    const directory = tempFolder()
    await using store = await open(directory)
    const file = await exported(open)
    await store.import(file)
    await store.parts.write(part("prt_1", "msg_1", "streamed"), { coalesce: 60_000 })
    await store.parts.write(part("prt_1", "msg_1", "newest"), { coalesce: 60_000 })
    const target = join(tempFolder(), "copy")
    await all(store.copyTo(target))
    expect(fs.readFileSync(join(target, "part/msg_1/prt_1.json"), "utf8")).toContain("newest")
    await store.parts.write(part("prt_1", "msg_1"), { coalesce: 60_000 })
    await store.parts.write(part("prt_1", "msg_1", "newest"), { coalesce: 60_000 })
    expect(await failure(store.import(file))).toMatchObject({ code: "CONFLICT" })
    expect(await store.import(file, { onConflict: "replace" })).toMatchObject({ replaced: 1 })
    await store.flush()
    expect(await store.parts.get(["part", "msg_1", "prt_1"])).toEqual(part("prt_1", "msg_1"))
  })
}
