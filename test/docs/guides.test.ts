import { expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { EXAMPLES } from "../../src/cli/examples.ts"
import { Output } from "../../src/cli/output.ts"
import { createProgram } from "../../src/cli/program.ts"
import { emptyHome, homeOfAll } from "../support/home.ts"
import { copyOfTree, put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "..", "..")
const GUIDES = [
  "README.md",
  ...readdirSync(join(ROOT, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
]

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8")
const program = createProgram({
  output: new Output(process.stdout, process.stderr),
  home: emptyHome(),
  fail() {},
})

/** The TypeScript blocks of a guide. */
function blocks(guide: string): string[] {
  return [...read(guide).matchAll(/```ts(?: (?:run|tour))?\n([\s\S]*?)```/g)].map(([, code = ""]) => code)
}

/** A block as a script: the package by its place, the folder by its name, and an end where it serves. */
function script(code: string, directory: string): string {
  const placed = code
    .replaceAll('"sessiondex"', JSON.stringify(join(ROOT, "src/index.ts")))
    .replaceAll('"sessiondex/http"', JSON.stringify(join(ROOT, "src/http/index.ts")))
  const end = code.includes("Bun.serve(") ? "await server.stop(true)\nawait store.close()\n" : ""
  return `const directory: string = ${JSON.stringify(directory)}\n${placed}\n${end}`
}

async function run(
  file: string,
  argv: readonly string[] = [],
  env = {},
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn(["bun", file, ...argv], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out, err }
}

/** A home of a process, with every agent's history; no place of the test's own machine. */
function environment(): Record<string, string> {
  const none = ["XDG_DATA_HOME", "OPENCODE_DB", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"]
  return { ...Object.fromEntries(none.map((name) => [name, ""])), HOME: homeOfAll().home }
}

test("the tour of the library runs as it is", async () => {
  const [tour = ""] = blocks("docs/library.md")
  const directory = copyOfTree("opencode-1.1.65/storage")
  put(directory, "part/msg_lost/prt_1.json", "{ torn")
  const { code, out, err } = await run(put(tempFolder(), "tour.ts", script(tour, directory)))
  expect(err).toBe("")
  expect(code).toBe(0)
  expect(out).toContain("user 1")
  expect(out).toContain(`CORRUPT ${directory}/part/msg_lost/prt_1.json`)
  expect(out).toContain("part/msg_lost/prt_1")
  expect(out.trimEnd()).toEndWith("3 ready")
})

test("the code of every guide runs, and its types are right", async () => {
  const folder = tempFolder()
  const env = environment()
  let ran = 0
  for (const guide of GUIDES)
    for (const [at, code] of blocks(guide).entries()) {
      const directory = copyOfTree("opencode-1.1.65/storage")
      const file = put(folder, `${guide.replaceAll("/", "-")}-${at}.ts`, script(code, directory))
      expect({ guide, at, ...(await run(file, [], env)) }).toMatchObject({ code: 0, err: "" })
      ran++
    }
  expect(ran).toBeGreaterThan(5)
  const typing = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: { typeRoots: [join(ROOT, "node_modules")], noUnusedLocals: false },
    include: ["*.ts", join(ROOT, "src/*.d.ts")],
  }
  put(folder, "tsconfig.json", JSON.stringify(typing))
  const tsc = Bun.spawn(
    ["bun", "--bun", join(ROOT, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", folder],
    {
      cwd: ROOT,
      stdout: "pipe",
    },
  )
  expect(await new Response(tsc.stdout).text()).toBe("")
}, 60_000)

test("the commands of every guide, and of `help`, are commands with options that they have", () => {
  const guides = GUIDES.flatMap((guide) =>
    [...read(guide).matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
      [...block.matchAll(/^sessiondex (.*)$/gm)].map(([, line = ""]) => line.replace(/\s#.*/, "")),
    ),
  )
  const helped = Object.entries(EXAMPLES).flatMap(([name, lines]) => {
    for (const line of lines) expect(line).toStartWith(name)
    return lines
  })
  expect(guides.length).toBeGreaterThan(30)
  for (const line of [...guides, ...helped]) {
    const words = line.split(/\s+/)
    const command = program.commands.find((one) => words.includes(one.name()))
    const known = [...program.options, ...(command?.options ?? [])].map(({ long }) => long)
    const unknown = (line.match(/--[a-z-]+/g) ?? []).filter((option) => !known.includes(option))
    // Without a command the newest sessions are listed.
    const isOne = command !== undefined || line.trim() === ""
    expect({ line, command: isOne, unknown }).toEqual({ line, command: true, unknown: [] })
  }
})

test("every command, every global option and every option of the store is in a guide", () => {
  const cli = read("docs/command-line.md")
  for (const command of program.commands) expect(cli).toContain(`sessiondex ${command.name()}`)
  const general = ["--version", "--help"]
  for (const { long } of program.options) if (long && !general.includes(long)) expect(cli).toContain(long)
  const options = read("src/options.ts").split("export interface StoreOptions")[1]?.split("\n}\n")[0] ?? ""
  const names = [...options.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name = ""]) => name)
  expect(names.length).toBeGreaterThan(9)
  const library = read("docs/library.md")
  for (const name of names) expect(library).toContain(`\`${name}\``)
  const codes = read("src/errors.ts").matchAll(/^ {2}\| "(\w+)"/gm)
  const durability = read("docs/durability.md")
  for (const [, code = ""] of codes) expect(durability).toContain(`\`${code}\``)
})

test("links between the guides lead somewhere, and none is left out of the README", () => {
  for (const guide of GUIDES)
    for (const [, target = ""] of read(guide).matchAll(/(?:\]\(|srcset="|src=")(?!https?:|#)([^)#"]+)/g))
      expect({ guide, target, found: existsSync(join(ROOT, dirname(guide), target)) }).toMatchObject({
        found: true,
      })
  for (const guide of GUIDES.slice(1)) expect(read("README.md")).toContain(`(${guide})`)
})
