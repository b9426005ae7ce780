import { expect, test } from "bun:test"
import { fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"

const RECORDS = 20

test("a page in the midst of a listing looks at every file once, as the first page does", async () => {
  const directory = tempFolder()
  for (let i = 0; i < RECORDS; i++) {
    put(directory, `session/p/ses_${i}.json`, session(`ses_${i}`, { time: { created: i, updated: i } }))
    put(directory, `message/ses_0/msg_${i}.json`, message(`msg_${i}`, "ses_0", i))
  }
  await untilProven()
  let looks = 0
  const lstat: typeof fileSystem.lstat = (path) => {
    if (path.endsWith(".json")) looks++
    return fileSystem.lstat(path)
  }
  const options = resolveOptions({ directory, backgroundIndex: false })
  await using store = new Store(options, { fs: { ...fileSystem, lstat } })
  await store.index()
  const looked = async <T>(work: Promise<T>): Promise<T> => {
    looks = 0
    const result = await work
    expect(looks).toBe(RECORDS)
    return result
  }
  const ids = ({ items }: { items: { id: string }[] }): string[] => items.map(({ id }) => id)

  const first = await looked(store.sessions.page({ limit: 5 }))
  const second = await looked(store.sessions.page({ limit: 5, cursor: first.older ?? "" }))
  expect(ids(second)).toEqual(["ses_14", "ses_13", "ses_12", "ses_11", "ses_10"])
  expect(ids(await looked(store.sessions.page({ limit: 5, cursor: second.newer ?? "" })))).toEqual(ids(first))

  const newest = await store.messages.pageKeys("ses_0", { limit: 5 })
  const next = await looked(store.messages.pageKeys("ses_0", { limit: 5, cursor: newest.older ?? "" }))
  expect(next.items.map((key) => key.at(-1))).toEqual(["msg_14", "msg_13", "msg_12", "msg_11", "msg_10"])
  expect(next.newer).toBeString()
})
