/** A tour of the command line over a copy of a small real store. */
import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../src/cli/program.ts"
import { openStore } from "../src/index.ts"

const sample = join(import.meta.dir, "..", "test", "fixtures", "trees", "opencode-1.1.65", "storage")
const folder = await mkdtemp(join(tmpdir(), "sessiondex-demo-"))

async function show(...argv: string[]): Promise<void> {
  console.log(`\n$ sessiondex ${argv.join(" ")}`)
  const code = await run(["--dir", folder, ...argv])
  if (code !== 0) throw new Error(`sessiondex ${argv.join(" ")} ended with ${code}`)
}

try {
  await cp(sample, folder, { recursive: true })
  console.log(`A store of an AI coding agent, copied to ${folder}`)
  await show("index")
  await show("sessions")
  await using store = await openStore({ directory: folder, backgroundIndex: false })
  const { items } = await store.sessions.page({ limit: 2 })
  const session = items.at(-1)
  if (!session) throw new Error("The sample store has no sessions")
  await show("show", session.id)
  await show("stats")
  await store.sessions.count({ archived: "exclude" })
  console.log("\nHealth:", store.health())
  console.log(`
Your own history:

  bun run sessiondex index                 opencode's, where it keeps it
  bun run sessiondex sessions --limit 20
  bun run sessiondex show <session>
  bun run sessiondex --dir <folder> …      any other store
  bun run sessiondex --help`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
