import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { olderData, olderRecords, storedRecords } from "../support/older.ts"
import { Random } from "../support/random.ts"
import { all } from "../support/records.ts"
import { snapshot, tempFoldersInMemory } from "../support/temp.ts"

const childPath = bytecodeOf(join(import.meta.dir, "import-child.ts"))
const KILLS = 50
const AT_ONCE = 3

// What a killed process leaves behind is the same anywhere.
tempFoldersInMemory()

/** Runs the import in a process that kills itself at its nth step; 0 lets it end, and gives how many steps it took. */
async function run(directory: string, killAt: number): Promise<{ signal: unknown; steps: number }> {
  const child = Bun.spawn(["bun", childPath(), directory, String(killAt)], {
    env: SHORT_LIVED,
    stdout: "pipe",
    stderr: "inherit",
  })
  const out = await new Response(child.stdout).text()
  await child.exited
  return { signal: child.signalCode, steps: Number(out || "0") }
}

test(`an import killed at ${KILLS} random steps and run again ends as one that was not; nothing older is changed`, async () => {
  const whole = olderData()
  const { steps } = await run(whole.directory, 0)
  expect(steps).toBeGreaterThan(500)
  const random = new Random(29)
  let killed = 0
  const left = new Set<number>()
  const work = async (): Promise<void> => {
    while (killed < KILLS) {
      killed++
      const { directory, older } = olderData()
      const before = snapshot(older)
      const records = olderRecords(older)
      // Now and then twice in a row, so that a run which finds what a killed one left is killed too.
      for (const share of killed % 4 === 0 ? [1, 0.5] : [1]) {
        const { signal } = await run(directory, 1 + random.below(Math.floor(steps * 0.9 * share)))
        // The guard: it really was killed. The second run may have less to do than that.
        if (share === 1) expect(signal).toBe("SIGKILL")
        // What is there is whole, and where its session's file is so are all its messages and parts.
        const stored = storedRecords(directory)
        if (share === 1) left.add(stored.size)
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
      await using store = await openStore({ directory, backgroundIndex: false })
      const { copied, present, unreadable, differing } = await store.importOlder()
      expect([copied.sessions + present.sessions, copied.messages + present.messages]).toEqual([9, 26])
      expect([copied.parts + present.parts, unreadable.length, differing.length]).toEqual([43, 0, 0])
      expect(storedRecords(directory)).toEqual(records)
      expect(snapshot(older)).toEqual(before)
      fs.rmSync(join(directory, ".."), { recursive: true, force: true })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  expect(killed).toBeGreaterThanOrEqual(KILLS)
  // They were killed all along the way.
  expect(left.size).toBeGreaterThan(15)
}, 180_000)
