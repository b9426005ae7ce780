import { beforeEach, expect, test } from "bun:test"
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { openStore, type Store } from "../../../src/index.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"

const MAIN = "11111111-0000-4000-8000-000000000000"
const OTHER = "22222222-0000-4000-8000-000000000000"
const AGENT = "agent-7"

let place = ""

function line(session: string, uuid: string, text: string, parent: string | null = null): string {
  const message = { role: "user", content: text }
  const timestamp = "2026-11-01T10:00:00.000Z"
  return `${JSON.stringify({ parentUuid: parent, type: "user", uuid, timestamp, sessionId: session, message })}\n`
}

function pathOf(session: string): string {
  return join(place, "projects/-app", `${session}.jsonl`)
}

const agentPath = (ending: string): string => join(place, `projects/-app/${MAIN}/subagents/${AGENT}${ending}`)

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

beforeEach(() => {
  place = join(tempFolder(), "home")
  write(pathOf(MAIN), line(MAIN, "a", "a zebra"))
  write(pathOf(OTHER), line(OTHER, "b", "a quagga"))
  write(agentPath(".jsonl"), line(MAIN, "c", "an okapi"))
  write(agentPath(".meta.json"), JSON.stringify({ description: "First" }))
})

/** A store that has looked at all of it, and at each session by itself, more than once. */
async function looked(): Promise<Store> {
  await untilProven()
  const store = await openStore({
    directory: join(place, "../none"),
    indexPath: tempFolder(),
    backgroundIndex: false,
    roots: [transcriptRoot(claudeCode, place)],
  })
  for (let times = 0; times < 3; times++) {
    expect(await Array.fromAsync(store.sessions.ids())).toHaveLength(3)
    for (const id of [MAIN, OTHER, AGENT]) expect((await store.sessions.get(id))?.id).toBe(id)
  }
  return store
}

async function words(store: Store, session: string): Promise<string[]> {
  const all = await Array.fromAsync(store.messages.stream(session, { direction: "asc" }))
  return all.flatMap(({ parts }) => parts.flatMap((part) => ("text" in part ? [String(part.text)] : [])))
}

test("what a small file beside a transcript says is read again, though the transcript is as it was", async () => {
  await using store = await looked()
  write(agentPath(".meta.json"), JSON.stringify({ description: "Other" }))
  expect((await store.sessions.get(AGENT))?.title).toBe("Other")
  await untilProven()
  expect((await store.sessions.get(AGENT))?.title).toBe("Other")
  rmSync(agentPath(".meta.json"))
  expect((await store.sessions.get(AGENT))?.title).toBe("an okapi")
})

test("a small file that was not there is seen when it comes", async () => {
  rmSync(agentPath(".meta.json"))
  await using store = await looked()
  const listed = async (): Promise<unknown> =>
    (await Array.fromAsync(store.sessions.list())).find(({ id }) => id === AGENT)?.title
  expect(await listed()).toBe("an okapi")
  write(agentPath(".meta.json"), JSON.stringify({ description: "Come" }))
  expect(await listed()).toBe("Come")
})

test("what is added, replaced, moved away and put back is seen by who asks for one session, and for all", async () => {
  await using store = await looked()
  appendFileSync(pathOf(MAIN), line(MAIN, "d", "two zebras", "a"))
  expect(await words(store, MAIN)).toEqual(["a zebra", "two zebras"])
  await untilProven()
  expect(await words(store, MAIN)).toEqual(["a zebra", "two zebras"])
  write(`${pathOf(MAIN)}.new`, line(MAIN, "a", "a gnu"))
  renameSync(`${pathOf(MAIN)}.new`, pathOf(MAIN))
  expect(await words(store, MAIN)).toEqual(["a gnu"])
  await untilProven()
  expect(await words(store, MAIN)).toEqual(["a gnu"])
  renameSync(pathOf(OTHER), join(place, OTHER))
  expect(await store.sessions.get(OTHER)).toBeUndefined()
  expect(await Array.fromAsync(store.sessions.ids())).toHaveLength(2)
  renameSync(join(place, OTHER), pathOf(OTHER))
  expect(await words(store, OTHER)).toEqual(["a quagga"])
  expect(await Array.fromAsync(store.sessions.ids())).toHaveLength(3)
})

test("a plain file that comes beside a compressed one counts at once", async () => {
  rmSync(pathOf(OTHER))
  writeFileSync(`${pathOf(OTHER)}.zst`, Bun.zstdCompressSync(line(OTHER, "b", "a quagga")))
  await using store = await looked()
  expect(await words(store, OTHER)).toEqual(["a quagga"])
  write(pathOf(OTHER), line(OTHER, "b", "a tapir"))
  expect(await words(store, OTHER)).toEqual(["a tapir"])
  rmSync(pathOf(OTHER))
  expect(await words(store, OTHER)).toEqual(["a quagga"])
})

test("a search finds what was written before it was asked for, and folders that are new", async () => {
  await using store = await looked()
  const hits = async (query: string): Promise<string[]> =>
    (await Array.fromAsync(store.search(query, { in: "text" }))).map(({ sessionID }) => sessionID)
  expect(await hits("zebra")).toEqual([MAIN])
  for (const [at, word] of ["bison", "yak", "ibex"].entries()) {
    const session = OTHER.replaceAll("2", String(at + 3))
    write(join(place, `projects/-new${at}`, `${session}.jsonl`), line(session, word, `one ${word}`))
    expect(await hits(word)).toEqual([session])
  }
})
