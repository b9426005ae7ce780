import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { message } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

const MESSAGES = 100_000

test("of 100,000 message ids a consumer takes 10: no statement stays open and memory does not grow with the table", async () => {
  const directory = tempFolder()
  for (let i = 0; i < MESSAGES; i++)
    put(directory, `message/ses_1/msg_${i}.json`, message(`msg_${i}`, "ses_1", i))
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const take = async (count: number): Promise<string[]> => {
    const ids: string[] = []
    for await (const id of store.messages.ids("ses_1")) if (ids.push(id) === count) break
    return ids
  }
  await take(10)
  Bun.gc(true)
  const before = process.memoryUsage().heapUsed
  expect(await take(10)).toEqual(Array.from({ length: 10 }, (_, i) => `msg_${MESSAGES - 1 - i}`))
  const inMid = store.messages.ids("ses_1")
  await inMid.next()
  Bun.gc(true)
  // Ids of the whole table would take over 4 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000)
  const other = new Database(join(directory, INDEX))
  other.run("pragma busy_timeout = 0")
  expect(other.query<{ busy: number }, []>("pragma wal_checkpoint(TRUNCATE)").get()?.busy).toBe(0)
  other.close()
  let count = 1
  for await (const _ of inMid) count++
  expect(count).toBe(MESSAGES)
}, 60_000)

test("looking through every folder for an id that is nowhere lets others have their turn", async () => {
  const directory = tempFolder()
  for (let i = 0; i < 30; i++) put(directory, `part/msg_${i}/prt_${i}.json`, {})
  const store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      lstat(path) {
        Bun.sleepSync(1)
        return fileSystem.lstat(path)
      },
    },
  })
  await store.messages.count("ses_1")
  let turns = 0
  let searching = true
  const turn = (): void => {
    turns++
    if (searching) setImmediate(turn)
  }
  const missing = store.parts.get("prt_none")
  setImmediate(turn)
  expect(await missing).toBeUndefined()
  searching = false
  // Sixty looks of a millisecond in slices of four.
  expect(turns).toBeGreaterThan(5)
  expect((await store.parts.get("prt_7"))?.id).toBe("prt_7")
  await store.close()
})
