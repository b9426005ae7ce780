import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore } from "../../src/index.ts"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { Random } from "../support/random.ts"
import { snapshot, tempFolder, tempFoldersInMemory, treePath } from "../support/temp.ts"

const childPath = bytecodeOf(join(import.meta.dir, "import-child.ts"))
const KILLS = process.env.SESSIONDEX_TEST_LONG ? 200 : 50
const AT_ONCE = 3
const FIXTURE = treePath("opencode-1.18.34")

// What a killed process leaves behind is the same anywhere.
tempFoldersInMemory()

/** Runs the import in a process that kills itself at its nth step; 0 lets it end, and gives how many steps it took. */
async function run(directory: string, killAt: number, database: string) {
  const child = Bun.spawn(["bun", childPath(), directory, String(killAt), database], {
    env: SHORT_LIVED,
    stdout: "pipe",
    stderr: "inherit",
  })
  const out = await new Response(child.stdout).text()
  await child.exited
  return { signal: child.signalCode, steps: Number(out || "0") }
}

/** The files of records that a store holds. */
function records(directory: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(snapshot(directory)).filter(([path]) =>
      /^(?:session|message|part|todo|project)\/.*\.json$/.test(path),
    ),
  )
}

test(`an import from a database killed at ${KILLS} random steps and run again ends as one that was not`, async () => {
  const database = join(tempFolder(), "opencode.db")
  fs.copyFileSync(join(FIXTURE, "opencode.db"), database)
  const whole = join(tempFolder(), "store")
  const { steps } = await run(whole, 0, database)
  expect(steps).toBeGreaterThan(500)
  const wanted = records(whole)
  expect(Object.keys(wanted).length).toBeGreaterThan(100)
  const random = new Random(31)
  let begun = 0
  const left = new Set<number>()
  const work = async (): Promise<void> => {
    while (begun < KILLS) {
      begun++
      const directory = join(tempFolder(), "store")
      const { signal } = await run(directory, 1 + random.below(Math.floor(steps * 0.9)), database)
      expect(signal).toBe("SIGKILL")
      left.add(Object.keys(fs.existsSync(directory) ? records(directory) : {}).length)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      for await (const { id } of store.sessions.list()) {
        const text = (await Array.fromAsync(store.export(id))).join("")
        expect(text).toBe(fs.readFileSync(join(FIXTURE, "answers", `export-${id}.json`), "utf8"))
      }
      expect((await store.importFrom(opencodeDatabase(database))).left).toEqual([])
      expect(records(directory)).toEqual(wanted)
      fs.rmSync(directory, { recursive: true, force: true })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  // They were killed all along the way.
  expect(left.size).toBeGreaterThan(5)
}, 180_000)
