import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Session } from "../../src/index.ts"
import { builtCli } from "../support/built-cli.ts"
import { SHORT_LIVED } from "../support/bytecode.ts"
import { olderData, olderRecords, storedRecords } from "../support/older.ts"
import { copyOfTree, put, snapshot, tempFolder, treePath } from "../support/temp.ts"

const MAIN = join(import.meta.dir, "../../src/cli/main.ts")
// The other files of the command line have theirs on the disk.
// What a package holds of it; the other files run its sources.
const programPath = builtCli()
const ANSWERS = treePath("opencode-1.1.65/answers")

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function cli(directory: string, ...argv: string[]): Promise<Ran> {
  const child = Bun.spawn(["bun", programPath(), "--dir", directory, ...argv], {
    env: SHORT_LIVED,
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, err }
}

async function json(directory: string, ...argv: string[]): Promise<unknown[]> {
  const { code, out } = await cli(directory, ...argv, "--json")
  expect(code).toBe(0)
  return out
    .split("\n")
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line))
}

interface Listed {
  readonly session: Session
  readonly origin: string
}

function answer<T>(name: string): T {
  return JSON.parse(readFileSync(join(ANSWERS, name), "utf8")) as T
}

test("the fixture of release 1.1.65 is answered as that release answered it, body for body", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  let compared = 0
  for (const name of ["sessions-app.json", "sessions-lib.json"]) {
    const expected = answer<Session[]>(name)
    const project = expected[0]?.projectID ?? ""
    expect(await json(directory, "sessions", "--order", "created", "--project", project)).toEqual(expected)
    const byUpdate = (await json(directory, "sessions", "--project", project)) as Session[]
    expect(byUpdate.toSorted((a, b) => b.time.created - a.time.created)).toEqual(expected)
    expect(byUpdate).toEqual(byUpdate.toSorted((a, b) => b.time.updated - a.time.updated))
    compared += expected.length
  }
  expect(compared).toBe(9)
  for (const file of readdirSync(ANSWERS)) {
    const [, kind, id = ""] = /^(messages|children)-(.*)\.json$/.exec(file) ?? []
    if (!kind) continue
    compared++
    const expected = answer<Session[]>(file)
    if (kind === "messages") expect(await json(directory, "messages", id)).toEqual(expected)
    else {
      const children = (await json(directory, "sessions", "--parent", id)) as Session[]
      const byId = (a: Session, b: Session): number => (a.id < b.id ? -1 : 1)
      expect(children.sort(byId)).toEqual(expected.sort(byId))
    }
  }
  expect(compared).toBe(9 + 18)
}, 60_000)

test("messages --limit prints the newest, oldest first", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const id = "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"
  const expected = answer<unknown[]>(`messages-${id}.json`)
  expect(await json(directory, "messages", id, "--limit", "3")).toEqual(expected.slice(-3))
})

test("index --json is one object with the promised fields, exit 1 where something is unreadable", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const [result] = await json(directory, "index")
  expect(result).toEqual({
    sessions: 9,
    messages: 40,
    parts: 107,
    read: 156,
    unreadable: [],
    elapsedMs: expect.any(Number),
    textsMs: expect.any(Number),
  })
  const path = put(directory, "message/ses_x/msg_x.json", "{ torn")
  const { code, out } = await cli(directory, "index", "--json")
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({
    messages: 41,
    unreadable: [{ path, code: "CORRUPT", message: expect.any(String) }],
  })
})

test("with --json standard output carries JSON lines only, also amid trouble", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  put(directory, "session/p/ses_torn.json", "{ torn")
  for (const argv of [["sessions"], ["stats"], ["show", "ses_dfbe6a4e1ffeIeM8GwmO4ELkWY"]]) {
    const { out } = await cli(directory, ...argv, "--json")
    for (const line of out.trimEnd().split("\n")) expect(typeof JSON.parse(line)).toBe("object")
  }
})

test("show is a transcript without any escape codes where no terminal reads it", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  put(directory, "part/msg_2041983210018necjwRA25D184/prt_x.json", {
    type: "text",
    text: "\u{1b}[31mred\u{1b}[0m \u{7} bell",
  })
  const { code, out } = await cli(directory, "show", "ses_dfbe67d43ffe4xSr3sG1JXYAlw")
  expect(code).toBe(0)
  expect(out).toContain("bash completed")
  expect(out).toContain("assistant  2026-11-22")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
})

test("stats counts by kind and project", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  put(directory, "part/msg_none/prt_1.json", { type: "text" })
  const [stats] = await json(directory, "stats")
  expect(stats).toMatchObject({
    kinds: {
      session: { files: 9 },
      message: { files: 40 },
      part: { files: 108 },
      todo: { files: 2 },
      session_diff: { files: 9 },
    },
    projects: [
      { sessions: { files: 5 } },
      { sessions: { files: 4 } },
      { project: null, parts: { files: 1 } },
    ],
  })
})

test("verify, rebuild and orphans: one object, exit 1 where something differs", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  await json(directory, "index")
  const [verified] = await json(directory, "verify")
  expect(verified).toMatchObject({
    ok: true,
    checked: { sessions: 9, messages: 40, parts: 107 },
    differences: [],
  })
  const path = put(directory, "message/ses_x/msg_x.json", { role: "user", time: { created: 1 } })
  const { code, out } = await cli(directory, "verify", "--json")
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ ok: false, differences: [{ path, kind: "unindexed" }] })
  const [repaired] = await json(directory, "verify", "--repair")
  expect(repaired).toMatchObject({ ok: true })
  const [rebuilt] = await json(directory, "rebuild")
  expect(rebuilt).toMatchObject({ sessions: 9, messages: 41, parts: 107, read: 157 })
  expect(await json(directory, "orphans")).toEqual([
    { kind: "message", key: ["message", "ses_x", "msg_x"], path },
  ])
})

test("import --older copies the history beside the store, and again copies nothing; --json tells the origin", async () => {
  const { directory, older } = olderData()
  const before = snapshot(older)
  const listed = (await json(directory, "sessions")) as Listed[]
  expect(listed.map(({ origin }) => origin)).toEqual(Array(9).fill(older))
  expect((await cli(directory, "sessions")).out).toContain(`[opencode ${older}]`)
  expect(await json(directory, "sessions", "--no-older")).toEqual([])
  const done = { copied: { sessions: 9, messages: 26, parts: 43 }, present: { sessions: 0 }, unreadable: [] }
  expect(await json(directory, "import", "--older")).toMatchObject([done])
  expect(storedRecords(directory)).toEqual(olderRecords(older))
  const again = await cli(directory, "import", "--older")
  expect(again).toMatchObject({ code: 0, err: "" })
  expect(again.out).toContain("copied 0 sessions, 0 messages, 0 parts (0 B)")
  expect(again.out).toContain("there already: 9 sessions, 26 messages, 43 parts")
  const imported = (await json(directory, "sessions")) as Listed[]
  expect(imported).toEqual(listed.map(({ session }) => ({ session, source: "json", origin: directory })))
  expect(snapshot(older)).toEqual(before)
  const elsewhere = join(tempFolder(), "new", "storage")
  expect(await json(elsewhere, "import", "--older", older)).toMatchObject([done])
  const torn = put(older, "x/storage/session/info/ses_torn.json", "{ torn")
  const { code, out } = await cli(directory, "import", "--older")
  expect(code).toBe(1)
  expect(out).toContain(`CORRUPT ${torn}`)
})

test("--also-read lists other stores too, each session once, from where it is newest", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const backup = copyOfTree("opencode-1.1.65/storage")
  const [first] = (await json(directory, "sessions")) as Session[]
  put(backup, `session/${first?.projectID}/${first?.id}.json`, {
    ...first,
    title: "newer there",
    time: { created: 1, updated: 2 ** 41 },
  })
  const both = (await json(directory, "--also-read", backup, "sessions")) as Listed[]
  expect(both).toHaveLength(9)
  expect(both[0]).toMatchObject({ session: { id: first?.id, title: "newer there" }, origin: backup })
  expect(both.slice(1).map(({ origin }) => origin)).toEqual(Array(8).fill(directory))
  expect(await json(directory, "--also-read", backup, "show", first?.id ?? "")).toMatchObject([
    { session: { id: first?.id }, source: "json", origin: backup },
    ...Array(count(backup, first?.id ?? "")).fill({}),
  ])
  const { out } = await cli(directory, "--also-read", backup, "stats")
  expect(out).toContain(`also read: ${backup}`)
  expect(await cli(directory, "--also-read", join(backup, "nowhere"), "sessions")).toMatchObject({ code: 1 })
})

function count(directory: string, session: string): number {
  return readdirSync(join(directory, "message", session)).length
}

test.each([
  [["--help"], 0],
  [["sessions", "--help"], 0],
  [["--version"], 0],
  [["show", "ses_none"], 1],
  [["messages", "ses_none"], 1],
  [[], 0],
  [["bogus"], 2],
  [["sessions", "--bogus"], 2],
  [["sessions", "--limit", "-1"], 2],
  [["sessions", "--archived", "maybe"], 2],
  [["sessions", "--roots", "--parent", "x"], 2],
  [["show"], 2],
  [["import"], 2],
  [["import", "--older"], 1],
  [["show", "../../etc/passwd"], 2],
])("%j ends with %d", async (argv, code) => {
  const ran = await cli(copyOfTree("opencode-1.1.65/storage"), ...argv)
  expect(ran.code).toBe(code)
  expect(ran.out + ran.err).not.toMatch(/\n {4}at /)
})

test("a folder that is not there is told plainly; SESSIONDEX_DIR names the store too", async () => {
  const nowhere = join(tempFolder(), "nowhere")
  expect(await cli(nowhere, "sessions")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining(nowhere),
  })
  const child = Bun.spawn(["bun", MAIN, "sessions"], {
    stdout: "pipe",
    env: { ...process.env, SESSIONDEX_DIR: copyOfTree("opencode-1.1.65/storage") },
  })
  expect((await new Response(child.stdout).text()).trim().split("\n")).toHaveLength(9)
})

test("a reader that has seen enough is no failure", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const child = Bun.spawn(
    [
      "bash",
      "-o",
      "pipefail",
      "-c",
      `bun ${MAIN} --dir ${directory} show ses_dfbe6a4e1ffeIeM8GwmO4ELkWY | head -n 1`,
    ],
    { stdout: "pipe", stderr: "pipe" },
  )
  expect((await new Response(child.stdout).text()).trim()).not.toBe("")
  expect(await new Response(child.stderr).text()).toBe("")
})
