import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type Store } from "../../src/index.ts"
import { type Context, scratchFolder } from "../context.ts"
import { ABSENT, partsOf, pickWords, plantRareWord, RARE, sayWord, textOf } from "../data/words.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const FOLDERS = ["session", "message", "part"] as const
/** A search takes some ms, so one alone is noise. */
const ITERATIONS = 9

/** Searches of a store that a whole copy of itself is read beside, and of the same store alone. */
export async function beside(context: Context): Promise<Row[]> {
  const { directory, rounds } = context
  const parts = partsOf(directory)
  plantRareWord(parts)
  const words = { ...pickWords(parts.slice(0, 2_000).map(textOf)), rare: RARE, absent: ABSENT }
  const backup = scratchFolder(context, "backup")
  for (const kind of FOLDERS)
    fs.cpSync(join(directory, kind), join(backup, kind), { recursive: true, preserveTimestamps: true })
  await Bun.sleep(200)
  await using alone = await openStore({ directory, backgroundIndex: false })
  await using both = await openStore({ directory, alsoRead: [backup], backgroundIndex: false })
  await alone.index()
  await both.index()
  const rows: Row[] = []
  for (const [name, query] of Object.entries(words)) {
    const search = (store: Store) => () => Array.fromAsync(store.search(query, { limit: 50 }))
    const times = await interleave(
      rounds,
      { alone: { run: search(alone) }, both: { run: search(both) } },
      ITERATIONS,
    )
    rows.push(
      rowOf(
        `search for ${sayWord(name)}, a full backup beside`,
        "× the time without",
        ratio(times.both, times.alone),
        { atMost: 2 },
      ),
    )
  }
  fs.rmSync(backup, { recursive: true, force: true })
  return rows
}
