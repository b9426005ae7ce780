import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { findStore, openStore, transcripts } from "../../src/index.ts"
import { cliHere, cliIn, lines } from "../cli/in-process.ts"
import { emptyHome, homeOfAll } from "../support/home.ts"
import { snapshot } from "../support/temp.ts"

const NAMES = ["opencode", "claude-code", "codex", "gemini-cli"]
const AGENTS = [
  ["claude-code", ".claude"],
  ["codex", ".codex"],
  ["gemini-cli", ".gemini"],
] as const

interface Listed {
  readonly session: { readonly id: string }
  readonly source: string
}

test("without a flag every history of the home is read, and nothing is made", async () => {
  const home = homeOfAll()
  const before = snapshot(home.home)
  const { code, out, err } = await cliIn(home, "--json", "sessions")
  expect({ code, err }).toEqual({ code: 0, err: "" })
  const all = lines(out) as Listed[]
  expect(new Set(all.map(({ source }) => source))).toEqual(new Set(NAMES))
  for (const name of NAMES) {
    const own = all.filter(({ source }) => source === name)
    expect(lines((await cliIn(home, "--json", "sessions", "--from", name)).out)).toEqual(own)
    const hits = lines((await cliIn(home, "--json", "search", "e", "--from", name)).out)
    expect(hits.length).toBeGreaterThan(0)
    for (const hit of hits) expect(hit).toMatchObject({ source: name })
    const id = own[0]?.session.id ?? ""
    for (const argv of [
      ["show", id],
      ["messages", id],
      ["export", id],
      ["export", "--markdown", id],
    ])
      expect({ argv, ...(await cliIn(home, ...argv)) }).toMatchObject({ argv, code: 0, err: "" })
  }
  expect(lines((await cliIn(home, "--json", "sources")).out)).toMatchObject(
    NAMES.map((source) => ({ source, state: "read", problems: [] })),
  )
  for (const argv of [["stats"], ["verify"]])
    expect({ argv, ...(await cliIn(home, ...argv)) }).toMatchObject({ argv, code: 0, err: "" })
  expect(snapshot(home.home)).toEqual(before)
}, 60_000)

test("--source and --dir name one history; --no-sources leaves the store alone", async () => {
  const home = homeOfAll()
  for (const [name, folder] of AGENTS) {
    const place = join(home.home, folder)
    const named = await cliIn(home, "--json", "sessions", "--source", `${name}=${place}`)
    expect(new Set((lines(named.out) as Listed[]).map(({ source }) => source))).toEqual(new Set([name]))
    expect((await cliIn(home, "--json", "--dir", place, "sessions")).out).toBe(named.out)
  }
  expect(await cliIn(home, "sessions", "--source", "other=/x")).toMatchObject({ code: 2 })
  expect(await cliIn(home, "sessions", "--no-sources")).toMatchObject({ code: 1, out: "" })
}, 60_000)

test("an empty home is told what was looked for and where", async () => {
  const home = emptyHome()
  const { code, out, err } = await cliIn(home, "--json", "sessions")
  expect({ code, out }).toEqual({ code: 1, out: "" })
  for (const folder of [".local/share/opencode", ".claude", ".codex", ".gemini", ".local/share/sessiondex"])
    expect(err).toContain(join(home.home, folder))
})

test("index keeps the indexes in the home's own store, and later commands use them", async () => {
  const home = homeOfAll()
  expect(await cliIn(home, "index")).toMatchObject({ code: 0 })
  expect(existsSync(join(findStore(home), ".sessiondex"))).toBe(true)
  const reports = lines((await cliIn(home, "--json", "sources")).out) as { source: string; state: string }[]
  expect(reports.filter(({ source }) => AGENTS.some(([name]) => name === source))).toMatchObject(
    AGENTS.map(([source]) => ({ source, state: "indexed" })),
  )
}, 60_000)

test.each(AGENTS)(
  "import --from %s copies its history; exported again it is the same",
  async (name, folder) => {
    const home = homeOfAll()
    const target = join(home.home, "target")
    const first = await cliIn(home, "--dir", target, "--json", "import", "--from", name)
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: "" })
    const again = await cliHere(target, "--json", "import", "--from", `${name}=${join(home.home, folder)}`)
    expect(lines(again.out)).toMatchObject([{ sessions: { added: 0, replaced: 0 }, records: { written: 0 } }])
    await using copy = await openStore({ directory: target, backgroundIndex: false })
    await using read = await openStore({
      directory: join(home.home, "none"),
      roots: [transcripts(name, join(home.home, folder))],
      backgroundIndex: false,
    })
    const ids = await Array.fromAsync(read.sessions.ids())
    expect(await Array.fromAsync(copy.sessions.ids())).toEqual(ids)
    for (const id of ids)
      expect((await Array.fromAsync(copy.export(id))).join("")).toBe(
        (await Array.fromAsync(read.export(id))).join(""),
      )
  },
  60_000,
)
