import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { bytecodeOf } from "../support/bytecode.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"

const library = bytecodeOf(join(import.meta.dir, "../../src/index.ts"))
const PROCESSES = 8
const UPDATES = process.env.SESSIONDEX_TEST_LONG === "1" ? 1_000 : 250

function spawn(script: string) {
  return Bun.spawn(["bun", "-e", `import { openStore } from ${JSON.stringify(library())}\n${script}`], {
    stdout: "pipe",
    stderr: "inherit",
  })
}

test.each([
  ["with an index", false],
  ["with an unusable index", true],
])(
  `%s, eight processes that update shared counters ${UPDATES} times each end at exactly ${PROCESSES * UPDATES}`,
  async (_, unusable) => {
    const directory = tempFolder()
    if (unusable) writeFileSync(join(directory, ".sessiondex"), "in the way")
    await using store = await openStore({ directory, backgroundIndex: false })
    await store.write(["session", "p", "ses_1"], { time: { created: 1, updated: 0 }, n: 0 })
    await store.write(["counter"], { n: 0, filler: "x".repeat(5000) })
    const children = Array.from({ length: PROCESSES }, () =>
      spawn(`await using store = await openStore({ directory: ${JSON.stringify(directory)}, durability: "relaxed", backgroundIndex: false })
      for (let i = 0; i < ${UPDATES}; i++)
        await store.update(i % 2 ? ["counter"] : ["session", "p", "ses_1"], (draft) => { draft.n++; if (draft.time) draft.time.updated++ })`),
    )
    const done = Promise.all(children.map(({ exited }) => exited))
    let running = true
    void done.then(() => {
      running = false
    })
    let reads = 0
    for (let last = 0; running; reads++) {
      const { n, filler } = await store.read<{ n: number; filler: string }>(["counter"])
      expect(n).toBeGreaterThanOrEqual(last)
      expect(filler).toHaveLength(5000)
      last = n
      const [listed] = await all(store.sessions.list())
      expect(listed?.n).toBe(listed?.time.updated)
      await Bun.sleep(1)
    }
    expect(await done).toEqual(Array.from({ length: PROCESSES }, () => 0))
    const counter = await store.read<{ n: number }>(["counter"])
    const { n } = await store.read<{ n: number }>(["session", "p", "ses_1"])
    console.log(`${PROCESSES} processes: ${counter.n} + ${n} updates, ${reads} reads meanwhile`)
    expect(counter.n + n).toBe(PROCESSES * UPDATES)
    expect((await all(store.sessions.list()))[0]?.time.updated).toBe(n)
    expect(reads).toBeGreaterThan(50)
  },
  120_000,
)

test("ten processes open and index one unindexed store at once; two are killed; nobody waits for them", async () => {
  const directory = tempFolder()
  for (let s = 0; s < 150; s++) {
    put(
      directory,
      `session/p${s % 3}/ses_${s}.json`,
      session(`ses_${s}`, { time: { created: s, updated: s } }),
    )
    for (let m = 0; m < 4; m++) {
      put(directory, `message/ses_${s}/msg_${s}_${m}.json`, message(`msg_${s}_${m}`, `ses_${s}`, m))
      for (let p = 0; p < 3; p++)
        put(directory, `part/msg_${s}_${m}/prt_${p}.json`, part(`prt_${p}`, `msg_${s}_${m}`))
    }
  }
  await untilProven()
  const children = Array.from({ length: 10 }, (_, i) =>
    spawn(`await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
      const page = await store.sessions.page({ limit: 5 })
      console.log(page.items.map(({ id }) => id).join())
      const { sessions, messages, parts } = await store.index({ onProgress: ({ kind, done }) => {
        if (${i < 2} && kind === "part" && done >= 100) process.kill(process.pid, "SIGKILL")
      } })
      console.log(sessions, messages, parts)`),
  )
  const outputs = await Promise.all(
    children.map(async (child) => ({
      text: await new Response(child.stdout).text(),
      code: await child.exited,
    })),
  )
  for (const [i, { text, code }] of outputs.entries()) {
    const [page, totals] = text.split("\n")
    expect(page).toBe("ses_149,ses_148,ses_147,ses_146,ses_145")
    if (i < 2) expect(children[i]?.signalCode).toBe("SIGKILL")
    else expect([totals, code]).toEqual(["150 600 1800", 0])
  }
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await store.index()).toMatchObject({ read: 0 })
  expect(await store.verify()).toMatchObject({
    ok: true,
    checked: { sessions: 150, messages: 600, parts: 1800 },
  })
}, 60_000)
