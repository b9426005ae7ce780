import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { bulkImport, rowByRow } from "../baselines/database-imports.ts"
import { readAndParseAll, statAll } from "../baselines/floor.ts"
import { bytesOf, type Context, forgetIndex, inChild, scratchFolder } from "../context.ts"
import { interleave, ratio, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

/** The index as a whole: first, second, beside other strategies; its memory, its size, and whether it holds anyone up. */
export async function indexing(context: Context): Promise<Row[]> {
  const { directory, rounds } = context
  const databases = scratchFolder(context, "imports")
  const fresh = (name: string): string =>
    join(databases, `${name}-${Math.random().toString(36).slice(2)}.sqlite`)
  const index = async (): Promise<void> => {
    await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await store.index()
  }
  readAndParseAll(directory)
  const times = await interleave(rounds, {
    floor: { run: () => readAndParseAll(directory) },
    first: { before: () => forgetIndex(directory), run: index },
    second: { run: index },
    stats: { run: () => statAll(directory) },
    page: {
      before: () => forgetIndex(directory),
      run: async () => {
        const store = await openStore({ directory })
        await store.sessions.page({ limit: 50 })
        void store.close()
      },
    },
    bulk: { run: () => bulkImport(directory, fresh("bulk")) },
  })
  await Bun.sleep(100)
  // Once is enough for what takes as long as all the rest.
  const slow = await interleave(1, {
    rows: { run: () => rowByRow(directory, fresh("rows")) },
    first: { before: () => forgetIndex(directory), run: index },
  })
  fs.rmSync(databases, { recursive: true, force: true })
  const indexBytes = fs.statSync(join(directory, ".sessiondex", "index.sqlite")).size
  const page = sampleOf(ratio(times.page, times.first).rounds.map((share) => share * 100))
  return [
    rowOf(
      "first index, titles only",
      "× floor",
      ratio(times.first, times.floor),
      { atMost: 1.7 },
      "must: 2.5",
    ),
    rowOf("first index, beside a bulk import", "× faster", ratio(times.bulk, times.first), { atLeast: 2 }),
    rowOf(
      "first index, beside row by row",
      "× faster",
      ratio(slow.rows, slow.first),
      { atLeast: 12 },
      "once",
    ),
    rowOf("second index", "× floor", ratio(times.second, times.floor), { atMost: 0.7 }),
    rowOf("second index", "× bare stats", ratio(times.second, times.stats), { atMost: 1.3 }),
    rowOf("first page of 50 of an unindexed store", "% of the first index", page, { atMost: 3 }),
    rowOf("index without message text", "% of the JSON", (100 * indexBytes) / bytesOf(directory), {
      atMost: 15,
    }),
    ...(await holdingNobodyUp(context)),
  ]
}

async function holdingNobodyUp({ directory }: Context): Promise<Row[]> {
  const idle = await inChild<{ peak: number }>("idle")
  forgetIndex(directory)
  const titles = await inChild<{ peak: number }>("index", directory)
  forgetIndex(directory)
  const texts = await inChild<{ peak: number }>("index and texts", directory)
  forgetIndex(directory)
  const { p999, longest } = await inChild<{ p999: number; longest: number }>("stalls", directory)
  return [
    rowOf("peak memory of an idle process", "MB", idle.peak),
    rowOf("peak memory of a first index", "MB", titles.peak, { atMost: 120 }),
    rowOf("peak memory of a first index with texts", "MB", texts.peak),
    rowOf(
      "stall of the event loop, 99.9th percentile",
      "ms",
      p999,
      { atMost: 15 },
      "background index and texts",
    ),
    rowOf("stall of the event loop, longest", "ms", longest),
  ]
}
