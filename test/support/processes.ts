import { expect } from "bun:test"
import { join } from "node:path"

const ROOT = join(import.meta.dir, "..", "..")
const PATIENCE_MS = 20_000

/**
 * Runs a script in a process of its own, with a `store` open on a folder; gives what it printed last, parsed. `until(name)` waits for
 * a file of the folder, whose path is `at(name)`.
 */
export async function runInProcess(directory: string, script: string): Promise<unknown> {
  const options = JSON.stringify({ directory, backgroundIndex: false, durability: "relaxed" })
  const child = Bun.spawn(
    [
      "bun",
      "-e",
      `import { existsSync, writeFileSync } from "node:fs"
      import { openStore } from "./src/index.ts"
      // Should another process fail, nobody is to wait for it for ever.
      setTimeout(() => process.exit(1), ${PATIENCE_MS}).unref()
      const at = (name) => ${JSON.stringify(directory)} + "/" + name
      const until = async (name) => { while (!existsSync(at(name))) await Bun.sleep(1) }
      await using store = await openStore(${options})
      ${script}`,
    ],
    { cwd: ROOT, stdout: "pipe", stderr: "inherit" },
  )
  const text = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return JSON.parse(text.trim().split("\n").at(-1) ?? "null")
}
