import { expect, test } from "bun:test"
import { cpSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { findSources, findStore, sourceAt, sourceNames, transcripts } from "../../src/index.ts"
import { AGENTS } from "../../src/root/transcript/agents.ts"
import { emptyHome, homeOfAll, opencodeOf } from "../support/home.ts"
import { session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder, treePath } from "../support/temp.ts"

test("a home without any history names where each agent would keep one", () => {
  const home = emptyHome()
  const at = (...path: string[]): string => join(home.home, ...path)
  expect(findSources(home)).toEqual([
    { name: "opencode", place: at(".local/share/opencode"), found: false },
    { name: "claude-code", place: at(".claude"), found: false },
    { name: "codex", place: at(".codex"), found: false },
    { name: "gemini-cli", place: at(".gemini"), found: false },
  ])
  expect(findStore(home)).toBe(at(".local/share/sessiondex"))
})

test("finds the histories of all agents, and changes nothing", () => {
  const home = homeOfAll()
  const before = snapshot(home.home)
  expect(findSources(home).map(({ name, found }) => [name, found])).toEqual([
    ["opencode", true],
    ["claude-code", true],
    ["codex", true],
    ["gemini-cli", true],
  ])
  expect(snapshot(home.home)).toEqual(before)
})

test("environment variables say where to look, on every system", () => {
  const home = "/home/dev"
  const environment = {
    XDG_DATA_HOME: "/data",
    OPENCODE_DB: "work.db",
    CLAUDE_CONFIG_DIR: "/claude",
    CODEX_HOME: "/codex",
    GEMINI_CLI_HOME: "/gemini",
  }
  const places = (found: ReturnType<typeof findSources>): string[] => found.map(({ place }) => place)
  for (const platform of ["linux", "darwin"] as const) {
    expect(places(findSources({ environment: {}, home, platform }))).toEqual([
      "/home/dev/.local/share/opencode",
      "/home/dev/.claude",
      "/home/dev/.codex",
      "/home/dev/.gemini",
    ])
    const found = findSources({ environment, home, platform })
    expect(places(found)).toEqual(["/data/opencode", "/claude", "/codex", "/gemini/.gemini"])
    expect(found[0]?.database).toBe("/data/opencode/work.db")
    expect(findStore({ environment, home, platform })).toBe("/data/sessiondex")
  }
  const windows = { environment: {}, home: "C:\\Users\\dev", platform: "win32" } as const
  expect(places(findSources(windows))).toEqual([
    "C:\\Users\\dev\\.local\\share\\opencode",
    "C:\\Users\\dev\\.claude",
    "C:\\Users\\dev\\.codex",
    "C:\\Users\\dev\\.gemini",
  ])
  expect(findStore(windows)).toBe("C:\\Users\\dev\\.local\\share\\sessiondex")
  const local = { LOCALAPPDATA: "C:\\Users\\dev\\AppData\\Local" }
  expect(findStore({ ...windows, environment: local })).toBe("C:\\Users\\dev\\AppData\\Local\\sessiondex")
})

test("a database in memory is none", () => {
  const home = { ...emptyHome(), environment: { OPENCODE_DB: ":memory:" } }
  expect(findSources(home)[0]).not.toHaveProperty("database")
})

test("both folders in which Claude Code's releases kept their history are read", () => {
  const home = homeOfAll()
  const later = join(home.home, ".config", "claude")
  cpSync(join(home.home, ".claude"), later, { recursive: true })
  const claude = (): string[] =>
    findSources(home).flatMap(({ name, place }) => (name === "claude-code" ? [place] : []))
  expect(claude()).toEqual([join(home.home, ".claude"), later])
  rmSync(join(home.home, ".claude"), { recursive: true })
  expect(claude()).toEqual([later])
})

test("the store is opencode's where it keeps JSON files, and ours once there is one", () => {
  const home = homeOfAll()
  const own = join(home.home, ".local/share/sessiondex")
  expect(findStore(home)).toBe(own)
  cpSync(treePath("opencode-1.1.65/storage"), join(opencodeOf(home), "storage"), { recursive: true })
  expect(findStore(home)).toBe(opencodeOf(home))
  // What was imported while opencode had no such folder is not to vanish when it makes one.
  put(own, "session/p/ses_1.json", session("ses_1"))
  expect(findStore(home)).toBe(own)
})

test("tells whose folder it is by its name, or by a transcript in it", () => {
  const { home } = homeOfAll()
  for (const [name, folder] of [
    ["claude-code", ".claude"],
    ["codex", ".codex"],
    ["gemini-cli", ".gemini"],
  ] as const) {
    expect(sourceAt(join(home, folder))).toBe(name)
    const backup = join(tempFolder(), "backup")
    cpSync(join(home, folder), backup, { recursive: true })
    expect(sourceAt(backup)).toBe(name)
    expect(sourceAt(`${backup}/`)).toBe(name)
  }
  const empty = join(tempFolder(), ".codex")
  mkdirSync(join(empty, "sessions"), { recursive: true })
  expect(sourceAt(empty)).toBe("codex")
  const other = tempFolder()
  for (const folder of ["tmp", "sessions", "projects"]) put(other, `${folder}/a/b.jsonl.txt`, "x")
  for (const folder of [other, join(home, "nowhere"), home, copyOfTree("opencode-1.1.65/storage")])
    expect(sourceAt(folder)).toBeUndefined()
})

test("the table has each agent under the name of its source", () => {
  expect(Object.entries(AGENTS).map(([name, { source }]) => [name, source])).toEqual(
    Object.keys(AGENTS).map((name) => [name, name]),
  )
  expect(sourceNames()).toEqual(["opencode", "claude-code", "codex", "gemini-cli"])
  expect(() => transcripts("toString" as "codex", "/x")).toThrow(TypeError)
})
