import { describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Line, Sides } from "../../../src/root/transcript/agent.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import { foldOf, plainLines, plainSessions } from "./plain-parse.ts"
import { rendered } from "./rendered.ts"

const HOME = join(import.meta.dir, "..", "..", "fixtures", "gemini-cli")
const GOLDEN = join(HOME, "golden")

const sides: Sides = {
  text: (path) => (existsSync(join(HOME, path)) ? readFileSync(join(HOME, path), "utf8") : undefined),
}

/** The containers of the fixtures, by name, with the lines of all their files. */
function containers(): Map<string, Line[]> {
  const found = readdirSync(HOME, { recursive: true, encoding: "utf8" })
    .flatMap((path) => {
      const name = geminiCli.container(path)
      return name ? [{ path, name }] : []
    })
    .sort((a, b) => a.name.rank - b.name.rank || (a.path < b.path ? -1 : 1))
  const files = Map.groupBy(found, ({ name }) => name.name)
  return new Map(
    [...files].map(([name, ranked]) => [
      name,
      ranked.flatMap(({ path, name: { form } }, file) =>
        plainLines(readFileSync(join(HOME, path)), form, file),
      ),
    ]),
  )
}

const all = [...containers()]
const nameOf = (name: string) => geminiCli.container(`${name}.jsonl`) ?? expect.unreachable()

describe("what real releases wrote", () => {
  test.each(all)("%s is read as it was said and printed", (name, lines) => {
    const golden = join(
      GOLDEN,
      `${name
        .split("/")
        .slice(1)
        .join("-")
        .replaceAll(/[^\w.-]/g, "-")}.txt`,
    )
    const text = `${plainSessions(geminiCli, nameOf(name), lines, { sides }).map(rendered).join("\n\n")}\n`
    expect(text).toBe(readFileSync(golden, "utf8"))
  })

  test.each(all)("%s is the same when it was stopped after each line", (name, lines) => {
    const at = foldOf(geminiCli, nameOf(name), lines).outline(sides)
    expect(foldOf(geminiCli, nameOf(name), lines, 1).outline(sides)).toEqual(at)
  })
})
