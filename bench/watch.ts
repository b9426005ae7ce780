/** `bun bench/watch.ts [--size S|M] [--json]`: setting up the watch, and how long a foreign change takes to reach the index. */
import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { openStore } from "../src/index.ts"
import { makeStore, SIZES, type Size } from "./data/store.ts"

const { values } = parseArgs({
  options: { size: { type: "string", default: "M" }, json: { type: "boolean", default: false } },
})
if (values.size !== "S" && values.size !== "M") throw new TypeError("--size is S or M")
const size: Size = values.size
const CHANGES = 60
const directory = fs.mkdtempSync(join(tmpdir(), "sessiondex-bench-"))

/** The longest time that nothing else could run, in ms, until `done`. */
async function longestHold(done: () => boolean): Promise<number> {
  let longest = 0
  for (let last = performance.now(); !done(); ) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  return longest
}

try {
  const files = makeStore(directory, SIZES[size])
  await Bun.sleep(200)
  {
    await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await store.index()
  }
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  const begun = performance.now()
  const store = await openStore({ directory, backgroundIndex: false, search: "titles", watch: true })
  const held = await longestHold(() => store.health().watch.state !== "starting")
  const setUp = performance.now() - begun
  Bun.gc(true)
  const after = process.memoryUsage.rss()
  // The sweep that follows has the machine to itself.
  await store.index()
  await Bun.sleep(1_000)
  const index = new Database(join(directory, ".sessiondex", "index.sqlite"), { readonly: true })
  const known = index.query<{ n: number }, [string]>("select count(*) n from parts where id = ?")
  const folders = fs.readdirSync(join(directory, "part"))
  const latencies: number[] = []
  for (let i = 0; i < CHANGES; i++) {
    const folder = folders[Math.floor((i * folders.length) / CHANGES)] ?? ""
    const written = performance.now()
    fs.writeFileSync(join(directory, "part", folder, `prt_new${i}.json`), `{"type":"text","text":"new ${i}"}`)
    while (known.get(`prt_new${i}`)?.n !== 1) await Bun.sleep(1)
    latencies.push(performance.now() - written)
    await Bun.sleep(30)
  }
  latencies.sort((a, b) => a - b)
  const ms = (value: number | undefined): number => Number((value ?? Number.NaN).toFixed(1))
  const result = {
    files,
    ...store.health().watch,
    "set up ms": ms(setUp),
    "longest hold ms": ms(held),
    "kB a folder": ms((after - before) / 1024 / store.health().watch.folders),
    "to the index, median ms": ms(latencies[CHANGES >> 1]),
    "to the index, longest ms": ms(latencies.at(-1)),
  }
  console.log(values.json ? JSON.stringify(result) : result)
  index.close()
  await store.close()
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
