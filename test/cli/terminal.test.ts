import { expect, test } from "bun:test"
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const programPath = bytecodeOf(join(import.meta.dir, "../../src/cli/start.ts"))

function store(): string {
  const directory = tempFolder()
  for (let at = 0; at < 300; at++) put(directory, `session/p/ses_${at}.json`, session(`ses_${at}`))
  return directory
}

/** A pager that keeps what it was given, and ends after so many lines. */
function pager(lines = 10_000): { readonly command: string; read(): string | undefined } {
  const folder = tempFolder()
  const kept = join(folder, "kept")
  const command = put(folder, "pager", `#!/bin/sh\nhead -n ${lines} > '${kept}'\necho left\n`)
  chmodSync(command, 0o755)
  return { command, read: () => (existsSync(kept) ? readFileSync(kept, "utf8") : undefined) }
}

/** Runs the command line on a terminal. */
async function onTerminal(argv: readonly string[], env: Record<string, string>) {
  let shown = ""
  const child = Bun.spawn(["bun", programPath(), "--dir", ...argv], {
    env: { ...SHORT_LIVED, ...env },
    terminal: {
      cols: 100,
      rows: 20,
      data: (_, bytes) => {
        shown += new TextDecoder().decode(bytes)
      },
    },
  })
  const code = await child.exited
  child.terminal?.close()
  return { code, shown }
}

test("on a terminal long results go to the pager, in colours; nothing is printed beside it", async () => {
  const directory = store()
  const { command, read } = pager()
  const { code, shown } = await onTerminal([directory, "sessions"], { PAGER: command })
  expect({ code, shown: shown.trim() }).toEqual({ code: 0, shown: "left" })
  const kept = read() ?? ""
  expect(kept.trimEnd().split("\n")).toHaveLength(300)
  expect(kept).toContain("\u001b[36m")
}, 60_000)

test("leaving the pager early ends the command without a word", async () => {
  const directory = store()
  const { command, read } = pager(1)
  const { code, shown } = await onTerminal([directory, "sessions"], { PAGER: command })
  expect({ code, shown: shown.trim() }).toEqual({ code: 0, shown: "left" })
  expect(read()?.trimEnd().split("\n")).toHaveLength(1)
}, 60_000)

test.each([
  ["--json", ["--json"], {}],
  ["--no-pager", ["--no-pager"], {}],
  ["an empty PAGER", [], { PAGER: "" }],
  ["a PAGER that is not there", [], { PAGER: "/nowhere/pager -R" }],
] as const)(
  "with %s results are printed themselves",
  async (_, flags, env) => {
    const directory = store()
    const { command, read } = pager()
    const { code, shown } = await onTerminal([directory, "sessions", ...flags], { PAGER: command, ...env })
    expect(code).toBe(0)
    expect(read()).toBe(undefined)
    expect(shown.trimEnd().split("\n")).toHaveLength(300)
  },
  60_000,
)

test("a pipe gets no pager, and a reader that leaves it ends the command quietly", async () => {
  const directory = store()
  const { command, read } = pager()
  const run = `bun ${programPath()} --dir ${directory} sessions | head -n 1`
  const child = Bun.spawn(["bash", "-o", "pipefail", "-c", run], {
    env: { ...SHORT_LIVED, PAGER: command },
    stdout: "pipe",
    stderr: "pipe",
  })
  expect((await new Response(child.stdout).text()).trimEnd().split("\n")).toHaveLength(1)
  expect(await new Response(child.stderr).text()).toBe("")
  expect(await child.exited).toBe(0)
  expect(read()).toBe(undefined)
}, 60_000)
