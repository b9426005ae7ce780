/** `bun run bench [-- --size S|M] [--json]`: ratios measured in one run over a store made for it. */
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { openStore } from "../src/index.ts"
import { makeStore, SIZES, type Size } from "./make-store.ts"

const { values } = parseArgs({
  options: { size: { type: "string", default: "S" }, json: { type: "boolean", default: false } },
})
if (values.size !== "S" && values.size !== "M") throw new TypeError("--size is S or M")
const size: Size = values.size
const directory = fs.mkdtempSync(join(tmpdir(), "sessiondex-bench-"))
const ROUNDS = 5

async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** Reads and parses each file below a folder, and nothing else. */
function floor(folder: string): number {
  let files = 0
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) files += floor(join(folder, entry.name))
    else {
      JSON.parse(fs.readFileSync(join(folder, entry.name), "utf8"))
      files++
    }
  return files
}

function forget(): void {
  for (const name of [".sessiondex", ".sessiondex.lock"])
    fs.rmSync(join(directory, name), { recursive: true, force: true })
}

const trials: Record<string, number[]> = {}
async function trial(name: string, work: () => unknown): Promise<void> {
  const times = trials[name] ?? []
  trials[name] = times
  times.push(await timed(work))
}

try {
  const files = makeStore(directory, SIZES[size])
  await Bun.sleep(200)
  const kinds = ["session", "message", "part"]
  const readAll = (): number => kinds.reduce((sum, kind) => sum + floor(join(directory, kind)), 0)
  readAll()
  for (let round = 0; round < ROUNDS; round++) {
    forget()
    await trial("floor: read and parse each file", readAll)
    await trial("one project's sessions by hand", () => floor(join(directory, "session", "project0")))
    await trial("first page of 50 of that project, from openStore, unindexed", async () => {
      const store = await openStore({ directory })
      await store.sessions.page({ projectID: "project0" })
      void store.close()
    })
    await Bun.sleep(50)
    forget()
    await using store = await openStore({ directory, backgroundIndex: false })
    await trial("first index", () => store.index())
    await trial("second index", () => store.index())
  }
  const medians = Object.fromEntries(Object.entries(trials).map(([name, times]) => [name, median(times)]))
  const base = medians["floor: read and parse each file"] ?? Number.NaN
  const rows = Object.entries(trials).map(([name, times]) => ({
    trial: name,
    "median ms": Number(median(times).toFixed(1)),
    "min ms": Number(Math.min(...times).toFixed(1)),
    "max ms": Number(Math.max(...times).toFixed(1)),
    "× floor": Number((median(times) / base).toFixed(3)),
  }))
  if (values.json) console.log(JSON.stringify({ size, files, rows }))
  else {
    console.log(
      `${files} files, ${ROUNDS} interleaved rounds; absolute times are this machine's, the ratios are what to compare`,
    )
    console.table(rows)
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
