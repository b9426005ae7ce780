import { afterAll, beforeAll, expect, test } from "bun:test"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { copyOfTree } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "..", "..")
const BIN = "src/cli/main.ts"
/** What a clone has not, or a package need not be made of. */
const LEFT_OUT = new Set([".git", "node_modules", "dist", "bench", "test"])
const OTHER = 'throw new Error("What lies in dist runs")'

const folder = mkdtempSync(join(tmpdir(), "sessiondex-test-"))
const clone = join(folder, "clone")
const installed = join(folder, "package")

async function run(command: readonly string[], cwd: string) {
  const child = Bun.spawn([...command], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, err }
}

beforeAll(async () => {
  mkdirSync(clone)
  for (const name of readdirSync(ROOT))
    if (!LEFT_OUT.has(name)) cpSync(join(ROOT, name), join(clone, name), { recursive: true })
  for (const place of [folder, clone]) symlinkSync(join(ROOT, "node_modules"), join(place, "node_modules"))
  expect(await run(["bun", "pm", "pack", "--destination", folder, "--quiet"], clone)).toMatchObject({
    code: 0,
  })
  const [archive = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"))
  expect(await run(["tar", "xzf", archive], folder)).toMatchObject({ code: 0 })
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("a package runs what was built of its command line, which says as the sources do, and where in them it failed", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  for (const argv of [
    ["sessions"],
    ["--help"],
    ["usage", "--json"],
    ["stats", "--json"],
    ["export", "x"],
    ["nosuch"],
  ]) {
    const here = await run(["bun", join(ROOT, BIN), "--dir", directory, ...argv], installed)
    expect({ argv, ...(await run(["bun", BIN, "--dir", directory, ...argv], installed)) }).toEqual({
      argv,
      ...here,
    })
  }
  const preload = join(installed, "bug.ts")
  writeFileSync(preload, 'Date.prototype.getTimezoneOffset = () => { throw new Error("a bug") }')
  const failing = (main: string) =>
    run(["bun", "--preload", preload, main, "--dir", directory, "sessions"], installed)
  const { code, err } = await failing(BIN)
  expect(code).toBe(1)
  const place = /[\\/]src[\\/]cli[\\/]time\.ts:\d+/
  expect(err).toMatch(place)
  expect(place.exec(err)?.[0]).toBe(place.exec((await failing(join(ROOT, BIN))).err)?.[0] ?? "")
}, 120_000)

test("the page is served by what is built, from the files of the package", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  const child = Bun.spawn(["bun", BIN, "--dir", directory, "serve", "--port", "0"], {
    cwd: installed,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  })
  try {
    const reader = child.stdout.getReader()
    const decoder = new TextDecoder()
    let said = ""
    while (!said.includes("\n")) {
      const { value, done } = await reader.read()
      if (done) throw new Error(`It ended after saying ${said}`)
      said += decoder.decode(value, { stream: true })
    }
    const url = said.trim()
    const page = await (await fetch(url)).text()
    expect(page).toBe(await Bun.file(join(ROOT, "src/http/page/index.html")).text())
    const [, script = ""] = /src="([^"]+)"/.exec(page) ?? []
    expect(await (await fetch(new URL(script, url))).text()).toBe(
      await Bun.file(join(ROOT, "src/http/page/app.js")).text(),
    )
  } finally {
    child.kill("SIGINT")
    await child.exited
  }
}, 120_000)

test("what lies in dist runs in a package, and not in a clone, where it may be old", async () => {
  for (const folder of [installed, clone]) writeFileSync(join(folder, "dist", "cli.js"), OTHER)
  expect((await run(["bun", BIN, "--version"], installed)).err).toContain("What lies in dist runs")
  expect((await run(["bun", BIN, "--version"], clone)).code).toBe(0)
})

test("an app with strict types and the types of Bun can import every entry of the package", async () => {
  const app = join(folder, "app")
  const own = join(app, "node_modules")
  mkdirSync(join(own, "@types/bun"), { recursive: true })
  writeFileSync(join(own, "@types/bun/index.d.ts"), '/// <reference types="bun-types" />')
  symlinkSync(join(ROOT, "node_modules/bun-types"), join(own, "bun-types"))
  cpSync(installed, join(own, "sessiondex"), { recursive: true })
  const entries = ["sessiondex/http", "sessiondex", "sessiondex/storage", "sessiondex/testing"]
  const imports = entries.map((entry) => `import "${entry}"`)
  writeFileSync(join(app, "app.ts"), imports.join("\n"))
  // As `bun init` makes it.
  const compilerOptions = {
    lib: ["ESNext"],
    target: "ESNext",
    module: "Preserve",
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    noEmit: true,
    verbatimModuleSyntax: true,
    strict: true,
    skipLibCheck: true,
    noFallthroughCasesInSwitch: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    types: ["bun"],
  }
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc")
  expect(await run(["bun", "--bun", tsc, "-p", app], app)).toEqual({ code: 0, out: "", err: "" })
}, 60_000)
