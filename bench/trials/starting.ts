import { symlinkSync } from "node:fs"
import { join } from "node:path"
import { buildCli } from "../../scripts/build-cli.ts"
import { openStore } from "../../src/index.ts"
import { type Context, scratchFolder } from "../context.ts"
import { makeSessions } from "../data/long-session.ts"
import { sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const RUNS = 9
const ROOT = join(import.meta.dir, "..", "..")

/** What a process took, in ms. */
interface Took {
  readonly wall: number
  /** Of all its threads, in user and system mode. */
  readonly cpu: number
}

/** Processes that open a store, list a page and close, beside one that does nothing. */
export async function starting(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "start")
  makeSessions(directory, 200)
  await Bun.sleep(200)
  {
    await using store = await openStore({ directory, backgroundIndex: false })
    await store.index()
  }
  const installed = scratchFolder(context, "package")
  for (const name of ["src", "node_modules", "package.json"])
    symlinkSync(join(ROOT, name), join(installed, name))
  const sessions = ["--dir", directory, "sessions", "--limit", "20"]
  const commands = {
    empty: ["-e", "0"],
    page: [join(import.meta.dir, "..", "start-child.ts"), directory],
    built: [await buildCli(join(installed, "dist")), ...sessions],
    sources: [join(ROOT, "src", "cli", "start.ts"), ...sessions],
  }
  const rounds: Record<keyof typeof commands, Took>[] = []
  for (let round = 0; round < RUNS; round++)
    rounds.push({
      empty: await took(commands.empty),
      page: await took(commands.page),
      built: await took(commands.built),
      sources: await took(commands.sources),
    })
  const above = (name: keyof typeof commands, what: keyof Took) =>
    sampleOf(rounds.map((round) => round[name][what] - round.empty[what]))
  const unit = "ms above an empty Bun process"
  const target = { atMost: 50 }
  return [
    rowOf("open, list one page, close, as a process", unit, above("page", "wall"), target),
    rowOf("`sessions --limit 20`, as the package has it", unit, above("built", "wall"), target),
    rowOf("the same, user and system time", unit, above("built", "cpu"), target),
    rowOf("`sessions --limit 20`, from the sources", unit, above("sources", "wall")),
    rowOf("the same, user and system time", unit, above("sources", "cpu")),
  ]
}

async function took(command: readonly string[]): Promise<Took> {
  const begun = performance.now()
  const child = Bun.spawn([process.execPath, ...command], { stdout: "ignore", stderr: "inherit" })
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed`)
  const wall = performance.now() - begun
  return { wall, cpu: Number(child.resourceUsage()?.cpuTime.total ?? Number.NaN) / 1000 }
}
