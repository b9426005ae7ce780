/** Opens a store, lists a page of it, and prints which files of the sources were loaded for that: `bun loaded-child.ts <folder>`. */
import { join, relative } from "node:path"
import { plugin } from "bun"

const SRC = join(import.meta.dir, "..", "..", "src")
const loaded: string[] = []
plugin({
  name: "loaded",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      loaded.push(relative(SRC, path))
      return { contents: await Bun.file(path).text(), loader: "ts" }
    })
  },
})
const { openStore } = await import("../../src/index.ts")
const [, , directory = ""] = process.argv
{
  await using store = await openStore({ directory })
  await store.sessions.page({ limit: 50 })
}
console.log(JSON.stringify(loaded))
