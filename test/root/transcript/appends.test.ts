import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileSystem } from "../../../src/file/system.ts"
import { openStore, type Store } from "../../../src/index.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder } from "../../support/temp.ts"

const SESSION = "11111111-0000-4000-8000-000000000000"
/** Lines before anything is appended: some 1.5 MB. */
const LINES = 8_000
/** So many that not all of their rows are put at once. */
const FEW = 400
const START = Date.UTC(2026, 10, 1, 10)

/** A home with one transcript, whose lines each go on from the one before. */
class Home {
  readonly place = join(tempFolder(), "home")
  readonly index = tempFolder()
  #lines = 0

  constructor(lines: number) {
    this.append(lines)
  }

  path(folder = "-app"): string {
    return join(this.place, "projects", folder, `${SESSION}.jsonl`)
  }

  lines(count: number): string {
    return Array.from({ length: count }, () => {
      const at = this.#lines++
      const said = {
        parentUuid: at === 0 ? null : `u${at - 1}`,
        type: "user",
        uuid: `u${at}`,
        timestamp: new Date(START + at * 1_000).toISOString(),
        sessionId: SESSION,
        message: { role: "user", content: `line ${at}` },
      }
      return `${JSON.stringify(said)}\n`
    }).join("")
  }

  append(count: number, folder = "-app"): void {
    mkdirSync(dirname(this.path(folder)), { recursive: true })
    appendFileSync(this.path(folder), this.lines(count))
  }

  /** @param onRead told how many bytes were read at a time */
  open(onRead: (bytes: number) => void = () => {}): Promise<Store> {
    const fs: typeof fileSystem = {
      ...fileSystem,
      readAt(descriptor, into, position) {
        const length = fileSystem.readAt(descriptor, into, position)
        onRead(length)
        return length
      },
    }
    return openStore({
      directory: join(this.place, "../none"),
      indexPath: this.index,
      backgroundIndex: false,
      roots: [transcriptRoot(claudeCode, this.place, { fs })],
    })
  }

  /** How far the transcript was read for its rows, and for the state that is written down. */
  stands(): { rows: number; state: number | undefined } {
    const names = readdirSync(this.index, { recursive: true, encoding: "utf8" })
    const name = names.find((name) => /also-read.*index\.sqlite$/.test(name)) ?? ""
    using index = new Database(join(this.index, name), { readonly: true })
    const row = index
      .query<{ marks: string; checkpoint: string | null }, []>(
        "select marks, checkpoint from containers left join container_states on container = row",
      )
      .get()
    const read = (text: string | null | undefined): number | undefined =>
      text == null ? undefined : [JSON.parse(text)].flat()[0].read
    return { rows: read(row?.marks) ?? 0, state: read(row?.checkpoint) }
  }
}

async function newest(store: Store): Promise<unknown> {
  const [message] = await Array.fromAsync(store.messages.stream(SESSION, { limit: 1 }))
  return message?.parts[0] && "text" in message.parts[0] ? message.parts[0].text : undefined
}

test("what is appended is listed without writing down all that was read before, and others go on from there", async () => {
  const home = new Home(LINES)
  await using store = await home.open()
  expect(await newest(store)).toBe(`line ${LINES - 1}`)
  const { state } = home.stands()
  expect(state).toBe(home.stands().rows)
  for (let count = 1; count <= 6; count++) {
    home.append(1)
    expect(await newest(store)).toBe(`line ${LINES + count - 1}`)
  }
  expect(home.stands().state).toBe(state)
  expect(home.stands().rows).toBeGreaterThan(state ?? 0)
  home.append(1)
  let bytes = 0
  await using other = await home.open((more) => {
    bytes += more
  })
  expect(await newest(other)).toBe(`line ${LINES + 6}`)
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThan(1_400_000)
  expect(await other.messages.count(SESSION)).toBe(LINES + 7)
  expect((await other.verify()).differences).toEqual([])
  // So much that it is written down.
  home.append(1_600)
  expect(await newest(store)).toBe(`line ${LINES + 1_606}`)
  expect(home.stands().state).toBe(home.stands().rows)
  home.append(1)
  expect(await newest(store)).toBe(`line ${LINES + 1_607}`)
  expect((await store.verify()).differences).toEqual([])
})

test("rows that another process put, or another copy, are compared with what the transcript says now", async () => {
  const home = new Home(FEW)
  await using first = await home.open()
  await using second = await home.open()
  const both = [first, second]
  for (let count = 0; count < 6; count++) {
    home.append(1)
    for (const store of count % 2 === 0 ? both : both.toReversed())
      expect(await newest(store)).toBe(`line ${FEW + count}`)
  }
  // A copy that goes on takes the session over, and gives it back where the first goes on further.
  const copied = await Bun.file(home.path()).text()
  mkdirSync(dirname(home.path("-other")), { recursive: true })
  writeFileSync(home.path("-other"), copied)
  home.append(1, "-other")
  expect(await second.sessions.count()).toBe(1)
  expect(await newest(second)).toBe(`line ${FEW + 6}`)
  home.append(1)
  expect(await first.sessions.count()).toBe(1)
  expect(await newest(first)).toBe(`line ${FEW + 7}`)
  expect(await first.messages.count(SESSION)).toBe(FEW + 7)
  expect((await first.verify()).differences).toEqual([])
  expect((await second.verify()).differences).toEqual([])
})
