import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Output } from "../src/cli/output.ts"
import { createProgram } from "../src/cli/program.ts"
import { copyOfTree, put, tempFolder } from "./support/temp.ts"

const ROOT = join(import.meta.dir, "..")
const README = readFileSync(join(ROOT, "README.md"), "utf8")

test("the tour runs as it stands", async () => {
  const [, tour = ""] = /```ts tour\n([\s\S]*?)```/.exec(README) ?? []
  expect(tour).toContain("openStore")
  const directory = copyOfTree("opencode-1.1.65/storage")
  put(directory, "part/msg_lost/prt_1.json", "{ torn")
  const text = `const directory = ${JSON.stringify(directory)}\n${tour.replaceAll('"sessiondex"', JSON.stringify(join(ROOT, "src/index.ts")))}`
  const script = put(tempFolder(), "tour.ts", text)
  const child = Bun.spawn(["bun", script], { stdout: "pipe", stderr: "pipe" })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect(err).toBe("")
  expect(await child.exited).toBe(0)
  expect(out).toContain("user 1")
  expect(out).toContain(`CORRUPT ${directory}/part/msg_lost/prt_1.json`)
  expect(out).toContain("part/msg_lost/prt_1")
  expect(out.trimEnd()).toEndWith("3 ready")
})

test("every command and the options of the store are in the README", () => {
  const program = createProgram({
    output: new Output(process.stdout, process.stderr),
    home: { environment: {}, home: "/nowhere" },
    fail() {},
  })
  const commands = program.commands.map((command) => command.name())
  expect(commands.length).toBeGreaterThan(4)
  for (const command of commands) expect(README).toContain(`sessiondex ${command}`)
  const options =
    readFileSync(join(ROOT, "src/options.ts"), "utf8")
      .split("export interface StoreOptions")[1]
      ?.split("\n}\n")[0] ?? ""
  const names = [...options.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name = ""]) => name)
  expect(names.length).toBeGreaterThan(9)
  for (const name of names) expect(README).toContain(`\`${name}\``)
})
