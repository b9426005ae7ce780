/** Runs one scenario and kills itself at its nth step: `bun child.ts <scenario> <folder> <n>`; tells of every change. */
import { writeSync } from "node:fs"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { stepThroughSqlite } from "../support/sqlite-steps.ts"
import { type Scenario, scenarios } from "./scenarios.ts"
import { steppingFileSystem } from "./stepping.ts"

const [, , name, directory = "", at = "0"] = process.argv
const killAt = Number(at)
let steps = 0

/** A place where a process may die: before and after each system call and each statement of SQLite. */
function step(): void {
  if (++steps === killAt) process.kill(process.pid, "SIGKILL")
}

const fs = steppingFileSystem(step)

stepThroughSqlite(step)

const scenario = scenarios.find((candidate) => candidate.name === name)
if (!scenario) throw new Error(`No such scenario: ${name}`)
const tell = (line: unknown): number => writeSync(1, `${JSON.stringify(line)}\n`)

async function main({ run }: Scenario): Promise<void> {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  await run(store, async (key, value, work) => {
    tell({ begun: key, value })
    const result = await work()
    tell({ done: key, value })
    return result
  })
  await store.close()
  tell({ steps })
}

void main(scenario)
