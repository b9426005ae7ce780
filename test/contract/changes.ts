import { expect, test } from "bun:test"
import type { StoreChange } from "../../src/index.ts"
import { failure, message, part, session } from "../support/records.ts"
import { tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

/** What a store tells of its own changes, usage, and versions. */
export function changeContract({ open }: Variant): void {
  test("changes() tells of every write and removal once it is done, until the store is closed", async () => {
    const store = await open(tempFolder())
    const seen: StoreChange[] = []
    const changes = store.changes()
    const first = changes.next()
    await store.sessions.write(session("ses_1"))
    await store.messages.write(message("msg_1", "ses_1", 1))
    await store.parts.write(part("prt_1", "msg_1"))
    await store.write(["todo", "ses_1"], [])
    await store.write(["notes", "deep", "x"], {})
    expect(await store.remove(["todo", "none"])).toBe(false)
    await store.parts.remove("prt_1")
    await store.close()
    const one = await first
    if (!one.done) seen.push(one.value)
    for await (const change of changes) seen.push(change)
    expect(seen).toEqual([
      { kind: "session", type: "written", by: "store", projectID: "proj", sessionID: "ses_1" },
      { kind: "message", type: "written", by: "store", sessionID: "ses_1", messageID: "msg_1" },
      { kind: "part", type: "written", by: "store", sessionID: "ses_1", messageID: "msg_1", partID: "prt_1" },
      { kind: "todo", type: "written", by: "store", sessionID: "ses_1" },
      { kind: "notes", type: "written", by: "store" },
      { kind: "part", type: "removed", by: "store", messageID: "msg_1", partID: "prt_1" },
    ])
    expect(() => store.changes()).toThrow("closed")
  })

  test("who takes changes too slowly is told that anything may have changed", async () => {
    await using store = await open(tempFolder())
    const slow = store.changes()
    const first = slow.next()
    await Promise.all(Array.from({ length: 1_200 }, (_, i) => store.write(["notes", String(i)], i)))
    const types = [(await first).value?.type]
    while (types.at(-1) === "written") types.push((await slow.next()).value?.type)
    expect(types.at(-1)).toBe("unknown")
    expect(types.length).toBeLessThan(10)
    // What came after that is told one by one again.
    for (let after = 0; after < 150; after++) expect((await slow.next()).value?.type).toBe("written")
    await store.close()
    let left = 0
    for (let next = await slow.next(); !next.done; next = await slow.next()) left++
    expect(left).toBeLessThan(60)
  })

  test("a signal ends the waiting for changes", async () => {
    await using store = await open(tempFolder())
    const abort = new AbortController()
    const waiting = failure(store.changes({ signal: abort.signal }).next())
    abort.abort(new Error("enough"))
    expect(await waiting).toMatchObject({ message: "enough" })
    expect(await failure(store.changes({ signal: abort.signal }).next())).toMatchObject({ message: "enough" })
  })

  test("usage() adds up tokens and cost by day, model and provider", async () => {
    await using store = await open(tempFolder())
    const day = (text: string): number => Date.parse(text)
    const tokens = { input: 10, output: 5, reasoning: 1, cache: { read: 3, write: 2 } }
    const say = (id: string, sessionID: string, created: number, over: object): Promise<void> =>
      store.messages.write({ ...message(id, sessionID, created), ...over })
    await store.sessions.write(session("ses_1"))
    await say("msg_1", "ses_1", day("2026-03-01T23:30:00Z"), { role: "user", model: { modelID: "m" } })
    const assistant = { role: "assistant", modelID: "m", providerID: "p", tokens, cost: 0.25 }
    await say("msg_2", "ses_1", day("2026-03-01T23:59:59.999Z"), assistant)
    await say("msg_3", "ses_1", day("2026-03-02T00:00:00Z"), assistant)
    await say("msg_4", "ses_2", day("2026-03-02T12:00:00Z"), assistant)
    await say("msg_5", "ses_2", day("2026-03-02T12:00:00Z"), {
      role: "assistant",
      modelID: "n",
      tokens: 7,
      cost: {},
    })
    const none = { messages: 0, input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0, cost: 0 }
    const once = { messages: 1, input: 10, output: 5, reasoning: 1, cacheRead: 3, cacheWrite: 2, cost: 0.25 }
    const twice = { messages: 2, input: 20, output: 10, reasoning: 2, cacheRead: 6, cacheWrite: 4, cost: 0.5 }
    expect(await store.usage({ timeZone: "UTC" })).toEqual([
      { day: "2026-03-01", model: null, provider: null, ...none, messages: 1 },
      { day: "2026-03-01", model: "m", provider: "p", ...once },
      { day: "2026-03-02", model: "m", provider: "p", ...twice },
      { day: "2026-03-02", model: "n", provider: null, ...none, messages: 1 },
    ])
    expect(
      await store.usage({ timeZone: "UTC", projectID: "proj", since: day("2026-03-02T00:00:00Z") }),
    ).toEqual([{ day: "2026-03-02", model: "m", provider: "p", ...once }])
    const days = async (timeZone: string): Promise<string[]> =>
      (await store.usage({ timeZone })).map((row) => row.day)
    expect(new Set(await days("Asia/Tokyo"))).toEqual(new Set(["2026-03-02"]))
    expect(new Set(await days("America/New_York"))).toEqual(new Set(["2026-03-01", "2026-03-02"]))
    expect(await store.usage({ until: 5 })).toEqual([])
    expect(await failure(store.usage({ timeZone: "Mars/Base" }))).toBeInstanceOf(TypeError)
    expect(await failure(store.usage({ projectID: "../x" }))).toMatchObject({ code: "INVALID_KEY" })
    expect(await failure(store.usage({ signal: AbortSignal.abort(new Error("enough")) }))).toMatchObject({
      message: "enough",
    })
  })
}
