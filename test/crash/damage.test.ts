import { expect, test } from "bun:test"
import { join } from "node:path"
import { tempFolder } from "../support/temp.ts"

const CHILD = join(import.meta.dir, "damage-child.ts")
const isLong = process.env.SESSIONDEX_TEST_LONG === "1"
/** Each damage to each file, 56 of them, and then random ones. A damage costs a fresh index and two looks at everything. */
const REPORTED = isLong ? 1_000 : 120
const SILENT = isLong ? 150 : 20
const AT_ONCE = 2

interface Report {
  readonly damages: number
  readonly byKind: Record<string, number>
  readonly fromFiles: number
  readonly generations: number
}

async function run(mode: "reported" | "silent", seed: number, damages: number): Promise<Report> {
  const child = Bun.spawn(["bun", CHILD, mode, tempFolder(), String(seed), String(damages)], {
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  // A process of its own: a crash must not pass for an answer.
  expect({ code: await child.exited, signal: child.signalCode, err }).toEqual({
    code: 0,
    signal: null,
    err: "",
  })
  return JSON.parse(out) as Report
}

test(`after each of ${REPORTED} damages to the index every answer equals the files`, async () => {
  const reports = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, i) => run("reported", i + 1, REPORTED / AT_ONCE)),
  )
  const byKind: Record<string, number> = {}
  for (const report of reports)
    for (const [kind, count] of Object.entries(report.byKind)) byKind[kind] = (byKind[kind] ?? 0) + count
  const sum = (field: "damages" | "fromFiles" | "generations"): number =>
    reports.reduce((total, report) => total + report[field], 0)
  console.log(
    `${sum("damages")} damages, ${sum("generations")} times a fresh index, ${sum("fromFiles")} answers from the files`,
    byKind,
  )
  expect(sum("damages")).toBe(REPORTED)
  // None is left to chance.
  expect(Object.keys(byKind)).toHaveLength(14)
  expect(sum("generations")).toBeGreaterThan(REPORTED / 10)
  expect(sum("fromFiles")).toBeGreaterThan(0)
}, 300_000)

test(`after each of ${SILENT} bit flips there is no crash, verify names what differs, and repair ends equal`, async () => {
  const reports = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, i) => run("silent", i + 11, SILENT / AT_ONCE)),
  )
  const damages = reports.reduce((total, report) => total + report.damages, 0)
  console.log(`${damages} bit flips:`, ...reports.map(({ byKind }) => byKind))
  expect(damages).toBe(SILENT)
}, 180_000)
