import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { Random } from "../support/random.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

const SESSIONS = 400
const MB = 1_000_000

test("after a prune the index's file is smaller, by short transactions and a small WAL, and still right", async () => {
  const directory = tempFolder()
  const random = new Random(3)
  const words = Array.from({ length: 2000 }, () => Math.floor(random.below(2 ** 31)).toString(36))
  for (let s = 0; s < SESSIONS; s++) {
    put(directory, `session/p/ses_${s}.json`, session(`ses_${s}`, { time: { created: s, updated: s } }))
    for (let m = 0; m < 3; m++) {
      put(directory, `message/ses_${s}/msg_${s}_${m}.json`, message(`msg_${s}_${m}`, `ses_${s}`, s * 1e6))
      const text = Array.from({ length: 400 }, () => random.pick(words)).join(" ")
      put(directory, `part/msg_${s}_${m}/prt_1.json`, part("prt_1", `msg_${s}_${m}`, `${text} zebra${s}`))
    }
  }
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  await store.index()
  const index = join(directory, INDEX)
  const size = async (): Promise<number> => {
    await store.index()
    return fs.statSync(index).size + fs.statSync(`${index}-wal`).size
  }
  const before = await size()
  let wal = 0
  for await (const _ of store.prune({ keep: SESSIONS / 10 }))
    wal = Math.max(wal, fs.statSync(`${index}-wal`).size)
  const after = fs.statSync(index).size
  wal = Math.max(wal, fs.statSync(`${index}-wal`).size)
  console.log(
    `index ${(before / MB).toFixed(1)} MB, after removing nine tenths ${(after / MB).toFixed(1)} MB; largest WAL ${(wal / MB).toFixed(1)} MB`,
  )
  expect(before).toBeGreaterThan(4 * MB)
  expect(after).toBeLessThan(before * 0.3)
  expect(wal).toBeLessThan(20 * MB)
  expect(await store.verify()).toMatchObject({ ok: true })
  expect((await all(store.search(`zebra${SESSIONS - 1}`))).length).toBe(3)
  expect(await all(store.search("zebra7 "))).toEqual([])
}, 60_000)
