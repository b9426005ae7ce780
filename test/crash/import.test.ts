import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { bytecodeOf } from "../support/bytecode.ts"
import { olderData, olderRecords, storedRecords } from "../support/older.ts"
import { Random } from "../support/random.ts"
import { all } from "../support/records.ts"
import { snapshot } from "../support/temp.ts"
import { deathsOf } from "./deaths.ts"
import type { Mortal } from "./dying.ts"

const childPath = bytecodeOf(join(import.meta.dir, "import-child.ts"))
const KILLS = 50

/** Imports into stores to the deaths of each; tells which of them died. */
async function die(mortals: readonly Mortal[]): Promise<boolean[]> {
  return (await deathsOf(childPath(), [""], mortals)).map(({ died }) => died)
}

test(`an import killed at ${KILLS} random steps and run again ends as one that was not; nothing older is changed`, async () => {
  const whole = olderData()
  const [{ steps = 0 } = {}] = await deathsOf(childPath(), [""], [{ directory: whole.directory, killAt: 0 }])
  expect(steps).toBeGreaterThan(500)
  const random = new Random(29)
  const killAt = (share: number): number => 1 + random.below(Math.floor(steps * 0.9 * share))
  const histories = Array.from({ length: KILLS }, () => ({ ...olderData(), killAt: killAt(1) }))
  const [{ older: original } = { older: "" }] = histories
  const before = snapshot(original)
  const records = olderRecords(original)
  const left = new Set<number>()
  /** What is there is whole, and where its session's file is so are all its messages and parts. */
  const check = async ({ directory }: Mortal): Promise<void> => {
    const stored = storedRecords(directory)
    left.add(stored.size)
    for (const [key, text] of stored) expect(text).toBe(records.get(key) ?? "no such record")
    for (const key of stored.keys()) {
      const [kind, , file = ""] = key.split("/")
      if (kind !== "session") continue
      const prefix = `message/${file.slice(0, -5)}/`
      const messages = [...records.keys()].filter((other) => other.startsWith(prefix))
      expect(messages.filter((message) => !stored.has(message))).toEqual([])
    }
    await using store = await openStore({ directory, backgroundIndex: false })
    expect(await all(store.sessions.ids())).toHaveLength(9)
  }
  const died = await die(histories)
  expect(died.filter(Boolean)).toHaveLength(KILLS)
  for (const history of histories) await check(history)
  const seen = left.size
  // Now and then twice in a row, so that a run which finds what a killed one left is killed too; it may have less to do than that.
  const twice = histories
    .filter((_, at) => at % 4 === 3)
    .map(({ directory }) => ({ directory, killAt: killAt(0.5) }))
  await die(twice)
  for (const history of twice) await check(history)
  for (const { directory, older } of histories) {
    await using store = await openStore({ directory, backgroundIndex: false })
    const { copied, present, unreadable, differing } = await store.importOlder()
    expect([copied.sessions + present.sessions, copied.messages + present.messages]).toEqual([9, 26])
    expect([copied.parts + present.parts, unreadable.length, differing.length]).toEqual([43, 0, 0])
    expect(storedRecords(directory)).toEqual(records)
    expect(snapshot(older)).toEqual(before)
  }
  // They were killed all along the way.
  expect(seen).toBeGreaterThan(15)
}, 180_000)
