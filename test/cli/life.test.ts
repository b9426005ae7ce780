import { expect, test } from "bun:test"
import { lstatSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { all, message, part, session } from "../support/records.ts"
import { copyOfTree, put, snapshot, tempFolder } from "../support/temp.ts"

const MAIN = join(import.meta.dir, "../../src/cli/main.ts")
const programPath = bytecodeOf(join(import.meta.dir, "../../src/cli/start.ts"))
const PARENT = "ses_dfbe69539ffe0kYvt366K0RuX7"

async function cli(
  directory: string,
  argv: readonly string[],
  input = "",
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn(["bun", programPath(), "--dir", directory, ...argv], {
    env: SHORT_LIVED,
    stdout: "pipe",
    stderr: "pipe",
    stdin: new Blob([input]),
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, err }
}

function lines(out: string): Record<string, unknown>[] {
  return out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test("export to a file, a pipe and Markdown; import from both; move", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const file = join(tempFolder(), "export.json")
  const piped = await cli(directory, ["export", PARENT])
  expect(piped.code).toBe(0)
  const [told] = lines((await cli(directory, ["export", PARENT, "-o", file, "--json"])).out)
  expect(told).toMatchObject({ output: file, messages: 3, left: [] })
  expect(readFileSync(file, "utf8")).toBe(piped.out)
  const line = await cli(directory, ["export", PARENT, "--json"])
  expect(lines(line.out)).toEqual([JSON.parse(piped.out)])
  expect((await cli(directory, ["export", PARENT, "--json", "--markdown"])).code).toBe(2)
  // A pipe is written to; it is not replaced by a file.
  const pipe = join(tempFolder(), "pipe")
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0)
  const reader = Bun.spawn(["cat", pipe], { stdout: "pipe" })
  expect((await cli(directory, ["export", PARENT, "-o", pipe])).code).toBe(0)
  expect(lstatSync(pipe).isFIFO()).toBe(true)
  expect(await new Response(reader.stdout).text()).toBe(piped.out)
  const markdown = await cli(directory, ["export", PARENT, "--markdown"])
  expect(markdown.out).toStartWith("# ")
  expect(markdown.out).toContain("\n## assistant (")
  expect(markdown.out).toContain("```json\n")
  const copy = join(tempFolder(), "new")
  const [added] = lines((await cli(copy, ["import", "-", "--json"], `Exporting session\n${piped.out}`)).out)
  expect(added).toMatchObject({ sessionID: PARENT, added: 12, unchanged: 0 })
  expect((await cli(copy, ["import", file])).out).toContain("12 were there already")
  await using store = await openStore({ directory: copy, backgroundIndex: false })
  await store.sessions.update(PARENT, (draft) => {
    draft.title = "mine"
  })
  const clash = await cli(copy, ["import", file])
  expect([clash.code, clash.err.includes("CONFLICT"), clash.err.includes("--on-conflict")]).toEqual([
    1,
    true,
    true,
  ])
  expect((await cli(copy, ["import", file, "--on-conflict", "replace"])).code).toBe(0)
  expect((await cli(copy, ["move", PARENT, "elsewhere"])).code).toBe(0)
  expect(await all(store.sessions.ids({ projectID: "elsewhere" }))).toEqual([PARENT])
  expect((await cli(directory, ["export"])).code).toBe(2)
  expect((await cli(copy, ["import"])).code).toBe(2)
}, 60_000)

test("an export that lacks something is a failure; an interrupted prune says so in one line", async () => {
  const directory = tempFolder()
  // More is told of than a pipe holds, so that it cannot be done when the signal comes.
  for (let n = 0; n < 300; n++)
    put(directory, `session/p/ses_${n}.json`, session(`ses_${n}`, { title: "x".repeat(2000) }))
  const torn = put(directory, "message/ses_0/msg_1.json", "{ torn")
  const lacking = await cli(directory, ["export", "ses_0", "--json"])
  expect([lacking.code, lines(lacking.out)]).toMatchObject([1, [{ messages: [] }]])
  expect(lacking.err).toContain("lacks 1 record")
  rmSync(torn)
  const child = Bun.spawn(["bun", MAIN, "--dir", directory, "prune", "--keep", "0", "-y", "--json"], {
    stdout: "pipe",
    stderr: "pipe",
  })
  const reader = child.stdout.getReader()
  await reader.read()
  child.kill("SIGINT")
  while (!(await reader.read()).done);
  expect(await child.exited).toBe(1)
  expect(await new Response(child.stderr).text()).toBe(
    "sessiondex: Interrupted; the next run goes on from here\n",
  )
  await using store = await openStore({ directory, backgroundIndex: false })
  const entries = await all(store.trash.list())
  expect(entries.length).toBeLessThan(300)
  expect(entries.filter(({ whole }) => !whole)).toEqual([])
  expect(entries.length + (await store.sessions.count())).toBe(300)
}, 60_000)

test("prune says what would go, needs a yes, and restore brings it back; stats and trash tell of it", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  put(directory, "todo/ses_gone.json", [])
  const files = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(snapshot(directory)).filter(
        ([path, content]) => content !== "folder" && !path.startsWith("."),
      ),
    )
  const whole = files()
  expect((await cli(directory, ["prune"])).code).toBe(2)
  expect((await cli(directory, ["prune", "--older-than", "soon"])).code).toBe(2)
  const unasked = await cli(directory, ["prune", "--keep", "6"])
  expect(unasked.code).toBe(2)
  expect(unasked.err).toContain("3 sessions")
  expect(files()).toEqual(whole)
  const dry = lines((await cli(directory, ["prune", "--keep", "6", "--dry-run", "--json"])).out)
  expect(dry).toHaveLength(4)
  expect(files()).toEqual(whole)
  const ran = lines((await cli(directory, ["prune", "--keep", "6", "--yes", "--json"])).out)
  expect(ran.map(({ id }) => id)).toEqual(dry.map(({ id }) => id))
  expect(ran.at(-1)).toEqual(dry.at(-1) ?? {})
  expect((await cli(directory, ["prune", "--orphans", "-y"])).out).toContain("orphans of 1")
  const trash = lines((await cli(directory, ["trash", "--json"])).out)
  expect(trash).toHaveLength(4)
  // One whose clock was ahead is listed like the others.
  const [newest] = trash
  const manifest = join(String(newest?.path), "trashed.json")
  put(manifest, "", { ...JSON.parse(readFileSync(manifest, "utf8")), removed: Date.now() + 1e9 })
  expect(lines((await cli(directory, ["trash", "--json"])).out)).toHaveLength(4)
  const stats = await cli(directory, ["stats"])
  expect(stats.out).toContain("month last used")
  expect(stats.out).toContain("of 4 removed sessions")
  expect((await cli(directory, ["restore", "nope"])).code).toBe(1)
  expect((await cli(directory, ["restore"])).code).toBe(2)
  expect((await cli(directory, ["restore", "--all"])).code).toBe(0)
  expect(files()).toEqual(whole)
  await cli(directory, ["prune", "--max-size", "10kB", "--purge", "--yes"])
  expect(lines((await cli(directory, ["trash", "--json"])).out)).toEqual([])
  await cli(directory, ["prune", "--keep", "0", "--yes"])
  expect((await cli(directory, ["trash", "empty"])).code).toBe(2)
  expect((await cli(directory, ["trash", "empty", "--yes"])).code).toBe(0)
  expect(Object.keys(files()).filter((path) => /^(?:session|message|part)\//.test(path))).toEqual([])
}, 60_000)

test("a session whose file is gone is exported, and repaired once that is asked for", async () => {
  const directory = tempFolder()
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1_700_000_000_000))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1", "fix the parser"))
  const lost = await cli(directory, ["export", "ses_1", "--json"])
  expect(JSON.parse(lost.out)).toMatchObject({ info: { title: "fix the parser", projectID: "global" } })
  expect(lost).toMatchObject({ code: 0, err: expect.stringContaining("own file is gone") })
  const markdown = await cli(directory, ["export", "ses_1", "--markdown"])
  expect(markdown).toMatchObject({ code: 0, err: expect.stringContaining("own file is gone") })
  expect(markdown.out).toContain("# fix the parser")
  const path = join(directory, "session/global/ses_1.json")
  const dry = await cli(directory, ["repair", "ses_1", "--dry-run", "--json"])
  expect(JSON.parse(dry.out)).toMatchObject({ path, dryRun: true, session: { id: "ses_1" } })
  expect((await cli(directory, ["sessions", "--json"])).out).toBe("")
  expect(await cli(directory, ["repair", "ses_1"])).toMatchObject({
    code: 0,
    out: expect.stringContaining(`written: ${path}`),
  })
  expect((await cli(directory, ["sessions", "--json"])).out).toContain("fix the parser")
  const again = await cli(directory, ["repair", "ses_1", "--project", "other"])
  expect(again).toMatchObject({ code: 1, out: "", err: expect.stringContaining("CONFLICT") })
  expect((await cli(directory, ["repair", "ses_2"])).code).toBe(1)
})
