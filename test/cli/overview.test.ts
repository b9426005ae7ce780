import { expect, test } from "bun:test"
import { mkdirSync, rmSync } from "node:fs"
import { findSources, findStore, type Message, openStore, type Usage } from "../../src/index.ts"
import { copyOfTranscripts, homeOfAll } from "../support/home.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { cliHere, cliIn, cliOnTerminal, lines, type Ran } from "./in-process.ts"

const FIGURES = ["messages", "input", "output", "reasoning", "cacheRead", "cacheWrite", "cost"] as const

test("usage adds up by day, month, model or source what the library gives", async () => {
  const directory = tempFolder()
  const place = copyOfTranscripts("gemini-cli")
  put(directory, "session/p/ses_1.json", session("ses_1"))
  for (const [at, modelID] of ["small", "large", "small"].entries())
    put(
      directory,
      `message/ses_1/msg_${at}.json`,
      message(`msg_${at}`, "ses_1", Date.UTC(2026, 8 + at, 15), {
        role: "assistant",
        modelID,
        providerID: "lab",
        cost: 0.25,
        tokens: { input: at + 1, output: 2, reasoning: 3, cache: { read: 4, write: 5 } },
      } as Partial<Message>),
    )
  await using store = await openStore({
    directory,
    sources: [{ name: "gemini-cli", place }],
    backgroundIndex: false,
  })
  const cli = (...argv: string[]): Promise<Ran> =>
    cliHere(directory, "--source", `gemini-cli=${place}`, "usage", ...argv)
  const usage = await store.usage()
  expect(new Set(usage.map(({ source }) => source)).size).toBe(2)
  const names: Record<string, (row: Usage) => string | null> = {
    day: ({ day }) => day,
    month: ({ day }) => day.slice(0, 7),
    model: ({ model }) => model,
    source: ({ source }) => source ?? null,
  }
  for (const [by, nameOf] of Object.entries(names)) {
    const rows = lines((await cli("--json", "--by", by)).out) as Record<string, unknown>[]
    expect(rows.map((row) => row[by])).toEqual(
      [...new Set(usage.map(nameOf))].sort((a, b) => ((a ?? "") < (b ?? "") ? -1 : 1)),
    )
    for (const row of rows)
      for (const figure of FIGURES)
        expect(row[figure]).toBeCloseTo(
          usage.filter((one) => nameOf(one) === row[by]).reduce((sum, one) => sum + one[figure], 0),
        )
  }
  const shown = (await cli("--by", "source")).out.trimEnd().split("\n")
  expect(shown[0]).toMatch(/^source +messages +input +output/)
  expect(shown.slice(1).map((line) => line.split(" ")[0])).toEqual(["gemini-cli", "json", "total"])
  expect(lines((await cli("--json", "--by", "model", "--from", "json")).out)).toMatchObject([
    { model: "large", messages: 1, input: 2, cost: 0.25 },
    { model: "small", messages: 2, input: 4, cacheRead: 8, cost: 0.5 },
  ])
  expect(lines((await cli("--json", "--from", "json", "--until", "2026-10-01")).out)).toHaveLength(1)
  expect((await cli("--json", "--since", "2099-01-01")).out).toBe("")
  expect(await cli("--by", "hour")).toMatchObject({ code: 2 })
}, 60_000)

test("problems lists what cannot be read, and is a finding where there is something", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  expect(await cliHere(directory, "problems")).toEqual({ code: 0, out: "", err: "" })
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  const path = put(directory, "message/ses_1/msg_2.json", "{ torn")
  const { code, out, err } = await cliHere(directory, "problems")
  expect({ code, err }).toEqual({ code: 1, err: "" })
  expect(out).toStartWith(`CORRUPT ${path}: `)
  expect(lines((await cliHere(directory, "--json", "problems")).out)).toMatchObject([
    { code: "CORRUPT", path },
  ])
  expect(await cliHere(directory, "problems", "--from", "codex")).toEqual({ code: 0, out: "", err: "" })
})

test("stats and sources of one source are of it alone", async () => {
  const home = homeOfAll()
  const stats = await cliIn(home, "stats", "--from", "codex")
  expect(stats).toMatchObject({ code: 0, err: "" })
  expect(stats.out).toStartWith(`also read: ${home.home}/.codex [codex]\n`)
  expect(stats.out.match(/also read/g)).toHaveLength(1)
  const all = (await cliIn(home, "stats")).out
  expect(all.match(/also read/g)).toHaveLength(4)
  expect(lines((await cliIn(home, "--json", "stats", "--from", "codex")).out)).toMatchObject([
    { kinds: {}, projects: [], alsoRead: [{ source: "codex" }] },
  ])
  for (const from of [["codex"], ["opencode", "codex"]]) {
    const flags = from.flatMap((name) => ["--from", name])
    expect(lines((await cliIn(home, "--json", "sources", ...flags)).out)).toMatchObject(
      from.map((source) => ({ source })),
    )
  }
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  expect(lines((await cliHere(directory, "--json", "stats", "--from", "json")).out)).toMatchObject([
    { kinds: { session: { files: 1 } } },
  ])
}, 60_000)

test("sources tells how far it has come before each place, and at the end", async () => {
  const home = homeOfAll()
  await using store = await openStore({
    directory: findStore(home),
    sources: findSources(home),
    backgroundIndex: false,
  })
  const told: unknown[] = []
  const reports = await Array.fromAsync(store.sources({ onProgress: (progress) => told.push(progress) }))
  const total = reports.length
  expect(total).toBe(4)
  expect(told).toEqual([
    ...reports.map(({ source, place }, done) => ({ done, total, next: { source, place } })),
    { done: total, total },
  ])
}, 60_000)

test("without a command the newest sessions are listed, and a store without any says so", async () => {
  const directory = tempFolder()
  put(directory, "session/.keep", "")
  const note = "No sessions yet. `sessiondex sources` shows where it looked.\n"
  expect(await cliHere(directory)).toEqual({ code: 0, out: "", err: note })
  expect(await cliOnTerminal(directory)).toEqual({ code: 0, out: "", err: note })
  expect(await cliHere(directory, "--json")).toEqual({ code: 0, out: "", err: note })
  for (let at = 1; at <= 21; at++)
    put(directory, `session/p/ses_${at}.json`, session(`ses_${at}`, { time: { created: at, updated: at } }))
  const { out, err } = await cliOnTerminal(directory)
  expect(out.trimEnd().split("\n")).toHaveLength(20)
  expect(out).toContain("ses_21")
  expect(out).not.toContain("ses_1 ")
  expect(err).toStartWith("These are the newest 20 sessions.")
  expect((await cliHere(directory)).err).toBe("")
})

test("a part of a session's id is answered with the ids that begin with it", async () => {
  const directory = tempFolder()
  for (const id of ["ses_1a", "ses_1b", "ses_1c", "ses_1d", "ses_2"])
    put(directory, `session/p/${id}.json`, session(id))
  for (const command of [["show"], ["messages"], ["export"], ["export", "--markdown"]]) {
    const ask = async (id: string): Promise<string> => {
      const { code, out, err } = await cliHere(directory, ...command, id)
      expect({ command, code, out }).toEqual({ command, code: 1, out: "" })
      expect(err).toStartWith(`sessiondex: NOT_FOUND: There is no session "${id}"\nsessiondex: `)
      return err.split("\n")[1] ?? ""
    }
    expect(await ask("ses_")).toMatch(/begin with it: (ses_\w+, ){3}…$/)
    expect(await ask("ses_2x")).toBe("sessiondex: `sessiondex sessions` lists all of them.")
    put(directory, "session/p/ses_3.json", session("ses_3"))
    expect(await ask("ses")).toContain("ses_3")
    expect(await ask("es_3")).not.toContain("ses_3")
  }
})

test("a history whose name nobody knows is misuse, and one that is not there is empty", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  for (const command of ["sessions", "projects", "sources", "usage", "stats", "problems", "search x"]) {
    const { code, out, err } = await cliHere(directory, ...command.split(" "), "--from", "claude")
    expect({ command, code, out }).toEqual({ command, code: 2, out: "" })
    expect(err).toContain("names are opencode, claude-code, codex, gemini-cli, json")
  }
  expect(await cliHere(directory, "sessions", "--from", "codex")).toEqual({ code: 0, out: "", err: "" })
  expect((await cliHere(directory, "sessions", "--from", "json")).out).toContain("ses_1")
  const wrong = await cliHere(directory, "import", "--from", "claude")
  expect(wrong.code).toBe(1)
  expect(wrong.err).toContain("Name a history (opencode, claude-code, codex, gemini-cli)")
})

test("orphans and verify name the command that comes next, and only where there is something to do", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  for (const command of ["orphans", "verify"]) {
    await cliHere(directory, "index")
    expect((await cliHere(directory, command)).err).toBe("")
  }
  put(directory, "message/ses_lost/msg_1.json", message("msg_1", "ses_lost", 1))
  expect((await cliHere(directory, "verify")).err).toContain("verify --repair")
  expect((await cliHere(directory, "verify", "--json")).err).toBe("")
  expect((await cliHere(directory, "orphans")).err).toMatch(/repair <session>.*prune --orphans/)
  expect((await cliHere(directory, "orphans", "--json")).err).toBe("")
  expect((await cliHere(directory, "verify", "--repair")).err).toBe("")
})

test("what hinders the indexes of all places is told once", async () => {
  const home = homeOfAll()
  const folder = tempFolder()
  const cli = (command: string): Promise<Ran> => cliIn(home, "--index-path", folder, command)
  await cli("index")
  const indexes = [...new Bun.Glob("**/index.sqlite").scanSync({ cwd: folder, absolute: true })]
  expect(indexes.length).toBeGreaterThan(2)
  for (const path of indexes) {
    for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true })
    mkdirSync(path)
  }
  const { code, err } = await cli("sessions")
  expect(code).toBe(0)
  expect(err.match(/index cannot be used/g)).toHaveLength(1)
})

test("a person at a terminal is told that there is nothing to show, and a script is not", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  const nothing: readonly (readonly [readonly string[], number, string])[] = [
    [["sessions", "--project", "other"], 0, "No sessions."],
    [["search", "nowhere"], 1, "Nothing found."],
    [["problems"], 0, "No problems."],
    [["orphans"], 0, "No orphans."],
    [["trash"], 0, "Nothing in the trash."],
  ]
  for (const [argv, code, note] of nothing) {
    expect(await cliOnTerminal(directory, ...argv)).toEqual({ code, out: "", err: `${note}\n` })
    expect(await cliHere(directory, ...argv)).toEqual({ code, out: "", err: "" })
    expect(await cliOnTerminal(directory, "--json", ...argv)).toEqual({ code, out: "", err: "" })
  }
  expect((await cliOnTerminal(directory, "sessions")).err).toBe("")
})
