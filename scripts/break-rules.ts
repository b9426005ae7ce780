/**
 * Takes one rule of the stamp protocol, of the full-text tables, or of writing, away at a time, in a copy of the project, and demands
 * that a test then fails: a rule whose absence nothing notices is either not needed or not tested. Words given name the rules that are tried.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RULES, type Rule } from "./rules.ts"

const TESTS = [
  "test/property",
  "test/migrator/protocol.test.ts",
  "test/file/clock.test.ts",
  "test/repository/unreadable.test.ts",
  "test/migrator/renames.test.ts",
]

const ROOT = join(import.meta.dir, "..")

async function survives(rule: Rule): Promise<boolean> {
  const copy = await mkdtemp(join(tmpdir(), "sessiondex-rule-"))
  try {
    for (const name of ["src", "test", "drizzle", "package.json", "tsconfig.json", "bunfig.toml"])
      await cp(join(ROOT, name), join(copy, name), { recursive: true })
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"))
    const path = join(copy, rule.file)
    const text = await readFile(path, "utf8")
    if (text.split(rule.from).length !== 2) throw new Error(`${rule.file} does not hold, once: ${rule.from}`)
    await writeFile(path, text.replace(rule.from, rule.to))
    const child = Bun.spawn(["bun", "test", ...(rule.tests ?? TESTS)], {
      cwd: copy,
      stdout: "ignore",
      stderr: "pipe",
    })
    const output = await new Response(child.stderr).text()
    if ((await child.exited) === 0) return true
    const reason = /error: (seed \d+ [^\n]*)|\(fail\) ([^\n]*)/.exec(output)?.[0]
    if (reason === undefined) throw new Error(`The tests could not run:\n${output}`)
    console.log(`caught    ${rule.name}\n          ${reason}`)
    return false
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

let unnoticed = 0
const wanted = process.argv.slice(2)
for (const rule of RULES.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
))
  if (await survives(rule)) {
    unnoticed++
    console.log(`UNNOTICED ${rule.name}`)
  }
if (unnoticed > 0) process.exitCode = 1
