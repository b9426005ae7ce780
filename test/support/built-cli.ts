import { afterAll, beforeAll } from "bun:test"
import { mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildCli } from "../../scripts/build-cli.ts"

const ROOT = join(import.meta.dir, "..", "..")

/** Builds the command line as a package holds it, beside what that has beside it. Gives what tells its path while a test runs. */
export function builtCli(): () => string {
  const folder = mkdtempSync(join(tmpdir(), "sessiondex-test-"))
  let path = ""
  beforeAll(async () => {
    for (const name of ["src", "node_modules", "package.json"])
      symlinkSync(join(ROOT, name), join(folder, name))
    path = await buildCli(join(folder, "dist"))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => path
}
