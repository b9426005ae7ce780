import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { homeOfAll } from "../support/home.ts"
import { copyOfTree, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "..", "..")

function example(name: string, argv: readonly string[], env = {}) {
  return Bun.spawn(["bun", join(ROOT, "examples", name), ...argv], {
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  })
}

test("an agent streams its answer into a store", async () => {
  const directory = join(tempFolder(), "storage")
  const child = example("streaming-agent.ts", [directory])
  expect(await new Response(child.stdout).text()).toBe("assistant text Files are the truth.\n")
  expect(await new Response(child.stderr).text()).toBe("")
  await using store = await openStore({ directory })
  expect(await store.sessions.count()).toBe(1)
})

test("a Hono server serves the page and the routes below a path", async () => {
  const child = example("hono-server.ts", [copyOfTree("opencode-1.1.65/storage"), "0"])
  try {
    const reader = child.stdout.getReader()
    let said = ""
    while (!said.includes("\n")) {
      const { value, done } = await reader.read()
      if (done) throw new Error(await new Response(child.stderr).text())
      said += new TextDecoder().decode(value)
    }
    const page = said.trim()
    expect(await (await fetch(page)).text()).toContain("<html")
    const sessions: unknown = await (await fetch(`${page}session`)).json()
    expect(sessions).toHaveLength(9)
    expect((await fetch(page.replace("history/", ""))).url).toBe(page)
  } finally {
    child.kill("SIGINT")
  }
  expect(await child.exited).toBe(0)
  expect(await new Response(child.stderr).text()).toBe("")
})

test("a script reads every history of a home", async () => {
  const none = ["XDG_DATA_HOME", "OPENCODE_DB", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"]
  const cleared = Object.fromEntries(none.map((name) => [name, ""]))
  const { home } = homeOfAll()
  const child = example("all-histories.ts", [], { ...cleared, HOME: home })
  const out = await new Response(child.stdout).text()
  expect(await new Response(child.stderr).text()).toBe("")
  for (const name of ["opencode", "claude-code", "codex", "gemini-cli"])
    expect(out).toContain(`${name}: ${home}`)
  expect(new Set([...out.matchAll(/^([a-z-]+) /gm)].map(([, name]) => name)).size).toBeGreaterThan(2)
})
