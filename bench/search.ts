/** `bun bench/search.ts [--size S|M] [--json]`: searches beside ripgrep over the same files, in one run. */
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { openStore } from "../src/index.ts"
import { makeStore, SIZES, type Size } from "./make-store.ts"

const { values } = parseArgs({
  options: { size: { type: "string", default: "M" }, json: { type: "boolean", default: false } },
})
if (values.size !== "S" && values.size !== "M") throw new TypeError("--size is S or M")
if (!Bun.which("rg")) throw new Error("ripgrep (rg) is not installed")
const size: Size = values.size
const directory = fs.mkdtempSync(join(tmpdir(), "sessiondex-bench-"))
const ROUNDS = 5
const RARE = "xylophonequartz"

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN
}

async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** The commonest word of more than four letters, and two of middling frequency. */
function pickWords(texts: readonly string[]): { common: string; two: string } {
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const word of text.match(/[a-z]{5,}/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word)
  return { common: sorted[0] ?? "", two: `${sorted[40] ?? ""} ${sorted[60] ?? ""}` }
}

function textOf(path: string): string {
  const part = JSON.parse(fs.readFileSync(path, "utf8"))
  return part.text ?? part.state?.output ?? ""
}

try {
  const files = makeStore(directory, SIZES[size])
  const folders = fs.readdirSync(join(directory, "part")).sort()
  const parts = folders.flatMap((folder) =>
    fs.readdirSync(join(directory, "part", folder)).map((name) => join(directory, "part", folder, name)),
  )
  for (let i = 0; i < 3; i++) {
    const path = parts[Math.floor(((i + 0.5) * parts.length) / 3 / 4) * 4 + 1] ?? ""
    const part = JSON.parse(fs.readFileSync(path, "utf8"))
    fs.writeFileSync(path, JSON.stringify({ ...part, text: `${part.text ?? ""} ${RARE}` }))
  }
  let textBytes = 0
  for (const path of parts) textBytes += Buffer.byteLength(textOf(path))
  const { common, two } = pickWords(parts.slice(0, 2000).map(textOf))
  const bytes = (): number => fs.statSync(join(directory, ".sessiondex", "index.sqlite")).size
  await Bun.sleep(200)
  {
    await using titles = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await titles.index()
  }
  const without = bytes()
  const catchUp = await timed(async () => {
    await using all = await openStore({ directory, backgroundIndex: false })
    await all.index()
  })
  const withText = bytes()
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const queries = { common, rare: RARE, absent: "qzjvxabsentword", "two words": two }
  const rows: Record<string, number | string>[] = []
  for (const [name, query] of Object.entries(queries)) {
    const ours: number[] = []
    const theirs: number[] = []
    let hits = 0
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(
        await timed(async () => {
          hits = (await Array.fromAsync(store.search(query, { limit: 50, in: "text" }))).length
        }),
      )
      theirs.push(
        await timed(async () => {
          const pattern = query.split(" ")[0] ?? ""
          await Bun.spawn(["rg", "-l", "-i", "-F", pattern, join(directory, "part")], { stdout: "ignore" })
            .exited
        }),
      )
    }
    rows.push({
      query: name,
      hits,
      "ours ms": Number(median(ours).toFixed(2)),
      "rg ms": Number(median(theirs).toFixed(0)),
      "times faster": Number((median(theirs) / median(ours)).toFixed(1)),
    })
  }
  const sweep = median(await Array.fromAsync({ length: 3 }, () => timed(() => store.index())))
  const result = {
    files,
    parts: parts.length,
    textMB: Number((textBytes / 1e6).toFixed(1)),
    "text index / text": Number(((withText - without) / textBytes).toFixed(3)),
    "catch-up ms": Math.round(catchUp),
    "sweep ms": Math.round(sweep),
    rows,
  }
  if (values.json) console.log(JSON.stringify(result))
  else {
    console.log(result)
    console.table(rows)
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
