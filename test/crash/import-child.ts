/** Imports an older history and kills itself at its nth step: `bun import-child.ts <folder> <n>`; tells how many there were. */
import { writeSync } from "node:fs"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { stepThroughSqlite } from "../support/sqlite-steps.ts"
import { steppingFileSystem } from "./stepping.ts"

const [, , directory = "", at = "0"] = process.argv
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
  await store.importOlder()
  await store.close()
  writeSync(1, String(steps))
}

void main()
