import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { ripgrep } from "../baselines/peers.ts"
import { type Context, forgetIndex } from "../context.ts"
import { ABSENT, partsOf, pickWords, plantRareWord, RARE, sayWord, textOf } from "../data/words.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const FOLDERS = ["session", "message", "part"] as const

/** The first 50 verified hits, and the sweep of all stamps, beside ripgrep over the same files. */
export async function searching({ directory, rounds }: Context): Promise<Row[]> {
  if (!Bun.which("rg")) {
    console.error("ripgrep (rg) is not installed: the searches are not measured")
    return []
  }
  const parts = partsOf(directory)
  plantRareWord(parts)
  const textBytes = parts.reduce((sum, path) => sum + Buffer.byteLength(textOf(path)), 0)
  const { common, two } = pickWords(parts.slice(0, 2_000).map(textOf))
  const bytes = (): number => fs.statSync(join(directory, ".sessiondex", "index.sqlite")).size
  await Bun.sleep(200)
  forgetIndex(directory)
  {
    await using titles = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await titles.index()
  }
  const without = bytes()
  {
    await using all = await openStore({ directory, backgroundIndex: false })
    await all.index()
  }
  const withTexts = bytes()
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const folders = FOLDERS.map((kind) => join(directory, kind))
  // Texts are in messages and parts; the sweep looks at the sessions too.
  const textFolders = folders.slice(1)
  const rows: Row[] = []
  for (const [name, query] of Object.entries({ common, rare: RARE, absent: ABSENT, two })) {
    const times = await interleave(rounds, {
      ours: { run: () => Array.fromAsync(store.search(query, { limit: 50, in: "text" })) },
      rg: { run: () => ripgrep(query.split(" ")[0] ?? "", textFolders) },
    })
    rows.push(
      rowOf(
        `search, first 50 hits of ${sayWord(name)}`,
        "× faster than ripgrep",
        ratio(times.rg, times.ours),
        {
          atLeast: 50,
        },
      ),
    )
  }
  const sweep = await interleave(rounds, {
    ours: { run: () => store.index() },
    rg: { run: () => ripgrep(ABSENT, folders) },
  })
  rows.push(
    rowOf("sweep of all stamps", "× ripgrep's time", ratio(sweep.ours, sweep.rg), { atMost: 1 }),
    rowOf("index of message text", "% of the text", (100 * (withTexts - without)) / textBytes, {
      atMost: 30,
    }),
  )
  return rows
}
