import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { zstdCompressSync } from "node:zlib"
import { tempFolder } from "../../support/temp.ts"
import { meta, said } from "./codex-transcripts.ts"

// Hundreds of MB need not be written to a disk to be read.
const ROOT = join(import.meta.dir, "..", "..", "..")
const MB = 1024 * 1024
const SOUND = 20
const EMPTY = 10_000

function idOf(number: number): string {
  return `${String(number).padStart(8, "0")}-0000-7000-8000-000000000000`
}

/** The file of a session of one day. */
function fileOf(home: string, number: number): string {
  const folder = join(home, "sessions/2026/11/01")
  fs.mkdirSync(folder, { recursive: true })
  return join(folder, `rollout-2026-11-01T08-00-00-${idOf(number)}.jsonl`)
}

function textOf(number: number, ...lines: readonly unknown[]): string {
  return [meta({ id: idOf(number) }), ...lines].map((line) => `${JSON.stringify(line)}\n`).join("")
}

function soundHome(): string {
  const home = join(tempFolder(), "home")
  for (let number = 0; number < SOUND; number++)
    fs.writeFileSync(fileOf(home, number), textOf(number, said(`a zebra, ${number}`), said("and more")))
  return home
}

/** What a process that opens a home sees of it, and its peak memory in bytes. */
async function seen(home: string) {
  const script = `import { openStore } from "./src/index.ts"
    import { codex } from "./src/root/transcript/agents/codex.ts"
    import { transcriptRoot } from "./src/root/transcript/transcript-root.ts"
    import { readFileSync } from "node:fs"
    await using store = await openStore({ directory: ${JSON.stringify(join(home, "none"))}, indexPath: ${JSON.stringify(tempFolder())}, backgroundIndex: false, roots: [transcriptRoot(codex, ${JSON.stringify(home)})] })
    const page = await store.sessions.page({ limit: 5 })
    const { sessions, messages } = await store.index()
    const problems = await Array.fromAsync(store.problems())
    const hits = await Array.fromAsync(store.search("zebra", { in: "text" }))
    let streamed = 0
    for await (const { id } of store.sessions.list()) for await (const message of store.messages.stream(id)) streamed++
    const { differences } = await store.verify()
    // Not ru_maxrss: that begins with what the parent had when it forked.
    const status = process.platform === "linux" ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8")) : null
    const bytes = (status ? Number(status[1]) : process.resourceUsage().maxRSS) * 1024
    console.log(JSON.stringify({ bytes, page: page.items.length, sessions, messages, streamed, hits: hits.length, differences, problems }))`
  const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" })
  const answer: unknown = JSON.parse(await new Response(child.stdout).text())
  return answer as {
    bytes: number
    problems: { path: string; code: string; line?: number }[]
    [counted: string]: unknown
  }
}

test("huge lines, cut and swollen archives and links cost no memory, and hide nothing sound", async () => {
  const home = soundHome()
  const without = await seen(home)
  const counted = {
    page: 5,
    differences: [],
    sessions: SOUND,
    messages: 2 * SOUND,
    streamed: 2 * SOUND,
    hits: SOUND,
  }
  expect(without).toMatchObject({ ...counted, problems: [] })

  const huge = fileOf(home, 100)
  fs.writeFileSync(huge, textOf(100, said("before a zebra")))
  const block = Buffer.alloc(MB, "x")
  fs.appendFileSync(huge, '{"type":"response_item","payload":"')
  for (let mb = 0; mb < 300; mb++) fs.appendFileSync(huge, block)
  fs.appendFileSync(huge, `"}\n${JSON.stringify(said("behind it"))}\n`)

  const whole = zstdCompressSync(
    Buffer.from(
      textOf(101, ...Array.from({ length: 3_000 }, (_, at) => said(`line ${at} of ${Math.sin(at)}`))),
    ),
  )
  const cut = `${fileOf(home, 101)}.zst`
  fs.writeFileSync(cut, whole.subarray(0, whole.length / 2))
  const noise = `${fileOf(home, 102)}.zst`
  fs.writeFileSync(noise, Buffer.alloc(10_000, "noise"))
  const swollen = `${fileOf(home, 103)}.zst`
  fs.writeFileSync(
    swollen,
    zstdCompressSync(Buffer.concat([Buffer.from(textOf(103, said("a zebra"))), Buffer.alloc(300 * MB)])),
  )

  const elsewhere = join(tempFolder(), "elsewhere.jsonl")
  fs.writeFileSync(elsewhere, textOf(104, said("a zebra of elsewhere")))
  fs.symlinkSync(elsewhere, fileOf(home, 104))
  fs.symlinkSync(join(home, "nowhere"), fileOf(home, 105))
  fs.symlinkSync(fileOf(home, 106), fileOf(home, 106))
  fs.symlinkSync(join(home, "sessions"), join(home, "sessions/2026/11/02"))
  fs.mkdirSync(fileOf(home, 107))
  Bun.spawnSync(["mkfifo", fileOf(home, 108)])

  const all = await seen(home)
  const told = all.problems.map(({ path, code, line }) => ({ path, code, line }))
  expect(told).toContainEqual({ path: huge, code: "TOO_LARGE", line: 3 })
  for (const path of [cut, noise]) expect(told).toContainEqual({ path, code: "CORRUPT", line: undefined })
  expect(told).toContainEqual({ path: swollen, code: "CORRUPT", line: 3 })
  expect(new Set(told.map(({ path }) => path))).toEqual(new Set([huge, cut, noise, swollen]))
  expect(all).toMatchObject({ page: 5, differences: [], sessions: SOUND + 3, hits: SOUND + 2 })
  expect(all.messages).toBe(all.streamed)
  console.log(
    `peak: ${[without, all].map(({ bytes }) => `${Math.round(bytes / MB)} MB`).join(" without, ")} with`,
  )
  // What may be read of a line is held, some times over until it is collected; 300 MB are not.
  expect(all.bytes - without.bytes).toBeLessThan(128 * MB)
}, 120_000)

test("10,000 empty files are no sessions, hide none, and cost little memory", async () => {
  const home = soundHome()
  const without = await seen(home)
  for (let number = 0; number < EMPTY; number++) fs.writeFileSync(fileOf(home, 1_000 + number), "")
  const all = await seen(home)
  expect({ ...all, bytes: 0 }).toEqual({ ...without, bytes: 0 })
  expect(all).toMatchObject({ page: 5, sessions: SOUND, hits: SOUND, problems: [] })
  expect(all.bytes - without.bytes).toBeLessThan(128 * MB)
}, 120_000)
