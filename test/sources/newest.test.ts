import { expect, test } from "bun:test"
import { join } from "node:path"
import { findSources, findStore, openStore } from "../../src/index.ts"
import { cliIn, lines } from "../cli/in-process.ts"
import { emptyHome, homeOfAll } from "../support/home.ts"
import { snapshot } from "../support/temp.ts"

test("without a command the newest sessions of all histories are listed", async () => {
  const home = homeOfAll()
  const before = snapshot(home.home)
  await using store = await openStore({
    directory: findStore(home),
    sources: findSources(home),
    backgroundIndex: false,
  })
  const newest = await Array.fromAsync(store.sessions.listWithOrigin({ limit: 20 }))
  expect(newest).toHaveLength(20)
  const { code, out, err } = await cliIn(home)
  expect({ code, err }).toEqual({ code: 0, err: "" })
  for (const [at, line] of out.trimEnd().split("\n").entries())
    expect(line).toContain(newest[at]?.session.id ?? "?")
  expect(lines((await cliIn(home, "--json")).out)).toEqual(newest)
  const codex = lines((await cliIn(home, "--json", "--source", `codex=${join(home.home, ".codex")}`)).out)
  expect(new Set((codex as { source: string }[]).map(({ source }) => source))).toEqual(new Set(["codex"]))
  expect(snapshot(home.home)).toEqual(before)
}, 60_000)

test("what is no command is misuse, with and without options before it", async () => {
  for (const argv of [["nonsense"], ["--json", "nonsense"], ["--dir", "/x", "nonsense"], ["--nonsense"]])
    expect({ argv, ...(await cliIn(emptyHome(), ...argv)) }).toMatchObject({ argv, code: 2, out: "" })
})

test("a command that is mistyped is told as one, with what may have been meant", () => {
  const main = join(import.meta.dir, "../../src/cli/main.ts")
  const { exitCode, stderr } = Bun.spawnSync(["bun", main, "--no-sources", "sesions"])
  expect(exitCode).toBe(2)
  expect(stderr.toString()).toContain("unknown command 'sesions'\n(Did you mean sessions?)")
})

test.each([[], ["sessions"], ["search", "x"], ["stats"], ["usage"], ["serve"], ["projects"], ["sources"]])(
  "in an empty home `%s` says what was looked for and where",
  async (...argv) => {
    const home = emptyHome()
    const before = snapshot(home.home)
    const { code, out, err } = await cliIn(home, ...argv.filter((word) => typeof word === "string"))
    expect({ code, out }).toEqual({ code: 1, out: "" })
    const places = [".local/share/opencode", ".claude", ".codex", ".gemini", ".local/share/sessiondex"]
    for (const folder of places) expect(err).toContain(join(home.home, folder))
    expect(snapshot(home.home)).toEqual(before)
  },
)
