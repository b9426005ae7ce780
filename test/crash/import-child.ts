/** Imports an older history, or a database, and kills itself at its nth step: `bun import-child.ts <folder> <n> [database]`; tells how many there were. */
import { writeSync } from "node:fs"
import { opencodeDatabase } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { stepThroughSqlite } from "../support/sqlite-steps.ts"
import { steppingFileSystem } from "./stepping.ts"

const [, , directory = "", at = "0", database] = process.argv
const killAt = Number(at)
let steps = 0

function step(): void {
  if (++steps === killAt) process.kill(process.pid, "SIGKILL")
}

stepThroughSqlite(step)

async function main(): Promise<void> {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: steppingFileSystem(step),
  })
  if (database === undefined) await store.importOlder()
  else await store.importFrom(opencodeDatabase(database))
  await store.close()
  writeSync(1, String(steps))
}

void main()
