import { afterAll, beforeAll } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * Makes a script and all it imports one file of bytecode, for tests that start it again and again: so it starts in a third
 * of the time. Gives what tells the file's path while a test runs. Bytecode has no `await` outside functions.
 */
export function bytecodeOf(script: string): () => string {
  const folder = mkdtempSync(join(tmpdir(), "sessiondex-test-"))
  let path = ""
  beforeAll(async () => {
    const { outputs } = await Bun.build({
      entrypoints: [script],
      outdir: folder,
      target: "bun",
      format: "cjs",
      bytecode: true,
    })
    path = outputs.find(({ kind }) => kind === "entry-point")?.path ?? ""
    if (outputs.every(({ kind }) => kind !== "bytecode")) throw new Error(`There is no bytecode of ${script}`)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => path
}

/** The environment of a process that lives for 50 ms: compiling what it runs costs a quarter more than it saves. */
export const SHORT_LIVED: Record<string, string | undefined> = { ...process.env, BUN_JSC_useJIT: "0" }
