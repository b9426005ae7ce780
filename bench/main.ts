/**
 * `bun run bench [-- --help]`: ratios measured in one run, over stores made for it.
 * Absolute times are the machine's; the ratios are what to compare.
 */
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Context } from "./context.ts"
import { makeStore, SIZES } from "./data/store.ts"
import { printJson, printTable, type Row } from "./report.ts"
import { beside } from "./trials/beside.ts"
import { database } from "./trials/database.ts"
import { fleet } from "./trials/fleet.ts"
import { growing } from "./trials/growing.ts"
import { indexing } from "./trials/indexing.ts"
import { listing } from "./trials/listing.ts"
import { pushing } from "./trials/pushing.ts"
import { roots } from "./trials/roots.ts"
import { searching } from "./trials/searching.ts"
import { starting } from "./trials/starting.ts"
import { texts } from "./trials/texts.ts"
import { transcripts } from "./trials/transcripts.ts"
import { writing } from "./trials/writing.ts"

const TRIALS: Record<string, (context: Context) => Promise<Row[]>> = {
  indexing,
  texts,
  listing,
  writing,
  starting,
  searching,
  beside,
  roots,
  database,
  transcripts,
  growing,
  pushing,
  fleet,
}
/** Trials that make all that they look at. */
const WITHOUT_STORE: ReadonlySet<string> = new Set(["transcripts", "pushing", "fleet"])

const HELP = `bun run bench [-- options]: what sessiondex takes beside what people use today, as ratios within one run.

  --size S|M|L     the store: ${Object.entries(SIZES)
    .map(([name, files]) => `${name} ${files.toLocaleString("en")} files`)
    .join(", ")} (default: S)
  --only <trials>  these alone, parted by commas: ${Object.keys(TRIALS).join(", ")}
  --rounds <count> how often each thing is timed, in turn with the others (default: 5)
  --json           one JSON object a row: size, what, unit, target, measured, spread, reached

searching needs ripgrep (rg); pushing and fleet need PostgreSQL, Debian's or that of POSTGRES_BIN. Without them those rows are left out.
Everything is made below the system's temp folder (TMPDIR), and goes with the run.`

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "S" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: Object.keys(TRIALS).join() },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const size = (["S", "M", "L"] as const).find((known) => known === values.size)
if (!size) throw new TypeError("--size is S, M or L")
const rounds = Number(values.rounds)
if (!(rounds >= 1)) throw new TypeError("--rounds is a number from 1")
const chosen = values.only.split(",").map((name) => {
  const trial = TRIALS[name]
  if (!trial)
    throw new TypeError(`--only names no trial "${name}"; there are ${Object.keys(TRIALS).join(", ")}`)
  return { name, trial }
})

const root = fs.mkdtempSync(join(tmpdir(), "sessiondex-bench-"))
try {
  const directory = join(root, "store")
  fs.mkdirSync(directory)
  const context = {
    size,
    directory,
    files: chosen.every(({ name }) => WITHOUT_STORE.has(name)) ? 0 : makeStore(directory, SIZES[size]),
    scratch: join(root, "scratch"),
    rounds,
  }
  await Bun.sleep(200)
  const rows: Row[] = []
  for (const { name, trial } of chosen) {
    console.error(`${name} …`)
    rows.push(...(await trial(context)))
  }
  if (values.json) printJson(size, rows)
  else printTable(rows)
} finally {
  fs.rmSync(root, { recursive: true, force: true })
}
