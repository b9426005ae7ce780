import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Store } from "../../src/index.ts"
import { message } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { INDEX, variants } from "../support/variants.ts"

const [sqlite] = variants
if (!sqlite) throw new Error("There is a catalog on SQLite")
const ROOT = join(import.meta.dir, "../..")

function fill(directory: string, messages: number): void {
  for (let m = 0; m < messages; m++) {
    const id = `msg_${1000 + m}`
    put(directory, `message/ses_${m % 50}/${id}.json`, message(id, `ses_${m % 50}`, m * 1000))
    put(directory, `part/${id}/prt_1.json`, { type: "text", text: "common word" })
  }
}

async function outcome(store: Store): Promise<unknown[]> {
  const hits = store.search("common", { limit: 10_000 })
  for (let found = 0; ; found++) {
    const next = await hits.next()
    if (next.done) return [found, next.value]
  }
}

test("an index that is removed, overwritten or begun anew by another program hides nothing from a search", async () => {
  const directory = tempFolder()
  fill(directory, 60)
  await using store = await sqlite.open(directory, { backgroundIndex: true })
  for (let i = 0; i < 500 && store.health().backgroundIndex.state !== "done"; i++) await Bun.sleep(10)
  const whole = [60, { partial: false }]
  expect(await outcome(store)).toEqual(whole)
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  expect(await outcome(store)).toEqual(whole)
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  fs.mkdirSync(join(directory, ".sessiondex"))
  fs.writeFileSync(join(directory, INDEX), "no database".repeat(1000))
  expect(await outcome(store)).toEqual(whole)
  expect(await outcome(store)).toEqual(whole)
  // Amid a search: what comes then is found in the files.
  const hits = store.search("common", { limit: 10_000 })
  const found = [(await hits.next()).value]
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  for await (const hit of hits) found.push(hit)
  expect(found).toHaveLength(60)
})

test("where the index can grow no more while it is filled in the background, a search finds everything", async () => {
  const directory = tempFolder()
  fill(directory, 1500)
  const script = `import { openStore } from "./src/index.ts"
    await using store = await openStore({ directory: ${JSON.stringify(directory)} })
    const state = () => store.health().backgroundIndex.state
    for (let i = 0; i < 500 && state() !== "failed"; i++) await Bun.sleep(10)
    // Until the index, which can be read, is asked again.
    await Bun.sleep(1100)
    const hits = await Array.fromAsync(store.search("common", { limit: 10_000 }))
    console.log(JSON.stringify([state(), hits.length]))`
  // No file of this process may grow beyond 300 kB: to SQLite a full disk.
  const limited = Bun.spawn(["bash", "-c", `trap '' XFSZ; ulimit -f 300; exec bun -e "$0"`, script], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  })
  expect(JSON.parse(await new Response(limited.stdout).text())).toEqual(["failed", 1500])
})

test("the parts of a message that is too large to be searched itself are found", async () => {
  const directory = tempFolder()
  const summary = { diffs: [{ file: "a.ts", before: "x".repeat(17 * 2 ** 20) }] }
  put(directory, "message/ses_1/msg_1.json", { ...message("msg_1", "ses_1", 5_000), summary })
  put(directory, "part/msg_1/prt_1.json", { type: "text", text: "common word" })
  for (const { open } of variants.slice(0, 2)) {
    await using store = await open(directory, { maxRecordBytes: 64 * 2 ** 20 })
    const hits = await Array.fromAsync(store.search("common", { role: "user" }))
    expect(hits.map(({ messageID, time }) => [messageID, time])).toEqual([["msg_1", 5_000]])
  }
})
