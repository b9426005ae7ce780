import { expect, test } from "bun:test"
import { openStore } from "../../src/index.ts"
import { failure, part, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"

test("a version stands while nothing changes, differs after every change, and is withheld while it could lie", async () => {
  const directory = tempFolder()
  const keys = [
    ["session", "p", "ses_1"],
    ["part", "msg_1", "prt_1"],
    ["todo", "ses_1"],
  ]
  put(directory, "session/p/ses_1.json", session("ses_1"))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  // Files so young may change again without leaving another stamp.
  put(directory, "session/p/ses_1.json", session("ses_1"))
  expect(await store.version(keys)).toBeUndefined()
  await untilProven()
  const seen = new Set<string | undefined>()
  const look = async (): Promise<void> => {
    await untilProven()
    const version = await store.version(keys)
    expect(version).toBeString()
    expect(await store.version(keys)).toBe(version)
    expect(seen.has(version)).toBe(false)
    seen.add(version)
  }
  await look()
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
  await look()
  put(directory, "todo/ses_1.json", [])
  await look()
  await store.remove(["todo", "ses_1"])
  // What is as it was before has the version of before.
  expect(seen.has(await store.version(keys))).toBe(true)
  expect(await store.version(keys.toReversed())).not.toBe(await store.version(keys))
  // What is newer in memory than on the disk has no stamp yet.
  await store.parts.write(part("prt_1", "msg_1", "a"), { coalesce: 60_000 })
  await untilProven()
  await store.parts.write(part("prt_1", "msg_1", "b"), { coalesce: 60_000 })
  expect(await store.version(keys)).toBeUndefined()
  await store.flush()
  await look()
  expect(await failure(store.version([["..", "x"]]))).toMatchObject({ code: "INVALID_KEY" })
})
