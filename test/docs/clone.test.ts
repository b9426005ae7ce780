import { expect, test } from "bun:test"
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { emptyHome, homeOfAll } from "../support/home.ts"
import { tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "..", "..")
/** What a clone has not, or what a test of it need not have. */
const LEFT_OUT = new Set([".git", "node_modules", "bench", "test"])
const SESSION = "01a21918-05c0-7f90-9497-db59ecef0de8"

/** A copy of what is kept in version control, with the dependencies that are installed here. */
function clone(): string {
  const folder = join(tempFolder(), "sessiondex")
  mkdirSync(folder)
  for (const name of readdirSync(ROOT))
    if (!LEFT_OUT.has(name)) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  cpSync(join(ROOT, "test/fixtures"), join(folder, "test/fixtures"), { recursive: true })
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"))
  return folder
}

async function run(cwd: string, home: string, command: string) {
  const child = Bun.spawn(["bash", "-c", command], {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // Nothing of this machine but where its programs are.
    env: { HOME: home, PATH: process.env.PATH ?? "", TMPDIR: process.env.TMPDIR ?? "/tmp" },
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, err }
}

/** The commands that README shows, as they are written in a clone; the one that serves runs until it is stopped. */
function commands(): string[] {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8")
  const shown = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block).join("")
  const lines = [...shown.matchAll(/^sessiondex(?: .*)?$/gm)].map(([line]) =>
    line.replace(/\s+#.*/, "").trim(),
  )
  expect(lines.length).toBeGreaterThan(8)
  return lines
    .filter((line) => line !== "sessiondex serve")
    .map((line) => line.replace("sessiondex", "bun run --silent sessiondex").replace("<session>", SESSION))
}

test("in a clone, with an empty home, each command of README says what was looked for", async () => {
  const folder = clone()
  for (const command of commands()) {
    const { home } = emptyHome()
    const { code, out, err } = await run(folder, home, command)
    expect({ command, code, out }).toEqual({ command, code: 1, out: "" })
    expect({ command, err }).toEqual({ command, err: expect.stringContaining(home) })
    expect(err).toStartWith("sessiondex: NOT_FOUND: ")
  }
}, 120_000)

test("in a clone, with the histories of all agents, each command of README does what it says", async () => {
  const folder = clone()
  const { home } = homeOfAll()
  for (const command of commands()) {
    // Nobody has spoken of parse errors, which is a finding of its own.
    const code = command.includes("parse error") ? 1 : 0
    expect({ command, ...(await run(folder, home, command)) }).toMatchObject({ command, code, err: "" })
  }
}, 120_000)

test("the demo runs in a clone", async () => {
  const { code, err } = await run(clone(), emptyHome().home, "bun scripts/demo.ts")
  expect({ code, err }).toEqual({ code: 0, err: "" })
}, 120_000)
