import { describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type Store, type Usage } from "../../src/index.ts"
import { Random } from "../support/random.ts"
import { failure, message, session } from "../support/records.ts"
import { copyOfTree, put, tempFolder, untilProven } from "../support/temp.ts"
import { variants } from "../support/variants.ts"

const DAY = Date.parse("2026-03-01T12:00:00Z")
const tokens = (input: number, output: number) => ({
  input,
  output,
  reasoning: 1,
  cache: { read: 2, write: 3 },
})
const step = (input: number, output: number, cost: number) => ({
  type: "step-finish" as const,
  cost,
  tokens: tokens(input, output),
})

function answer(id: string, sessionID: string, created: number, over: object = {}) {
  return {
    ...message(id, sessionID, created, { role: "assistant" }),
    time: { created, completed: created + 50 },
    modelID: "m",
    providerID: "p",
    tokens: tokens(10, 5),
    cost: 0.5,
    ...over,
  }
}

/** The plainest code that can tell what was used; reads everything, trusts nothing. */
function plainUsage(directories: readonly string[], copies: "once" | "count") {
  const sums = {
    messages: 0,
    input: 0,
    output: 0,
    reasoning: 0,
    cacheRead: 0,
    cacheWrite: 0,
    cost: 0,
    copies: 0,
  }
  const seen = new Map<string, string>()
  const ids = (folder: string): string[] => (fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [])
  const done = new Set<string>()
  for (const directory of directories)
    for (const sessionID of ids(join(directory, "message"))) {
      if (done.has(sessionID)) continue
      done.add(sessionID)
      for (const file of ids(join(directory, "message", sessionID))) {
        // biome-ignore lint/suspicious/noExplicitAny: bodies as they are
        const read = (path: string): any => JSON.parse(fs.readFileSync(path, "utf8"))
        const body = read(join(directory, "message", sessionID, file))
        const folder = join(directory, "part", file.slice(0, -5))
        const { role, time, modelID, providerID, tokens, cost } = body
        const steps = ids(role === "user" ? "" : folder)
          .map((part) => read(join(folder, part)))
          .filter(({ type }) => type === "step-finish")
        const same = JSON.stringify([role, time.created, time.completed, modelID, providerID, tokens, cost])
        const tells = role === "assistant" && (cost !== 0 || tokens.input !== undefined)
        if (tells && seen.has(same) && seen.get(same) !== sessionID) {
          sums.copies++
          if (copies === "once") continue
        } else seen.set(same, sessionID)
        sums.messages++
        for (const { tokens } of steps.length > 1 ? steps : [body]) {
          sums.input += tokens?.input ?? 0
          sums.output += tokens?.output ?? 0
          sums.reasoning += tokens?.reasoning ?? 0
          sums.cacheRead += tokens?.cache?.read ?? 0
          sums.cacheWrite += tokens?.cache?.write ?? 0
        }
        sums.cost += cost ?? 0
      }
    }
  return rounded(sums)
}

/** Sums of fractions depend on their order. */
function rounded<T extends { cost: number }>(sums: T): T {
  return { ...sums, cost: Math.round(sums.cost * 1e6) / 1e6 }
}

function total(rows: readonly Usage[]) {
  const sum = (of: (row: Usage) => number): number => rows.reduce((all, row) => all + of(row), 0)
  return rounded({
    messages: sum((row) => row.messages),
    input: sum((row) => row.input),
    output: sum((row) => row.output),
    reasoning: sum((row) => row.reasoning),
    cacheRead: sum((row) => row.cacheRead),
    cacheWrite: sum((row) => row.cacheWrite),
    cost: sum((row) => row.cost),
    copies: sum((row) => row.copies ?? 0),
  })
}

async function expectPlain(store: Store, directories: readonly string[]): Promise<void> {
  for (const copies of ["once", "count"] as const)
    expect(total(await store.usage({ copies }))).toEqual(plainUsage(directories, copies))
}

describe.each(variants)("$name", ({ name, open }) => {
  test("the tokens of all steps of a message are added up, whoever writes or removes one and when", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    put(directory, "session/proj/ses_1.json", session("ses_1"))
    put(
      directory,
      "message/ses_1/msg_1.json",
      answer("msg_1", "ses_1", DAY, { tokens: tokens(30, 3), cost: 6 }),
    )
    put(directory, "part/msg_1/prt_1.json", { type: "step-start" })
    put(directory, "part/msg_1/prt_2.json", step(10, 1, 1))
    put(directory, "part/msg_1/prt_3.json", { type: "text", text: "step-finish" })
    put(directory, "part/msg_1/prt_4.json", step(20, 2, 2))
    const usage = async () => {
      const [{ input, output, reasoning, cacheRead, cacheWrite, cost } = {} as Usage] = await store.usage()
      return [input, output, reasoning, cacheRead, cacheWrite, cost]
    }
    expect(await usage()).toEqual([30, 3, 2, 4, 6, 6])
    if (name === "SQLite") {
      await untilProven()
      await store.index()
      expect(await usage()).toEqual([30, 3, 2, 4, 6, 6])
    }
    put(directory, "part/msg_1/prt_5.json", step(30, 3, 3))
    expect(await usage()).toEqual([60, 6, 3, 6, 9, 6])
    put(directory, "part/msg_1/prt_2.json", step(11, 1, 1))
    expect(await usage()).toEqual([61, 6, 3, 6, 9, 6])
    await store.parts.write({ id: "prt_6", messageID: "msg_1", sessionID: "ses_1", ...step(100, 0, 0) })
    expect(await usage()).toEqual([161, 6, 4, 8, 12, 6])
    // Alone, a step's tokens are the message's; a cost that the message does not name is that of its steps.
    for (const part of ["prt_2", "prt_4", "prt_6"]) fs.rmSync(join(directory, `part/msg_1/${part}.json`))
    expect(await usage()).toEqual([30, 3, 1, 2, 3, 6])
    put(directory, "part/msg_1/prt_2.json", step(10, 1, 1))
    put(directory, "message/ses_1/msg_1.json", answer("msg_1", "ses_1", DAY, { cost: {} }))
    expect(await usage()).toEqual([40, 4, 2, 4, 6, 4])
    put(directory, "part/msg_1/prt_7.json", "{ torn")
    expect(await usage()).toEqual([40, 4, 2, 4, 6, 4])
    // One that could not be read is mended in place: its folder stays as it was.
    fs.rmSync(join(directory, "part/msg_1/prt_2.json"))
    if (name === "SQLite") {
      await untilProven()
      await store.index()
    }
    put(directory, "part/msg_1/prt_7.json", step(10, 1, 1))
    expect(await usage()).toEqual([40, 4, 2, 4, 6, 4])
  })

  test("an answer that a forked session copied is counted once, or as often as it lies there", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    const say = (id: string, sessionID: string, created: number, over: object = {}): string =>
      put(directory, `message/${sessionID}/${id}.json`, answer(id, sessionID, created, over))
    say("msg_1", "ses_1", DAY)
    say("msg_2", "ses_1", DAY + 1000)
    // The fork, and a fork of that, each with an answer of its own.
    for (const [sessionID, at] of [
      ["ses_2", 2],
      ["ses_3", 3],
    ] as const) {
      say(`msg_${at}1`, sessionID, DAY)
      say(`msg_${at}2`, sessionID, DAY + 1000)
      say(`msg_${at}3`, sessionID, DAY + at * 10_000)
    }
    const [once] = await store.usage()
    expect(once).toMatchObject({ messages: 4, input: 40, output: 20, cost: 2, copies: 4 })
    expect(await store.usage({ copies: "once" })).toEqual(await store.usage())
    expect(await store.usage({ copies: "count" })).toMatchObject([
      { messages: 8, input: 80, output: 40, cost: 4, copies: 4 },
    ])
    // What differs in anything by which it is recognised is an answer of its own, and so is what took nothing.
    const others = { tokens: tokens(10, 6) }
    for (const [at, over] of [
      { cost: 0.25 },
      { modelID: "n" },
      { providerID: "q" },
      others,
      { time: { created: DAY, completed: DAY + 51 } },
      { time: { created: DAY } },
      { time: { created: DAY + 1, completed: DAY + 50 } },
      { role: "user" },
    ].entries())
      say(`msg_4${at}`, "ses_4", DAY, over)
    for (const sessionID of ["ses_5", "ses_6"])
      say(`msg_${sessionID}`, sessionID, DAY, { tokens: {}, cost: 0 })
    // Nor is one that a session holds twice itself.
    say("msg_71", "ses_7", DAY + 500)
    say("msg_72", "ses_7", DAY + 500)
    expect(total(await store.usage())).toMatchObject({ messages: 16, copies: 4 })
    await expectPlain(store, [directory])
    expect(await failure(store.usage({ copies: "never" as "once" }))).toBeInstanceOf(TypeError)
  })

  test("what real releases wrote is added up as the plainest code does", async () => {
    for (const tree of ["opencode-1.1.65/storage", "opencode-1.0.0/storage"]) {
      await using store = await open(copyOfTree(tree))
      await expectPlain(store, [store.directory])
      if (name === "SQLite") await store.index()
      await expectPlain(store, [store.directory])
    }
  })
})

test("an answer that its provider named is counted once, with the most that any copy has of it", async () => {
  await using store = await openStore({ directory: tempFolder(), backgroundIndex: false })
  const say = (sessionID: string, output: number, completed: number, over: object = {}): string =>
    put(store.directory, `message/${sessionID}/msg_1.json`, {
      ...answer("msg_1", sessionID, DAY, { cost: undefined }),
      time: { created: DAY, completed },
      tokens: tokens(10, output),
      metadata: { responseID: "msg_1", requestID: "req_1", ...over },
    })
  // The second was copied while the answer was still written.
  say("ses_1", 5, DAY + 50)
  say("ses_2", 2, DAY + 20)
  say("ses_3", 9, DAY + 90)
  say("ses_4", 9, DAY + 90)
  expect(await store.usage()).toMatchObject([{ messages: 1, input: 10, output: 9, cacheRead: 2, copies: 3 }])
  expect(await store.usage({ copies: "count" })).toMatchObject([
    { messages: 4, input: 40, output: 25, cacheRead: 8, copies: 3 },
  ])
  say("ses_4", 9, DAY + 90, { requestID: "req_2" })
  say("ses_5", 9, DAY + 90, { responseID: "msg_2" })
  expect(await store.usage()).toMatchObject([{ messages: 3, input: 30, output: 27, copies: 2 }])
})

test("copies are told over several folders that are read", async () => {
  const [directory, other] = [tempFolder(), tempFolder()]
  put(directory, "session/p/ses_1.json", session("ses_1"))
  put(directory, "message/ses_1/msg_1.json", answer("msg_1", "ses_1", DAY))
  put(other, "session/p/ses_1.json", session("ses_1"))
  put(other, "message/ses_1/msg_1.json", answer("msg_1", "ses_1", DAY))
  put(other, "session/p/ses_2.json", session("ses_2"))
  put(other, "message/ses_2/msg_2.json", answer("msg_2", "ses_2", DAY))
  await using store = await openStore({ directory, alsoRead: [other], backgroundIndex: false })
  expect(await store.usage()).toMatchObject([{ messages: 1, copies: 1 }])
  await expectPlain(store, [directory, other])
})

test.each(seeds(8))("a random store's usage is that of its files at any moment (%i)", async (seed) => {
  const random = new Random(seed)
  const directory = tempFolder()
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  const change = (): void => {
    const sessionID = `ses_${random.below(4)}`
    const id = `msg_${sessionID}_${random.below(5)}`
    const created = DAY + random.below(5) * 1000
    const path = `message/${sessionID}/${id}.json`
    // A part stays of its type; what it says may change.
    const type = random.below(6)
    const partPath = `part/${id}/prt_${type}.json`
    switch (random.below(5)) {
      case 0:
      case 1:
        put(
          directory,
          path,
          answer(id, sessionID, created, { role: random.pick(["assistant", "assistant", "user"]) }),
        )
        break
      case 2:
        put(
          directory,
          partPath,
          type < 3 ? step(random.below(9), random.below(9), 1) : { type: "tool", tool: "x" },
        )
        break
      case 3:
        fs.rmSync(join(directory, random.pick([path, partPath])), { force: true })
        break
      default:
        fs.rmSync(join(directory, "part", id), { recursive: true, force: true })
    }
  }
  for (let round = 0; round < 8; round++) {
    for (let at = 0; at < 15; at++) change()
    await expectPlain(store, [directory])
    if (random.chance(0.5)) {
      await untilProven()
      await store.index()
      await expectPlain(store, [directory])
      expect(await store.verify()).toMatchObject({ ok: true })
    }
  }
})

function seeds(count: number): number[] {
  return Array.from(
    { length: process.env.SESSIONDEX_TEST_LONG === "1" ? count * 20 : count },
    (_, at) => at + 1,
  )
}

test("an answer whose cost is nested without end is added up as one without it", async () => {
  const directory = tempFolder()
  put(directory, "session/proj/ses_1.json", session("ses_1"))
  put(directory, "message/ses_1/msg_1.json", answer("msg_1", "ses_1", DAY))
  const path = join(directory, "message/ses_1/msg_1.json")
  const depth = 100_000
  const nested = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
  fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace(/"cost":\s*0.5/, `"cost":${nested}`))
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await store.usage()).toMatchObject([{ messages: 1, input: 10, output: 5, cost: 0 }])
})
