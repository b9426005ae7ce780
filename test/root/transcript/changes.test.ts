import { expect, test } from "bun:test"
import { rmSync } from "node:fs"
import { stepThroughSqlite } from "../../support/sqlite-steps.ts"
import { diskFolder, tempFolder } from "../../support/temp.ts"
import { type HistoryResult, runHistory, sqlite } from "./changing-history.ts"
import { KITS } from "./changing-kits.ts"

/** The short fixed set; `bun run test:long` runs 100 histories of 500 steps of each agent. */
const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
const SEEDS = LONG ? 100 : 2
const STEPS = LONG ? 500 : 50
/** A seed to have one failing history again. */
const ONLY = process.env.SESSIONDEX_TEST_SEED

stepThroughSqlite(() => sqlite.step?.())

test.each(KITS.map((kit) => [kit.agent.source, kit] as const))(
  `in ${SEEDS} random histories of ${STEPS} steps every answer equals a plain parse of all files: %s`,
  async (_, kit) => {
    const total = { steps: 0, comparisons: 0, searches: 0, disturbed: 0, killed: 0, sessions: 0 }
    const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)]
    for (const seed of seeds) {
      // A quarter of them on the disk.
      const folder = seed % 4 === 3 ? diskFolder() : tempFolder()
      const result = await runHistory(folder, kit, seed, STEPS)
      rmSync(folder, { recursive: true, force: true })
      for (const name of Object.keys(total) as (keyof HistoryResult)[]) total[name] += result[name]
    }
    console.log(`${kit.agent.source}: ${seeds.length} seeds, ${JSON.stringify(total)}`)
    expect(total.steps).toBe(seeds.length * STEPS)
    expect(total.comparisons).toBeGreaterThan(total.steps / 4)
    expect(total.sessions).toBeGreaterThan(total.comparisons)
    expect(total.searches).toBeGreaterThan(total.steps / 20)
    expect(total.disturbed).toBeGreaterThan(total.steps / 200)
    expect(total.killed).toBeGreaterThan(total.steps / 200)
  },
  LONG ? 7_200_000 : 120_000,
)
