import { expect, test } from "bun:test"
import { readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { opencodeDatabase, openStore, type Problem, type Session } from "../../../src/index.ts"
import { session } from "../../support/records.ts"
import { put, tempFolder } from "../../support/temp.ts"
import { databaseOf, messageRow, partRow, SCHEMA_1_2, sessionRow, startAgent } from "./support.ts"

/** `bun run test:long` asks a hundred times as much. */
const ASKED = process.env.SESSIONDEX_TEST_LONG === "1" ? 4_000 : 40

/** A session that the agent leaves alone, beside those it writes. */
const STILL = Array.from(
  { length: 9 },
  (_, at) =>
    `${messageRow(`msg_still_${at}`, "ses_still", at)} ${partRow(`prt_still_${at}`, `msg_still_${at}`, "ses_still", { type: "text", text: "quagga" })}`,
)

/** The round of a listing, and what in it does not agree with what the agent noted in the same round. */
function judge(sessions: readonly Session[]): { round: number; torn: unknown[] } {
  const mark = sessions.find(({ id }) => id === "ses_mark")
  const others = sessions.filter(({ id, projectID }) => id !== "ses_mark" && projectID === "p")
  const sum = others.reduce((sum, { time }) => sum + time.updated, 0)
  const said = `${others.length} ${sum} ${others[0]?.id}`
  return { round: mark?.time.updated ?? -1, torn: mark?.title === said ? [] : [{ said, mark: mark?.title }] }
}

test("while the agent writes, each answer of a whole store is one state, and the agent never finds its database locked", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_still", updated: 1 })} ${STILL.join("\n")}`)
  const directory = join(tempFolder(), "storage")
  put(directory, "session/proj/ses_file.json", session("ses_file"))
  await using agent = await startAgent(path)
  await agent.say("run DELETE FROM session WHERE id = 'ses_mark'")
  const problems: Problem[] = []
  await using store = await openStore({
    directory,
    maxStaleness: 0,
    roots: [opencodeDatabase(path)],
    onProblem: (problem) => problems.push(problem),
  })
  const stop = join(tempFolder(), "stop")
  const done = agent.say(`history ${stop}`)
  const rounds = new Set<number>()
  const torn: unknown[] = []
  const counted: { from: number; to: number; count: number }[] = []
  const list = async (): Promise<number> => {
    const all = await Array.fromAsync(store.sessions.list())
    const { round, torn: here } = judge(all)
    if (round >= 0) torn.push(...here)
    rounds.add(round)
    expect(all.filter(({ id }) => id === "ses_file")).toHaveLength(1)
    return round
  }
  let messages = 0
  let found = 0
  for (let asked = 0; asked < ASKED || rounds.size < 10; asked++) {
    const from = await list()
    const count = await store.sessions.count()
    counted.push({ from, to: await list(), count })
    const { items } = await store.sessions.page({ limit: 2, projectID: "p" })
    const [newest, next] = items
    if (newest?.id === "ses_mark" && next && !newest.title.endsWith(` ${next.id}`)) torn.push(items)
    for await (const { info, parts } of store.messages.stream(`ses_${asked % 7}`, { direction: "asc" })) {
      messages++
      if (parts.length !== 2 || parts.some(({ round }) => round !== info.round)) torn.push({ info, parts })
    }
    expect(await store.messages.count("ses_still")).toBe(9)
    if (asked % 8 > 0) continue
    const hits = await Array.fromAsync(store.search("quagga", { in: "text" }))
    expect(new Set(hits.map(({ messageID }) => messageID)).size).toBe(9)
    for await (const { snippet } of store.search("zebra", { in: "text", limit: 20 })) {
      expect(snippet).toContain("zebra")
      found++
    }
  }
  writeFileSync(stop, "")
  const { counts, busy } = JSON.parse(await done) as { counts: number[]; busy: number }
  expect(busy).toBe(0)
  expect(torn).toEqual([])
  expect(problems).toEqual([])
  // With ses_still, which the mark counts too, and the file.
  for (const { from, to, count } of counted)
    if (from >= 0) expect(counts.slice(from, to + 1)).toContain(count - 1)
  expect({ messages: messages > ASKED / 4, found: found > 0 }).toEqual({ messages: true, found: true })
  // While the store is open and idle.
  expect(JSON.parse(await agent.say("checkpoint"))).toMatchObject({ busy: 0 })
  expect(readdirSync(dirname(path)).sort()).toEqual(["opencode.db", "opencode.db-shm", "opencode.db-wal"])
}, 600_000)
