import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { type Context, scratchFolder } from "../context.ts"
import { makeSessions } from "../data/long-session.ts"
import { interleave, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const RUNS = 9

/** A process that opens a store, lists a page and closes, beside one that does nothing. */
export async function starting(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "start")
  makeSessions(directory, 200)
  await Bun.sleep(200)
  {
    await using store = await openStore({ directory, backgroundIndex: false })
    await store.index()
  }
  const run = async (...command: string[]): Promise<void> => {
    const code = await Bun.spawn([process.execPath, ...command], { stdout: "ignore", stderr: "inherit" })
      .exited
    if (code !== 0) throw new Error(`${command.join(" ")} failed`)
  }
  const times = await interleave(RUNS, {
    empty: { run: () => run("-e", "0") },
    page: { run: () => run(join(import.meta.dir, "..", "start-child.ts"), directory) },
  })
  const above = sampleOf(times.page.rounds.map((ms, round) => ms - (times.empty.rounds[round] ?? Number.NaN)))
  return [
    rowOf("open, list one page, close, as a process", "ms above an empty Bun process", above, { atMost: 50 }),
  ]
}
