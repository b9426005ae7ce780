import { expect, test } from "bun:test"
import { Api } from "../../page/api.ts"
import { Health, readIndexing } from "../../page/health.ts"
import { projectGroup } from "../../page/projects.ts"
import { resumeCommand } from "../../page/resume.ts"

test("a group of projects has its name, or that of its work tree; strange ones are none", () => {
  const projects = [{ source: "codex" }, { source: "opencode" }, { source: "codex" }]
  expect(projectGroup({ ids: ["f00", "app-1"], worktree: "/w/app", projects })).toEqual({
    ids: ["f00", "app-1"],
    name: "app",
    path: "/w/app",
    sources: ["codex", "opencode"],
  })
  const named = (body: object) => projectGroup({ ids: ["bare0123456789abc"], ...body })?.name
  expect([named({}), named({ worktree: "/" }), named({ worktree: "/w/app", name: "Shop" })]).toEqual([
    "bare01234567",
    "global",
    "Shop",
  ])
  for (const strange of [null, "x", {}, { ids: "x" }, { ids: [] }, { ids: [5] }])
    expect(projectGroup(strange)).toBeUndefined()
})

const ID = "01a21758-7a3c-7b42-aa10-81d63c413cc1"

test("the command that goes on with a session is its agent's own, in its directory", () => {
  const session = { id: ID, directory: "/home/dev/app" }
  expect(resumeCommand("codex", session)).toBe(`cd /home/dev/app && codex resume ${ID}`)
  expect(resumeCommand("claude-code", session)).toBe(`cd /home/dev/app && claude --resume ${ID}`)
  expect(resumeCommand("gemini-cli", session)).toBe(`cd /home/dev/app && gemini --resume ${ID}`)
  expect(resumeCommand("opencode", { id: "ses_1" })).toBe("opencode -s ses_1")
  expect(resumeCommand("codex", { ...session, time: { archived: 5 } })).toBe(
    `cd /home/dev/app && codex unarchive ${ID} && codex resume ${ID}`,
  )
  const child = { ...session, parentID: "parent" }
  expect(resumeCommand("opencode", child)).toBe(`cd /home/dev/app && opencode -s ${ID}`)
  for (const source of ["codex", "claude-code", "gemini-cli"])
    expect(resumeCommand(source, child)).toBeUndefined()
  for (const source of ["json", "", "toString", "other"])
    expect(resumeCommand(source, session)).toBeUndefined()
})

test("a shell takes the directory as one word, whatever it is called", async () => {
  for (const directory of [
    "/tmp/a b",
    "/tmp/it's",
    "/tmp/$(id)`id`",
    '/tmp/"x"\\',
    "/tmp/-n;ls",
    "/tmp/ümläut*",
  ]) {
    const command = resumeCommand("codex", { id: ID, directory }) ?? ""
    const shell = Bun.spawn(["sh", "-c", command.replace(/^cd /, "printf %s ").replace(/ && .*$/s, "")])
    expect(await new Response(shell.stdout).text()).toBe(directory)
  }
  expect(resumeCommand("codex", { id: ID, directory: "C:\\Users\\it’s o'k" })).toBe(
    `cd 'C:\\Users\\it’’s o''k'; codex resume ${ID}`,
  )
  expect(resumeCommand("codex", { id: ID, directory: "C:\\work" })).toBe(`cd C:\\work; codex resume ${ID}`)
})

test("nothing is offered to be pasted that holds what one cannot see, or is taken for an option", () => {
  for (const unseen of ["\u001b[201~", "\n", "\u202e", "\u0000", "\u2028", "\ud800"])
    expect(resumeCommand("codex", { id: ID, directory: `/a${unseen}b` })).toBeUndefined()
  for (const id of ["", "-x", "a b", "a;b", "$(id)", "a\nb", "../x"])
    expect(resumeCommand("codex", { id, directory: "/a" })).toBeUndefined()
  expect(resumeCommand("codex", { id: ID, directory: "~/x; rm" })).toBe(`codex resume ${ID}`)
})

test("indexing is told of the first place that is being indexed, and how far it is where that is known", () => {
  const running = (progress?: object) => ({ state: "running", ...(progress && { progress }) })
  expect(readIndexing({ backgroundIndex: { state: "done" } })).toBeUndefined()
  expect(readIndexing({})).toBeUndefined()
  const codex = (done: number) => ({
    directory: "/c",
    backgroundIndex: running({ kind: "session", done, total: 4 }),
  })
  const sources = [
    { source: "opencode", place: "/o" },
    { source: "codex", place: "/c" },
  ]
  expect(readIndexing({ backgroundIndex: { state: "waiting" }, alsoReading: [codex(1)], sources })).toEqual({
    source: "codex",
    kind: "sessions",
    done: 1,
    total: 4,
  })
  const texts = { kind: "texts", done: 0, total: undefined }
  expect(readIndexing({ alsoReading: [codex(4)], sources })).toEqual({ source: "codex", ...texts })
  expect(
    readIndexing({ backgroundIndex: running(), alsoReading: [codex(1)], sources: sources.slice(1) }),
  ).toEqual({
    source: undefined,
    ...texts,
  })
})

test("the health is asked again until all is indexed, and counts that it came to its end", async () => {
  const states = ["running", "running", "done"]
  class Indexing extends Api {
    override async object() {
      return {
        backgroundIndex: { state: states.shift() },
        sources: [{ source: "codex" }, { source: "codex" }],
      }
    }
  }
  const health = new Health(new Indexing("http://localhost/"))
  await health.look()
  expect([health.indexing?.kind, health.finished, health.sources]).toEqual(["texts", 0, ["codex"]])
  while (health.finished === 0) await new Promise<void>((resolve) => health.watch(resolve))
  expect([health.indexing, states]).toEqual([undefined, []])
})
