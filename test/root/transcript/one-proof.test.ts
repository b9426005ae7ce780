import { beforeEach, expect, test } from "bun:test"
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { type FileStat, fileSystem } from "../../../src/file/system.ts"
import { openStore, type Store } from "../../../src/index.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { TAIL_BYTES } from "../../../src/root/transcript/tail.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder } from "../../support/temp.ts"

const SESSION = "11111111-0000-4000-8000-000000000000"
const START = Date.UTC(2026, 10, 1, 10)
/** Some 400 kB. */
const LINES = 2_000

let place = ""
let bytes = 0
/** Whether the clock stands still, so that what changes in place looks the same. */
let isStill = false

beforeEach(() => {
  place = join(tempFolder(), "home")
  bytes = 0
  isStill = false
})

function stopped(stat: FileStat | undefined): FileStat | undefined {
  return stat && isStill ? { ...stat, ctimeNs: 1n, mtimeNs: BigInt(START) * 1_000_000n } : stat
}

/** The file system of a device whose clock has not reached the time of any file: no stamp ever proves anything. */
const fs: typeof fileSystem = {
  ...fileSystem,
  touch: (path) => ({ ...fileSystem.touch(path), ctimeNs: 1n }),
  lstat: (path) => stopped(fileSystem.lstat(path)),
  readAt(descriptor, into, position) {
    const length = fileSystem.readAt(descriptor, into, position)
    bytes += length
    return length
  },
}

const path = (): string => join(place, "projects/-app", `${SESSION}.jsonl`)

function line(at: number, uuid = `u${at}`, text = `line ${at}`): string {
  const said = {
    parentUuid: at === 0 ? null : `u${at - 1}`,
    type: "user",
    uuid,
    timestamp: new Date(START + at * 1_000).toISOString(),
    sessionId: SESSION,
    message: { role: "user", content: text },
  }
  return `${JSON.stringify(said)}\n`
}

/** @param last the id of the last one */
const lines = (count: number, last?: string, text?: string): string =>
  Array.from({ length: count }, (_, at) => (at < count - 1 ? line(at) : line(at, last, text))).join("")

function write(text: string): void {
  mkdirSync(dirname(path()), { recursive: true })
  writeFileSync(path(), text)
}

function open(): Promise<Store> {
  return openStore({
    directory: join(place, "../none"),
    indexPath: tempFolder(),
    backgroundIndex: false,
    roots: [transcriptRoot(claudeCode, place, { fs })],
  })
}

/** The ids of the newest messages, as the transcript has them. */
async function newest(store: Store, limit = 1): Promise<string[]> {
  const messages = await Array.fromAsync(store.messages.stream(SESSION, { limit }))
  return messages.map(({ info }) => info.id.slice(info.id.indexOf("~") + 1))
}

test("what proves a transcript for one step of a question is not read again for the others", async () => {
  write(lines(LINES))
  await using store = await open()
  expect(await newest(store)).toEqual([`u${LINES - 1}`])
  appendFileSync(path(), line(LINES))
  bytes = 0
  expect(await newest(store, 50)).toHaveLength(50)
  expect(bytes).toBeGreaterThan(TAIL_BYTES)
  expect(bytes).toBeLessThan(1.5 * TAIL_BYTES)
  bytes = 0
  const { items } = await store.messages.page(SESSION)
  expect(items[0]?.id).toEndWith(`u${LINES}`)
  expect(items).toHaveLength(50)
  expect(bytes).toBeLessThan(1.5 * TAIL_BYTES)
})

test("the next question looks again at what changed without looking otherwise", async () => {
  isStill = true
  write(lines(LINES, "id-0"))
  await using store = await open()
  for (let count = 1; count < 6; count++) {
    write(lines(LINES, `id-${count}`))
    if (count % 2 === 0) expect(await newest(store)).toEqual([`id-${count}`])
    else expect((await store.messages.page(SESSION)).items[0]?.id).toEndWith(`id-${count}`)
  }
})

test("what changes amid a question is looked at anew", async () => {
  write(lines(LINES))
  await using store = await open()
  const seen: string[] = []
  for await (const { parts } of store.messages.stream(SESSION, { limit: 3 })) {
    for (const part of parts) if ("text" in part) seen.push(String(part.text))
    // Where the second one begins lies something else then.
    if (seen.length === 1) write(lines(LINES).replace("line 0", "a longer line 0"))
  }
  expect(seen).toEqual([`line ${LINES - 1}`, `line ${LINES - 2}`, `line ${LINES - 3}`])
})
