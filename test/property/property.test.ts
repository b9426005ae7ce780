import { expect, test } from "bun:test"
import { rmSync } from "node:fs"
import { diskFolder, tempFolder } from "../support/temp.ts"
import { type HistoryResult, runHistory } from "./history.ts"

/** The short fixed set; `bun run test:long` runs 240 histories of 1,000 steps. */
const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
const SEEDS = LONG ? 240 : 18
const STEPS = LONG ? 1_000 : 60
/** A seed to have one failing history again. */
const ONLY = process.env.SESSIONDEX_TEST_SEED

test(
  `in ${SEEDS} random histories of ${STEPS} steps every answer is a state of the files`,
  async () => {
    const total: HistoryResult = { steps: 0, comparisons: 0, searches: 0, disturbed: 0 }
    const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)]
    for (const seed of seeds) {
      // Of 36 the first six are on the disk, one with each clock.
      const folder = Math.floor(seed / 6) % 6 === 0 ? diskFolder() : tempFolder()
      const { steps, comparisons, searches, disturbed } = await runHistory(folder, seed, STEPS)
      // Hundreds of them would be more than one hook after the test may take to remove.
      rmSync(folder, { recursive: true, force: true })
      Object.assign(total, {
        steps: total.steps + steps,
        comparisons: total.comparisons + comparisons,
        searches: total.searches + searches,
        disturbed: total.disturbed + disturbed,
      })
    }
    console.log(
      `${seeds.length} seeds, ${total.steps} steps, ${total.comparisons} comparisons, ${total.searches} searches, ${total.disturbed} listings disturbed in their middle`,
    )
    expect(total.steps).toBe(seeds.length * STEPS)
    expect(total.comparisons).toBeGreaterThan(total.steps / 3)
    expect(total.searches).toBeGreaterThan(total.steps / 4)
    expect(total.disturbed).toBeGreaterThan(total.steps / 100)
  },
  LONG ? 3_600_000 : 120_000,
)
