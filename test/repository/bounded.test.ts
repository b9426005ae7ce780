import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { message } from "../support/records.ts"
import { largeTempFolder, put } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

const MESSAGES = 100_000

test("of 100,000 message ids a consumer takes 10: no statement stays open and memory does not grow with the table", async () => {
  const directory = largeTempFolder()
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
