import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { RULES } from "../../scripts/rules.ts"

const ROOT = join(import.meta.dir, "..", "..")

test.each(RULES.map((rule) => [rule.name, rule] as const))(
  "can be taken away: %s",
  (_, { file, from, to, tests = [] }) => {
    const text = readFileSync(join(ROOT, file), "utf8")
    expect(text.split(from).length - 1).toBe(1)
    expect(from).not.toBe(to)
    expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  },
)
