import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { apiDocs } from "../../scripts/api-docs/main.ts"

const FOLDER = join(import.meta.dir, "..", "..", "docs", "api")

test("docs/api is what `bun run docs:api` makes of the doc comments", async () => {
  const files = await apiDocs()
  expect(Object.keys(files).length).toBeGreaterThan(9)
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(files).sort())
  for (const [name, text] of Object.entries(files))
    expect(readFileSync(join(FOLDER, name), "utf8") === text, `${name}: run bun run docs:api`).toBe(true)
  expect(files["store.md"]).toContain("### Store.search")
  expect(files["store.md"]).not.toContain("Store.#")
}, 60_000)
