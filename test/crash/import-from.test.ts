import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { opencodeDatabase, openStore } from "../../src/index.ts"
import { bytecodeOf } from "../support/bytecode.ts"
import { Random } from "../support/random.ts"
import { snapshot, tempFolder, treePath } from "../support/temp.ts"
import { deathsOf } from "./deaths.ts"

const childPath = bytecodeOf(join(import.meta.dir, "import-child.ts"))
const KILLS = process.env.SESSIONDEX_TEST_LONG ? 200 : 50
/** So many die in one process. */
const AT_A_TIME = 25
const FIXTURE = treePath("opencode-1.18.34")

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
  const [{ steps = 0 } = {}] = await deathsOf(childPath(), [database], [{ directory: whole, killAt: 0 }])
  expect(steps).toBeGreaterThan(500)
  const wanted = records(whole)
  expect(Object.keys(wanted).length).toBeGreaterThan(100)
  const random = new Random(31)
  const mortals = Array.from({ length: KILLS }, () => ({
    directory: join(tempFolder(), "store"),
    killAt: 1 + random.below(Math.floor(steps * 0.9)),
  }))
  const left = new Set<number>()
  while (mortals.length > 0) {
    const some = mortals.splice(-AT_A_TIME)
    const fates = await deathsOf(childPath(), [database], some)
    expect(fates.filter(({ died }) => died)).toHaveLength(some.length)
    for (const { directory } of some) {
      left.add(Object.keys(fs.existsSync(directory) ? records(directory) : {}).length)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      for await (const { id } of store.sessions.list()) {
        const text = (await Array.fromAsync(store.export(id))).join("")
        expect(text).toBe(fs.readFileSync(join(FIXTURE, "answers", `export-${id}.json`), "utf8"))
      }
      expect((await store.importFrom(opencodeDatabase(database))).left).toEqual([])
      expect(records(directory)).toEqual(wanted)
      fs.rmSync(dirname(directory), { recursive: true, force: true })
    }
  }
  // They were killed all along the way.
  expect(left.size).toBeGreaterThan(5)
}, 180_000)
