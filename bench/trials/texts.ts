import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { readAndParseAll } from "../baselines/floor.ts"
import { ripgrep } from "../baselines/peers.ts"
import { trigramImport } from "../baselines/trigram-import.ts"
import { type Context, forgetIndex, scratchFolder } from "../context.ts"
import { ABSENT } from "../data/words.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const CLI = join(import.meta.dir, "..", "..", "src", "cli", "main.ts")

/** A whole first index, texts included, as an app waits for it and as a person does: beside the floor, and beside what does less. */
export async function texts(context: Context): Promise<Row[]> {
  const { directory, rounds } = context
  const databases = scratchFolder(context, "trigrams")
  const before = (): void => forgetIndex(directory)
  const times = await interleave(rounds, {
    floor: { run: () => readAndParseAll(directory) },
    call: {
      before,
      run: async () => {
        await using store = await openStore({ directory, backgroundIndex: false })
        await store.index()
      },
    },
    command: { before, run: () => command(directory) },
    trigrams: { run: () => trigramImport(directory, join(databases, `${Math.random()}.sqlite`)) },
    rg: { run: () => ripgrep(ABSENT, [directory]) },
  })
  fs.rmSync(databases, { recursive: true, force: true })
  return [
    rowOf("first index with texts", "× floor", ratio(times.call, times.floor), { atMost: 4 }),
    rowOf("first index with texts, as a command", "× floor", ratio(times.command, times.floor), {
      atMost: 4,
    }),
    rowOf(
      "the same, beside SQLite's own trigram tokenizer over the same texts",
      "× its time",
      ratio(times.command, times.trigrams),
      undefined,
      "in one transaction, nothing else kept",
    ),
    rowOf(
      "the same, beside ripgrep going through the files",
      "× its time",
      ratio(times.command, times.rg),
      undefined,
      "from so many searches on it pays",
    ),
  ]
}

async function command(directory: string): Promise<void> {
  const child = Bun.spawn([process.execPath, CLI, "index", "--dir", directory], { stdout: "ignore" })
  if ((await child.exited) !== 0) throw new Error("The command index failed")
}
