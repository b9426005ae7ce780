import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Pruned, PruneOptions, PruneResult, Store } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

const DAY = 86_400_000
const NOW = Date.now()

/** Sessions used so many days ago; `child` is a child of `old`. */
const AGES = { old: 100, child: 1, older: 200, young: 2, other: 300 } as const

function fill(directory: string): void {
  for (const [name, days] of Object.entries(AGES)) {
    const id = `ses_${name}`
    const updated = NOW - days * DAY
    const project = name === "other" ? "q" : "p"
    const over = name === "child" ? { parentID: "ses_old" } : {}
    put(directory, `session/${project}/${id}.json`, session(id, { ...over, time: { created: 1, updated } }))
    for (const kind of ["todo", "session_diff", "session_share"])
      put(directory, `${kind}/${id}.json`, [{ secret: kind }])
    for (let m = 0; m < 3; m++) {
      put(directory, `message/${id}/msg_${name}_${m}.json`, message(`msg_${name}_${m}`, id, m))
      for (let p = 0; p < 2; p++)
        put(directory, `part/msg_${name}_${m}/prt_${p}.json`, part(`prt_${p}`, `msg_${name}_${m}`, name))
    }
  }
}

/** All files of the store but the index's and the trash. */
function files(directory: string): Record<string, string> {
  const kept = Object.entries(snapshot(directory)).filter(
    ([path, content]) => content !== "folder" && !path.includes(".sessiondex"),
  )
  return Object.fromEntries(kept)
}

async function run(
  store: Store,
  options: PruneOptions,
): Promise<{ pruned: Pruned[]; ids: string[]; result: PruneResult }> {
  const pruned: Pruned[] = []
  const running = store.prune(options)
  let next = await running.next()
  for (; !next.done; next = await running.next()) pruned.push(next.value)
  return { pruned, ids: pruned.map(({ id }) => id), result: next.value }
}

/** What goes by which rule, how it comes back, and what is never lost. */
export function retentionContract({ open }: Variant): void {
  test("each rule names its sessions, longest unused first; a dry run changes nothing; all comes back byte for byte", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory)
    const whole = files(directory)
    const rules: [PruneOptions, string[]][] = [
      [{ olderThan: 90 * DAY }, ["ses_other", "ses_older", "ses_old"]],
      [{ olderThan: 90 * DAY, children: true }, ["ses_other", "ses_older", "ses_old", "ses_child"]],
      [{ olderThan: 90 * DAY, projectID: "p" }, ["ses_older", "ses_old"]],
      [{ keep: 2 }, ["ses_other", "ses_older", "ses_old"]],
      [{ keep: 1, projectID: "p" }, ["ses_older", "ses_old", "ses_young"]],
      [{ keep: 4, olderThan: 150 * DAY }, ["ses_other", "ses_older"]],
      [{ keep: 0 }, ["ses_other", "ses_older", "ses_old", "ses_young", "ses_child"]],
      [{ maxBytes: 0, projectID: "q" }, ["ses_other"]],
      [{ maxBytes: 1e9 }, []],
    ]
    for (const [rule, expected] of rules) {
      const dry = await run(store, { ...rule, dryRun: true })
      expect(dry.ids).toEqual(expected)
      expect(files(directory)).toEqual(whole)
      const { pruned, ids, result } = await run(store, rule)
      expect(ids).toEqual(expected)
      expect(pruned).toEqual(dry.pruned.map((planned) => ({ ...planned, outcome: "trashed" })))
      expect(result).toEqual(dry.result)
      expect(result).toMatchObject({ sessions: expected.length, files: expected.length * 13, left: 0 })
      const left = Object.keys(AGES).filter((name) => !expected.includes(`ses_${name}`))
      expect((await all(store.sessions.ids())).sort()).toEqual(left.map((name) => `ses_${name}`).sort())
      expect(await all(store.orphans())).toEqual([])
      expect(Object.keys(files(directory))).toHaveLength(left.length * 13)
      if (expected.length === 0) continue
      expect((await all(store.trash.list())).map(({ id }) => id).sort()).toEqual(expected.toSorted())
      await all(store.trash.restore(expected))
      expect(files(directory)).toEqual(whole)
      expect(await all(store.trash.list())).toEqual([])
      expect(await store.sessions.count()).toBe(5)
    }
  })

  test("max size keeps the newest that fit together, whole sessions with all that belongs to them", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory)
    const { pruned } = await run(store, { keep: 0, dryRun: true })
    const sizes = pruned.map(({ bytes }) => bytes).reverse()
    const [first = 0, second = 0] = sizes
    for (const name of ["child", "young"]) {
      const own = Object.entries(files(directory)).filter(([path]) => path.includes(`_${name}`))
      const bytes = own.reduce((sum, [, content]) => sum + Buffer.from(content, "base64").length, 0)
      expect(sizes[name === "child" ? 0 : 1]).toBe(bytes)
    }
    const { ids } = await run(store, { maxBytes: first + second, dryRun: true })
    expect(ids).toEqual(["ses_other", "ses_older", "ses_old"])
    expect((await run(store, { maxBytes: first + second - 1, dryRun: true })).ids).toHaveLength(4)
  })

  test("a child goes with its parent only as the option says; one that stays is told of and stays listed", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory)
    const { ids, result } = await run(store, { olderThan: 90 * DAY, projectID: "p" })
    expect(ids).not.toContain("ses_child")
    expect(result.parentless).toBe(1)
    expect(await all(store.sessions.ids())).toContain("ses_child")
    await all(store.trash.restore("ses_old"))
    const { pruned } = await run(store, { olderThan: 90 * DAY, projectID: "p", children: true })
    expect(pruned.map(({ id, reason }) => [id, reason])).toEqual([
      ["ses_old", "age"],
      ["ses_child", "parent"],
    ])
  })

  test("what is trashed is found no more, what comes back is, also with maxStaleness", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory, { maxStaleness: 60_000 })
    expect(await store.sessions.count({ archived: "exclude" })).toBe(5)
    expect(await store.messages.count("ses_old")).toBe(3)
    await run(store, { olderThan: 90 * DAY })
    expect(await store.sessions.count({ archived: "exclude" })).toBe(2)
    expect(await store.sessions.get("ses_old")).toBeUndefined()
    expect(await store.messages.count("ses_old")).toBe(0)
    expect(await all(store.messages.list("ses_old"))).toEqual([])
    expect(await all(store.search("text"))).toEqual([])
    expect(await all(store.trash.restore("ses_old"))).toEqual([
      { id: "ses_old", kind: "session", files: 13, bytes: expect.any(Number), left: [] },
    ])
    expect(await all(store.sessions.ids({ archived: "exclude" }))).toEqual([
      "ses_child",
      "ses_young",
      "ses_old",
    ])
    expect(await all(store.messages.stream("ses_old"))).toHaveLength(3)
  })

  test("what cannot be read moves like anything else, but an unreadable session has no age and stays", async () => {
    const directory = tempFolder()
    fill(directory)
    put(directory, "message/ses_old/msg_old_1.json", "{ torn")
    put(directory, "message/ses_old/notes.txt", "a stranger's")
    put(directory, "part/msg_old_1/prt_1.json", "\0\0")
    put(directory, "session/p/ses_older.json", "{ torn")
    const long = new Date(NOW - 500 * DAY)
    for (const path of [
      "message/ses_old/msg_old_1.json",
      "part/msg_old_1/prt_1.json",
      "session/p/ses_older.json",
    ])
      fs.utimesSync(join(directory, path), long, long)
    const whole = files(directory)
    await using store = await open(directory)
    const { ids } = await run(store, { olderThan: 90 * DAY, projectID: "p" })
    expect(ids).toEqual(["ses_old"])
    expect(
      Object.keys(files(directory)).filter((path) => path.includes("old_") || path.includes("ses_old.")),
    ).toEqual([])
    await all(store.trash.restore("ses_old"))
    expect(files(directory)).toEqual(whole)
  })

  test("a session that was gone on with after it was chosen stays", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory)
    /** Agrees to two, and goes on with one of them at the same moment. */
    class Agreed extends Set<string> {
      override has(id: string): boolean {
        const body = session("ses_old", { time: { created: 1, updated: NOW } })
        if (id === "ses_old") put(directory, "session/p/ses_old.json", body)
        return super.has(id)
      }
    }
    const running = store.prune({ olderThan: 90 * DAY, only: new Agreed(["ses_old", "ses_older"]) })
    const outcomes = (await all(running)).map(({ id, outcome }) => [id, outcome])
    expect(outcomes).toEqual([
      ["ses_older", "trashed"],
      ["ses_old", "changed"],
    ])
    expect(await all(store.messages.stream("ses_old"))).toHaveLength(3)
    expect((await all(store.trash.list())).map(({ id }) => id)).toEqual(["ses_older"])
  })

  test("restore overwrites nothing: what came back meanwhile stays, and the rest waits in the trash", async () => {
    const directory = tempFolder()
    fill(directory)
    const whole = files(directory)
    await using store = await open(directory)
    await run(store, { olderThan: 90 * DAY, projectID: "p" })
    put(directory, "session/p/ses_old.json", session("ses_old", { title: "came back" }))
    put(directory, "part/msg_old_0/prt_0.json", { new: true })
    const [restored] = await all(store.trash.restore("ses_old"))
    expect(restored?.left).toHaveLength(2)
    for (const path of restored?.left ?? []) expect(fs.existsSync(path)).toBe(true)
    expect(await store.sessions.get("ses_old")).toMatchObject({ title: "came back" })
    expect(await store.parts.get(["part", "msg_old_0", "prt_0"])).toMatchObject({ new: true })
    expect(await store.parts.get(["part", "msg_old_0", "prt_1"])).toMatchObject({ text: "old" })
    fs.rmSync(join(directory, "session/p/ses_old.json"))
    fs.rmSync(join(directory, "part/msg_old_0/prt_0.json"))
    await all(store.trash.restore(["ses_old", "ses_older"]))
    expect(files(directory)).toEqual(whole)
  })

  test("one id trashed twice comes back whole, the later version first", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory)
    await run(store, { olderThan: 250 * DAY })
    put(
      directory,
      "session/q/ses_other.json",
      session("ses_other", { title: "again", time: { created: 1, updated: 5 } }),
    )
    await run(store, { olderThan: 250 * DAY })
    expect(await all(store.trash.list())).toHaveLength(2)
    const [later, earlier] = await all(store.trash.restore("ses_other"))
    expect(later?.left).toEqual([])
    expect(earlier?.left).toHaveLength(1)
    expect(await store.sessions.get("ses_other")).toMatchObject({ title: "again" })
    expect(await all(store.messages.stream("ses_other"))).toHaveLength(3)
  })

  test("purge and trash empty really delete, by age and id where asked", async () => {
    const directory = tempFolder()
    fill(directory)
    await using store = await open(directory)
    const { pruned } = await run(store, { olderThan: 250 * DAY, purge: true })
    expect(pruned).toMatchObject([{ id: "ses_other", outcome: "purged" }])
    expect(await all(store.trash.list())).toEqual([])
    await run(store, { olderThan: 90 * DAY })
    expect(await all(store.trash.empty({ olderThan: DAY }))).toEqual([])
    expect(await all(store.trash.empty({ ids: ["ses_old"] }))).toMatchObject([{ id: "ses_old", files: 13 }])
    expect(await failure(all(store.trash.restore("ses_old")))).toMatchObject({ code: "NOT_FOUND" })
    expect((await all(store.trash.list())).map(({ id }) => id)).toEqual(["ses_older"])
    expect(await all(store.trash.empty())).toHaveLength(1)
    const rest = Object.keys(snapshot(directory)).filter((path) => /old|other/.test(path))
    expect(rest).toEqual([])
  })

  test("orphans are pruned and restored like sessions, and nothing that has its parent goes with them", async () => {
    const directory = tempFolder()
    fill(directory)
    fs.rmSync(join(directory, "session/p/ses_old.json"))
    put(directory, "todo/ses_gone.json", [1])
    put(directory, "part/msg_gone/prt_1.json", { text: 1 })
    const whole = files(directory)
    await using store = await open(directory)
    const { pruned, result } = await run(store, { orphans: true })
    expect(pruned.map(({ id, kind }) => [id, kind])).toEqual([
      ["ses_gone", "remains"],
      ["ses_old", "remains"],
      ["msg_gone", "parts"],
    ])
    expect(result).toMatchObject({ sessions: 0, orphans: 3, files: 14 })
    expect(await all(store.orphans())).toEqual([])
    expect(Object.keys(files(directory))).toHaveLength(4 * 13)
    await all(store.trash.restore(["ses_gone", "ses_old", "msg_gone"]))
    expect(files(directory)).toEqual(whole)
    // By age, the files' own times count: these were made just now.
    expect(
      (await run(store, { orphans: true, olderThan: DAY, projectID: "none", dryRun: true })).ids,
    ).toEqual([])
  })

  test("where sessions cannot be listed nobody is called an orphan", async () => {
    const directory = tempFolder()
    fill(directory)
    const elsewhere = tempFolder()
    fs.renameSync(join(directory, "session/p"), join(elsewhere, "p"))
    fs.symlinkSync(join(elsewhere, "p"), join(directory, "session/p"))
    await using store = await open(directory)
    expect(await failure(run(store, { orphans: true }))).toMatchObject({ code: "UNREADABLE" })
    fs.rmSync(join(directory, "session"), { recursive: true })
    fs.symlinkSync(join(elsewhere, "unplugged"), join(directory, "session"))
    expect(await failure(run(store, { orphans: true }))).toMatchObject({ code: "UNREADABLE" })
    expect(fs.existsSync(join(directory, "message/ses_old/msg_old_0.json"))).toBe(true)
  })

  test("rules that make no sense are a TypeError; a read-only store is only looked at; a closed one says so", async () => {
    const directory = tempFolder()
    fill(directory)
    const store = await open(directory, { readOnly: true })
    for (const wrong of [{}, { olderThan: -1 }, { keep: 1.5 }, { maxBytes: Number.NaN }])
      expect(await failure(run(store, wrong))).toBeInstanceOf(TypeError)
    expect((await run(store, { keep: 1, dryRun: true })).ids).toHaveLength(4)
    expect(await failure(run(store, { keep: 1 }))).toMatchObject({ code: "READ_ONLY" })
    expect(await failure(all(store.trash.restore("ses_old")))).toMatchObject({ code: "READ_ONLY" })
    expect(await failure(all(store.trash.restore("../x")))).toMatchObject({ code: "INVALID_KEY" })
    await store.close()
    expect(await failure(run(store, { keep: 1 }))).toMatchObject({ code: "CLOSED" })
  })

  test("the parts of a message that lies in two sessions stay until the last of them goes, and no other's do", async () => {
    for (const way of ["prune", "purge", "remove", "message"]) {
      const directory = tempFolder()
      for (const [at, id] of ["ses_1", "ses_2"].entries()) {
        put(directory, `session/p/${id}.json`, session(id, { time: { created: 1, updated: 1 + at } }))
        put(directory, `message/${id}/msg_both.json`, message("msg_both", id, 1))
        put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 2))
        put(directory, `part/msg_${id}/prt_1.json`, part("prt_1", `msg_${id}`))
      }
      put(directory, "part/msg_both/prt_1.json", part("prt_1", "msg_both"))
      const whole = files(directory)
      await using store = await open(directory)
      expect((await store.stats()).kinds).toMatchObject({ message: { files: 4 }, part: { files: 3 } })
      const go = async (id: string, keep: number): Promise<unknown> => {
        if (way === "remove") return store.sessions.remove(id)
        if (way === "message") return store.messages.remove(["message", id, "msg_both"])
        const dry = await run(store, { keep, dryRun: true })
        const { pruned, result } = await run(store, { keep, purge: way === "purge" })
        expect(pruned.map(({ id, files }) => [id, files])).toEqual(
          dry.pruned.map(({ id, files }) => [id, files]),
        )
        expect(result.files).toBe(keep === 1 ? 4 : 5)
        return result
      }
      await go("ses_1", 1)
      expect(await all(store.messages.stream("ses_2"))).toMatchObject([{ parts: [{}] }, { parts: [{}] }])
      await go("ses_2", 0)
      expect(Object.keys(files(directory)).filter((path) => path.includes("msg_both"))).toEqual([])
      expect(await all(store.orphans())).toEqual([])
      if (way !== "prune") continue
      await all(store.trash.restore(["ses_1", "ses_2"]))
      expect(files(directory)).toEqual(whole)
      const both = await run(store, { keep: 0, dryRun: true })
      expect(both.result.files).toBe(9)
      expect((await run(store, { keep: 0 })).result).toEqual(both.result)
      expect(files(directory)).toEqual({})
    }
  })

  test("an entry that was begun and holds only folders is forgotten, and its session is where it was", async () => {
    const directory = tempFolder()
    fill(directory)
    const whole = files(directory)
    const manifest = {
      version: 1,
      id: "ses_old",
      kind: "session",
      updated: 1,
      removed: 1,
      files: 13,
      bytes: 1,
    }
    put(directory, ".sessiondex-trash/begun/moving.json", manifest)
    fs.mkdirSync(join(directory, ".sessiondex-trash/begun/session/p"), { recursive: true })
    await using store = await open(directory)
    expect(await all(store.trash.list())).toMatchObject([{ id: "ses_old", whole: false }])
    expect(await all(store.trash.empty({ ids: ["none"] }))).toEqual([])
    expect(await all(store.trash.list())).toEqual([])
    expect(files(directory)).toEqual(whole)
  })

  test("an aborted prune ends with the signal's reason and leaves no session half moved", async () => {
    const directory = tempFolder()
    fill(directory)
    const whole = files(directory)
    await using store = await open(directory)
    const abort = new AbortController()
    abort.abort(new Error("enough"))
    expect(await failure(run(store, { keep: 0, signal: abort.signal }))).toMatchObject({ message: "enough" })
    expect(files(directory)).toEqual(whole)
  })
}
