import { expect, test } from "bun:test"
import { join } from "node:path"
import { copyOfTree } from "../support/temp.ts"

const MAIN = join(import.meta.dir, "../../src/cli/main.ts")

function start(...argv: string[]) {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const child = Bun.spawn(["bun", MAIN, "--dir", directory, "serve", ...argv], {
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  })
  const reader = child.stdout.getReader()
  const line = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value).trimEnd()
  return { child, line }
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "serve prints its address, answers, and ends cleanly by %s",
  async (signal) => {
    const { child, line } = start("--port", "0")
    const url = await line()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(await (await fetch(`${url}session`)).json()).toBeArrayOfSize(9)
    expect(await (await fetch(url)).text()).toContain("<!doctype html>")
    // Also while someone listens.
    const events = await fetch(`${url}event`)
    await events.body?.getReader().read()
    child.kill(signal)
    expect(await child.exited).toBe(0)
    expect(await new Response(child.stderr).text()).toBe("")
  },
)

test("another address gets a token, made up where none is named; a removal needs --writable", async () => {
  const { child, line } = start("--port", "0", "--host", "0.0.0.0", "--json")
  const { url, token } = JSON.parse(await line()) as { url: string; token: string }
  const { port } = new URL(url)
  const at = `http://127.0.0.1:${port}/session`
  expect(token.length).toBeGreaterThan(30)
  const headers = { authorization: `Bearer ${token}` }
  expect((await fetch(at)).status).toBe(401)
  expect((await fetch(at, { headers })).status).toBe(200)
  expect((await fetch(`${at}/ses_x`, { method: "DELETE", headers })).status).toBe(405)
  child.kill()
  expect(await child.exited).toBe(0)
})

test("a port that is taken is told plainly; what makes no sense is misuse", async () => {
  const taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
  const { child } = start("--port", String(taken.port))
  expect(await child.exited).toBe(1)
  expect(await new Response(child.stderr).text()).toBe(
    `sessiondex: Port ${taken.port} is taken; choose another with --port\n`,
  )
  await taken.stop(true)
  const unknown = start("--host", "nowhere.invalid").child
  expect(await unknown.exited).toBe(1)
  expect(await new Response(unknown.stderr).text()).toBe(
    "sessiondex: There is no address nowhere.invalid to listen at\n",
  )
  for (const argv of [["--port", "x"], ["--port", "70000"], ["--token", "short"], ["--bogus"]])
    expect(await start(...argv).child.exited).toBe(2)
})
