import { expect, spyOn, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { openStore, type SessionPageOptions, type Store } from "../../../src/index.ts"
import type { Logger } from "../../../src/logger.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { TranscriptIndex } from "../../../src/root/transcript/transcript-index.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { Random } from "../../support/random.ts"
import { tempFolder } from "../../support/temp.ts"

const START = Date.UTC(2026, 10, 1, 10)
const SECOND = 1_000

function idOf(at: number): string {
  return `${String(at).padStart(8, "0")}-0000-4000-8000-000000000000`
}

/** A home of many transcripts, whose files are younger or older than what they say; some sessions lie in two of them, as new in both. */
function makeHome(count: number, random: Random): string {
  const place = join(tempFolder(), "home")
  const times = new Map<string, number>()
  for (let at = 0; at < count; at++) {
    const session = idOf(random.chance(0.2) ? random.below(at + 1) : at)
    const cwd = `/home/dev/${random.pick(["app", "other"])}`
    const other = times.get(session)
    const said = other !== undefined && random.chance(0.7) ? other : START + random.below(count) * SECOND
    times.set(session, said)
    const lines = [0, 1, 2].map((line) => ({
      parentUuid: line === 0 ? null : `u${line - 1}`,
      type: "user",
      uuid: `u${line}`,
      timestamp: new Date(said + line).toISOString(),
      sessionId: session,
      cwd,
      message: { role: "user", content: `${random.pick(["Mend", "Explain"])} it ${at}` },
    }))
    const folder = join(place, "projects", `-home-${at % 3}`)
    const path = random.chance(0.2)
      ? join(folder, idOf(random.below(at + 1)), "subagents", `agent-${at}.jsonl`)
      : join(folder, `${session}.jsonl`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
    const written = (said + random.pick([0, 60 * SECOND, -5 * SECOND])) / SECOND
    utimesSync(path, written, written)
  }
  return place
}

interface Opening {
  filesOnly?: boolean
  logger?: Logger
}

function open(place: string, indexPath: string, { filesOnly = false, logger }: Opening = {}): Promise<Store> {
  return openStore({
    directory: join(place, "../none"),
    indexPath,
    backgroundIndex: false,
    logger,
    roots: [transcriptRoot(claudeCode, place, { filesOnly })],
  })
}

/** The files of the indexes of roots. */
function indexes(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /also-read.*\.sqlite$/.test(name),
  )
}

const QUERIES: readonly SessionPageOptions[] = [
  { limit: 5 },
  { limit: 50 },
  { limit: 5, parentID: null },
  { limit: 3, search: "explain" },
  { limit: 4, directory: "/home/dev/other" },
  { limit: 90 },
]

test("the first page of what nobody has indexed says what the files say, and their rows are put behind it", async () => {
  const random = new Random(1)
  let early = 0
  for (const query of QUERIES) {
    const place = makeHome(60, random)
    const index = tempFolder()
    const store = await open(place, index)
    const page = await store.sessions.page(query)
    if (indexes(index).length === 0) early++
    await using plain = await open(place, tempFolder(), { filesOnly: true })
    expect(page).toEqual(await plain.sessions.page(query))
    // A question that comes while rows are put.
    expect(await store.sessions.count()).toBe(await plain.sessions.count())
    await store.close()
    await using another = await open(place, index)
    expect(await another.sessions.page(query)).toEqual(page)
    if (query === QUERIES[0]) expect((await another.verify()).differences).toEqual([])
  }
  // More than are read for an answer are in none of these homes.
  expect(early).toBe(QUERIES.length)
}, 60_000)

test("what was read for a first page is in the index when the store is closed", async () => {
  const place = makeHome(60, new Random(2))
  const index = tempFolder()
  const store = await open(place, index)
  const { items } = await store.sessions.page({ limit: 5 })
  await store.close()
  expect(items).toHaveLength(5)
  expect(indexes(index)).toHaveLength(1)
  await using another = await open(place, index)
  expect((await another.sessions.page({ limit: 5 })).items).toEqual(items)
})

test("more than is read for an answer is put at once", async () => {
  const place = makeHome(170, new Random(3))
  const index = tempFolder()
  await using store = await open(place, index)
  const page = await store.sessions.page({ limit: 160 })
  expect(indexes(index)).toHaveLength(1)
  await using plain = await open(place, tempFolder(), { filesOnly: true })
  expect(page).toEqual(await plain.sessions.page({ limit: 160 }))
})

test("what keeps rows of a first page from being put is told, and the next question answers as ever", async () => {
  const place = makeHome(60, new Random(4))
  const index = tempFolder()
  const told: unknown[] = []
  const logger = { warn: (...said: unknown[]) => void told.push(...said) }
  const failure = new Error("No rows")
  using _ = spyOn(TranscriptIndex.prototype, "settleAll").mockImplementationOnce(() =>
    Promise.reject(failure),
  )
  const store = await open(place, index, { logger })
  const page = await store.sessions.page({ limit: 5 })
  const next = await store.sessions.page({ limit: 5 })
  await store.close()
  expect(told).toEqual([expect.stringContaining(place), failure])
  await using plain = await open(place, tempFolder(), { filesOnly: true })
  for (const one of [page, next]) expect(one).toEqual(await plain.sessions.page({ limit: 5 }))
})
