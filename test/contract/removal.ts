import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Store } from "../../src/index.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

async function fill(store: Store): Promise<void> {
  await store.sessions.write(session("ses_1"))
  await store.sessions.write(session("ses_2", { parentID: "ses_1", projectID: "other" }))
  await store.sessions.write(session("ses_3"))
  for (const id of ["ses_1", "ses_2", "ses_3"]) {
    for (const kind of ["todo", "session_diff", "session_share"]) await store.write([kind, id], { kind })
    for (let m = 0; m < 3; m++) {
      await store.messages.write(message(`msg_${id}_${m}`, id, m))
      for (let p = 0; p < 4; p++) await store.parts.write(part(`prt_${id}_${m}_${p}`, `msg_${id}_${m}`))
    }
  }
}

/** What goes with what, and what must stay. */
export function removalContract({ open }: Variant): void {
  test("a session goes with its children, messages, parts and side files, and tells what went", async () => {
    await using store = await open(tempFolder())
    await fill(store)
    expect(await store.sessions.remove("ses_1")).toEqual({
      sessions: 2,
      messages: 6,
      parts: 24,
      sideFiles: 6,
      left: [],
    })
    const keys = await all(store.keys())
    expect(keys.filter((key) => key.join().includes("ses_1") || key.join().includes("ses_2"))).toEqual([])
    expect(keys).toHaveLength(1 + 3 + 3 + 12)
    expect(existsSync(join(store.directory, "message", "ses_1"))).toBe(false)
    expect(await all(store.sessions.ids())).toEqual(["ses_3"])
    expect(await store.sessions.remove("ses_1")).toMatchObject({ sessions: 0, messages: 0, parts: 0 })
  })

  test("every copy of a session goes, and one cut short is finished by a second call", async () => {
    await using store = await open(tempFolder())
    await fill(store)
    put(store.directory, "session/copy/ses_3.json", session("ses_3"))
    const abort = new AbortController()
    abort.abort()
    expect(
      await store.sessions.remove("ses_3", { signal: abort.signal }).catch((error: Error) => error.name),
    ).toBe("AbortError")
    expect(await store.sessions.get("ses_3")).toBeDefined()
    expect(await store.sessions.remove("ses_3")).toMatchObject({ sessions: 1, messages: 3, parts: 12 })
    expect(await store.sessions.get("ses_3")).toBeUndefined()
  })

  test("files that cannot be read are left where they are and told of", async () => {
    await using store = await open(tempFolder())
    await fill(store)
    const torn = put(store.directory, "part/msg_ses_3_1/prt_torn.json", "{ torn")
    const { left, parts } = await store.sessions.remove("ses_3")
    expect(left).toEqual([{ path: torn, code: "CORRUPT", message: expect.any(String) }])
    expect(parts).toBe(12)
    expect(snapshot(store.directory)["part/msg_ses_3_1/prt_torn.json"]).toBe(
      Buffer.from("{ torn").toString("base64"),
    )
  })

  test("a message goes with its parts and no others", async () => {
    await using store = await open(tempFolder())
    await fill(store)
    expect(await store.messages.remove("msg_ses_1_0")).toMatchObject({ messages: 1, parts: 4 })
    expect(await store.messages.count("ses_1")).toBe(2)
    expect(await store.parts.count("msg_ses_1_0")).toBe(0)
    expect(await store.parts.count("msg_ses_1_1")).toBe(4)
  })

  test("a parent that is its own descendant does not go round for ever", async () => {
    await using store = await open(tempFolder())
    await store.sessions.write(session("ses_a", { parentID: "ses_b" }))
    await store.sessions.write(session("ses_b", { parentID: "ses_a" }))
    expect(await store.sessions.remove("ses_a")).toMatchObject({ sessions: 2 })
  })
}
