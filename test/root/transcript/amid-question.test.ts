import { beforeEach, expect, test } from "bun:test"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { openStore, type RootProvider, type Store } from "../../../src/index.ts"
import type { Root } from "../../../src/root/root.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"

const SESSION = "11111111-0000-4000-8000-000000000000"
const OTHER = "22222222-0000-4000-8000-000000000000"
const START = Date.UTC(2026, 10, 1, 10)
const LINES = 12

let place = ""
let root: Root

const pathOf = (session: string): string => join(place, "projects/-app", `${session}.jsonl`)

/** @param texts by line, what is said in it instead of a zebra; as long as that, so that all others lie where they lay */
function write(session: string, start: number, texts: Readonly<Record<number, string>> = {}): void {
  const lines = Array.from({ length: LINES }, (_, at) => ({
    parentUuid: at === 0 ? null : `u${at - 1}`,
    type: "user",
    uuid: `u${at}`,
    timestamp: new Date(start + at * 2_000).toISOString(),
    sessionId: session,
    cwd: "/home/dev/app",
    message: { role: "user", content: `${texts[at] ?? "a zebra"} ${at}` },
  }))
  mkdirSync(dirname(pathOf(session)), { recursive: true })
  writeFileSync(pathOf(session), lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
}

/** A store that has looked at each session before. */
async function looked(): Promise<Store> {
  await untilProven()
  const inner = transcriptRoot(claudeCode, place)
  const provider: RootProvider = {
    place,
    open(context) {
      root = inner.open(context)
      return root
    },
  }
  const store = await openStore({
    directory: join(place, "../none"),
    indexPath: tempFolder(),
    backgroundIndex: false,
    roots: [provider],
  })
  for (let times = 0; times < 3; times++)
    expect(await Array.fromAsync(store.search("zebra"))).toHaveLength(2 * LINES + 2)
  return store
}

beforeEach(() => {
  place = join(tempFolder(), "home")
  write(SESSION, START)
  write(OTHER, START + 1_000)
})

test("what is changed or removed amid a search is looked at as it is then", async () => {
  await using store = await looked()
  const seen: string[] = []
  for await (const { sessionID, messageID } of store.search("zebra", { in: "text" })) {
    seen.push(`${sessionID[0]} ${messageID?.split("~")[1]}`)
    if (seen.length === 4) write(SESSION, START, { 9: "a horse", 4: "a horse" })
    if (seen.length === 16) rmSync(pathOf(OTHER))
  }
  const all = Array.from({ length: LINES }, (_, at) => [
    `2 u${LINES - 1 - at}`,
    `1 u${LINES - 1 - at}`,
  ]).flat()
  const hits = all.filter((one) => one !== "1 u9" && one !== "1 u4")
  expect(seen).toEqual(hits.filter((one, at) => at < 16 || one.startsWith("1")))
})

test("a session that changes amid a question is read again", async () => {
  await using _ = await looked()
  const question = {}
  const { records } = root
  const [project = ""] = await records.foldersOf("session", SESSION, undefined, question)
  const title = async (): Promise<unknown> =>
    (await records.read("session", project, [SESSION], undefined, question))[0]?.title
  expect(await title()).toBe("a zebra 0")
  expect(await records.holds("session", project, SESSION, question)).toBe(true)
  write(SESSION, START, { 0: "a horse" })
  expect(await title()).toBe("a horse 0")
  await untilProven()
  expect(await title()).toBe("a horse 0")
  rmSync(pathOf(SESSION))
  expect(await records.holds("session", project, SESSION, question)).toBe(false)
})
