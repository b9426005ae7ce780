import { afterAll, describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { openStore } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { bytecodeOf } from "../support/bytecode.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { deathsOf } from "./deaths.ts"
import { type Scenario, scenarios } from "./scenarios.ts"

const childPath = bytecodeOf(join(import.meta.dir, "child.ts"))
const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
/** So many steps of a scenario at the most, spread over all of it. */
const MAX_POINTS = LONG ? 400 : 40
const LIMIT_MS = LONG ? 1_800_000 : 180_000
const AT_ONCE = 3
/** So many die in one process, which loads its modules once for all of them. */
const AT_A_TIME = 25
const LEAST_POINTS = LONG ? 300 : 180

let killed = 0

interface Line {
  readonly begun?: string[]
  readonly done?: string[]
  readonly value?: unknown
}

function fill(directory: string): void {
  for (let s = 1; s <= 3; s++) {
    const id = `ses_${s}`
    put(
      directory,
      `session/proj/${id}.json`,
      session(id, { projectID: "proj", time: { created: s, updated: s } }),
    )
    put(directory, `todo/${id}.json`, [s])
    for (let m = 1; m <= 3; m++) {
      put(directory, `message/${id}/msg_${s}_${m}.json`, message(`msg_${s}_${m}`, id, m))
      for (let p = 1; p <= 2; p++)
        put(directory, `part/msg_${s}_${m}/prt_${p}.json`, part(`prt_${p}`, `msg_${s}_${m}`))
    }
  }
  put(directory, "session/proj/ses_4.json", session("ses_4", { projectID: "proj", parentID: "ses_1" }))
}

function recordFiles(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json") && !name.startsWith(".sessiondex"))
}

/** What each record may hold: what was last acknowledged, or what was under way. */
function checkRecords(directory: string, lines: readonly Line[]): void {
  const allowed = new Map<string, unknown[]>()
  const acknowledged = new Set<string>()
  for (const { begun, done, value } of lines) {
    const path = `${join(directory, ...(begun ?? done ?? []))}.json`
    if (begun) allowed.set(path, [...(allowed.get(path) ?? []), value])
    if (done) {
      allowed.set(path, [value])
      acknowledged.add(path)
    }
  }
  for (const name of recordFiles(directory)) {
    // Throws where a record is torn.
    const body: unknown = JSON.parse(fs.readFileSync(join(directory, name), "utf8"))
    const values = allowed.get(join(directory, name))
    if (values && acknowledged.has(join(directory, name)))
      expect(values.some((value) => isDeepStrictEqual(value, body))).toBe(true)
  }
  for (const path of acknowledged) expect(fs.existsSync(path)).toBe(true)
}

async function checkIndex(directory: string): Promise<void> {
  await using scan = new Store(resolveOptions({ directory, backgroundIndex: false }), { filesOnly: true })
  await using store = await openStore({ directory, backgroundIndex: false })
  const sessions = await all(scan.sessions.list())
  expect(await all(store.sessions.list())).toEqual(sessions)
  for (const { id } of sessions)
    expect(await all(store.messages.stream(id))).toEqual(await all(scan.messages.stream(id)))
  await store.index()
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  expect(store.health()).toMatchObject({ answers: { files: 0 }, index: { damaged: [], failures: 0 } })
}

for (const scenario of scenarios)
  describe(scenario.name, () => {
    test(
      "killed at any step, nothing is torn or lost, and the index agrees afterwards",
      async () => {
        const steps = await countSteps(scenario)
        expect(steps).toBeGreaterThan(20)
        const points = Math.min(steps, MAX_POINTS)
        const waiting = Array.from({ length: points }, (_, i) => 1 + Math.floor((i * steps) / points))
        expect(new Set(waiting).size).toBe(points)
        let missed = 0
        const work = async (): Promise<void> => {
          for (let some = waiting.splice(-AT_A_TIME); some.length > 0; some = waiting.splice(-AT_A_TIME)) {
            const mortals = some.map((killAt) => ({ directory: filled(), killAt }))
            const fates = await deathsOf(childPath(), [scenario.name], mortals)
            for (const [at, { died, said }] of fates.entries()) {
              const { directory } = mortals[at] ?? { directory: "" }
              // How removals group differs from run to run, so that some of the last steps may not be there to be killed at.
              if (died) killed++
              else missed++
              checkRecords(directory, said as Line[])
              if (scenario.name === "remove") await finishRemoval(directory)
              await checkIndex(directory)
              fs.rmSync(dirname(directory), { recursive: true, force: true })
            }
          }
        }
        await Promise.all(Array.from({ length: AT_ONCE }, work))
        expect(missed).toBeLessThan(points / 3)
      },
      LIMIT_MS,
    )
  })

/** How many steps the scenario takes at the least. */
async function countSteps(scenario: Scenario): Promise<number> {
  const three = Array.from({ length: 3 }, () => ({ directory: filled(), killAt: 0 }))
  const fates = await deathsOf(childPath(), [scenario.name], three)
  return Math.min(...fates.map(({ steps }) => steps ?? 0))
}

/** A store in a folder of its own. */
function filled(): string {
  const directory = join(tempFolder(), "store")
  fill(directory)
  return directory
}

/** A removal cut short is finished by a second call, and touches nothing else. */
async function finishRemoval(directory: string): Promise<void> {
  await using store = await openStore({ directory, backgroundIndex: false })
  const others = (key: string[]): boolean => !key.join("/").match(/ses_1|ses_4|msg_1/)
  const untouched = (await all(store.keys())).filter(others)
  expect(untouched).toHaveLength(2 + 2 + 6 + 12)
  if (await store.sessions.get("ses_1")) await store.sessions.remove("ses_1")
  expect(await all(store.keys())).toEqual(untouched)
}

afterAll(() => {
  console.log(`killed at ${killed} distinct steps of ${scenarios.length} scenarios`)
  if (killed < LEAST_POINTS)
    throw new Error(`Only ${killed} kill points were hit, at least ${LEAST_POINTS} are wanted`)
})
