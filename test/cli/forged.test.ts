import { expect, test } from "bun:test"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { put, tempFolder } from "../support/temp.ts"
import { cliHere, cliOnTerminal, lines } from "./in-process.ts"

/** Whatever ends a line or a row somewhere, hides what follows or turns it around, drives a terminal, or is seen as nothing. */
const BREAKING = [
  "\n",
  "\r",
  "\r\n",
  "\u000b",
  "\u000c",
  "\u0085",
  "\u2028",
  "\u2029",
  "\u001b[2K\u001b[1G",
  "\u009b2K",
  "\b\b\b",
]
const HIDING = [
  "\u202e",
  "\u202d",
  "\u2066",
  "\u2067",
  "\u200e",
  "\u200f",
  "\u061c",
  "\u200b",
  "\u2060",
  "\ufeff",
  "\u3164",
  "\u{e0041}",
  "\u007f",
  "\u0000",
  "\t",
]
const FORGED = "FORGED"
const TEXT = [...BREAKING, ...HIDING].map((each) => `${each}${FORGED}`).join("")
/** What may stand in a file's name. */
const NAME = `x\u2028${FORGED}\u202e${FORGED}\u200b${FORGED}\u2066`

/** What may be in no row, but for the line's end. */
const NOT_IN_ROWS =
  /[[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\u{e0000}-\u{e007f}]--\n]/v
/** What may be in no text of several lines. */
const NOT_IN_TEXT = /[[\p{Cc}\u2028-\u202e\u2066-\u2069]--[\n\t]]/v
const NOT_IN_JSON = /[[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]--\n]/v

const SESSION = `ses_${NAME}`
const MESSAGE = `msg_${NAME}`

/** A store below a folder of such a name, in which every text is one that forges. */
function hostileStore(): string {
  const directory = join(tempFolder(), `a\n${FORGED}\u001b[2K\u009b\u202e`, "storage")
  mkdirSync(directory, { recursive: true })
  const time = { created: 1_700_000_000_000, updated: 1_700_000_000_000, start: 5, end: 6 }
  const session = { title: `needle${TEXT}`, directory: TEXT, version: TEXT, time, parentID: TEXT }
  put(directory, `session/p_${NAME}/${SESSION}.json`, session)
  put(directory, `session/q_${NAME}/${SESSION}.json`, session)
  put(directory, `session/p_${NAME}/ses_torn${NAME}.json`, "{")
  put(directory, `message/${SESSION}/${MESSAGE}.json`, {
    role: TEXT,
    modelID: TEXT,
    time,
    error: { name: TEXT, data: { message: TEXT } },
  })
  put(directory, `message/${SESSION}/msg_torn${NAME}.json`, "{")
  put(directory, `message/ses_gone${NAME}/msg_2.json`, { role: "user", time })
  put(directory, `todo/ses_gone${NAME}.json`, [])
  put(directory, `project/p_${NAME}.json`, { name: TEXT, worktree: TEXT })
  for (const [at, part] of [
    { type: "text", text: `needle${TEXT}` },
    { type: "reasoning", text: TEXT },
    { type: "tool", tool: TEXT, state: { status: TEXT, title: TEXT, output: TEXT, time } },
    { type: "tool", tool: TEXT, state: { status: "error", input: { [TEXT]: TEXT }, error: TEXT } },
    { type: "file", filename: TEXT, mime: TEXT },
    { type: "file", mime: TEXT },
    { type: "patch", files: [TEXT, TEXT] },
    { type: "subtask", agent: TEXT, description: TEXT },
    { type: "retry", error: { message: TEXT } },
  ].entries())
    put(directory, `part/${MESSAGE}/prt_${at}${NAME}.json`, part)
  return directory
}

/** Whether any line begins with what a text tried to put there. */
const isForged = (text: string): boolean => new RegExp(`^\\s?${FORGED}`, "m").test(text)

test("no text of a record or name of a folder passes for a row, moves the cursor or turns what follows it", async () => {
  const directory = hostileStore()
  const elsewhere = hostileStore()
  const exported = put(directory, "../export.json", (await cliHere(directory, "export", SESSION)).out)
  const rows = async (...argv: string[]): Promise<void> => {
    const { out, err } = await cliHere(directory, ...argv)
    expect([argv[0], NOT_IN_ROWS.exec(out + err)?.[0], isForged(out) || isForged(err)]).toEqual([
      argv[0],
      undefined,
      false,
    ])
  }
  for (const argv of [
    ["sessions"],
    ["--also-read", elsewhere, "sessions"],
    ["--also-read", elsewhere, "stats"],
    ["--also-read", join(elsewhere, `no\n${FORGED}`), "sessions"],
    ["search", "needle"],
    ["stats"],
    ["index"],
    ["verify"],
    ["rebuild"],
    ["orphans"],
    ["messages", `no\n${FORGED}`],
    ["show", `no\u0085\u202e${FORGED}`],
    ["export", `no\u2028${FORGED}`],
    ["export", SESSION, "-o", `${directory}/../out.json`],
    ["export", "--all", `${directory}/../copy`],
    ["import", exported, "--dry-run"],
    ["import", `${directory}/no\n${FORGED}`],
    ["prune", "--keep", "0", "--dry-run"],
    ["prune", "--orphans", "--dry-run"],
    ["move", SESSION, `r_${NAME}`],
    ["prune", "--keep", "0", "--orphans", "--yes"],
    ["trash"],
    ["restore", "--all"],
  ])
    await rows(...argv)
  expect((await cliHere(directory, "sessions")).out).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d {2}ses_x/)
}, 30_000)

test("transcripts keep their lines, indented, and nothing else that a terminal obeys", async () => {
  const directory = hostileStore()
  for (const argv of [
    ["show", SESSION],
    ["messages", SESSION],
    ["export", SESSION, "--markdown"],
  ]) {
    const { code, out, err } = await cliHere(directory, ...argv)
    expect([argv[0], code > 1, NOT_IN_TEXT.exec(out + err)?.[0]]).toEqual([argv[0], false, undefined])
    if (argv[0] !== "export") expect(/^FORGED/m.test(out)).toBe(false)
    // Of the parts of a transcript only texts have several lines.
    else
      expect(
        out
          .split("\n")
          .filter((line) => line.startsWith("#"))
          .every((line) => line.includes(FORGED)),
      ).toBe(true)
  }
})

test("--json holds every character of a record, and none that a terminal obeys", async () => {
  const directory = hostileStore()
  const [listed] = lines((await cliHere(directory, "sessions", "--json")).out)
  const session: unknown = JSON.parse(
    readFileSync(join(directory, `session/q_${NAME}/${SESSION}.json`), "utf8"),
  )
  expect(listed).toEqual({ ...(session as object), id: SESSION, projectID: `q_${NAME}` })
  for (const argv of [
    ["sessions"],
    ["show", SESSION],
    ["messages", SESSION],
    ["search", "needle"],
    ["stats"],
    ["index"],
    ["verify"],
    ["orphans"],
    ["export", SESSION],
    ["prune", "--keep", "0", "--dry-run"],
  ]) {
    const { out } = await cliHere(directory, ...argv, "--json")
    expect([argv[0], NOT_IN_JSON.exec(out)?.[0]]).toEqual([argv[0], undefined])
    lines(out)
  }
  const piped = (await cliHere(directory, "export", SESSION)).out
  const shown = (await cliOnTerminal(directory, "export", SESSION)).out
  expect(NOT_IN_JSON.exec(shown)?.[0]).toBeUndefined()
  expect(JSON.parse(shown)).toEqual(JSON.parse(piped))
  expect(piped).toContain("\u009b2K")
})

test("what is rightly unseen stays: joined emoji, flags, letters joined and parted", async () => {
  const directory = tempFolder()
  const title = "👩‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم ﷽ שלום co\u00adop"
  put(directory, "session/p/ses_1.json", { title, time: { created: 1, updated: 1 } })
  expect((await cliHere(directory, "sessions")).out).toEndWith(`  ses_1  ${title}\n`)
})
