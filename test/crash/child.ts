/** Runs one scenario and kills itself at its nth step: `bun child.ts <scenario> <folder> <n>`; tells of every change. */
import { writeSync } from "node:fs"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { stepThroughSqlite } from "../support/sqlite-steps.ts"
import { scenarios } from "./scenarios.ts"

const [, , name, directory = "", at = "0"] = process.argv
const killAt = Number(at)
let steps = 0

/** A place where a process may die: before and after each system call and each statement of SQLite. */
function step(): void {
  if (++steps === killAt) process.kill(process.pid, "SIGKILL")
}

function stepping<T extends (...args: never[]) => unknown>(call: T): T {
  return ((...args: Parameters<T>) => {
    step()
    const result = call(...args)
    step()
    return result
  }) as T
}

const CHANGING: ReadonlySet<string> = new Set([
  "createFile",
  "flush",
  "flushDirectory",
  "rename",
  "removeFile",
  "makeDirectory",
  "removeEmptyDirectory",
  "touch",
  "readDirectory",
])
const fs = Object.fromEntries(
  Object.entries(fileSystem).map(([call, run]) => [
    call,
    CHANGING.has(call) ? stepping(run.bind(fileSystem)) : run.bind(fileSystem),
  ]),
) as unknown as FileSystem

stepThroughSqlite(step)

const scenario = scenarios.find((candidate) => candidate.name === name)
if (!scenario) throw new Error(`No such scenario: ${name}`)
const tell = (line: unknown): number => writeSync(1, `${JSON.stringify(line)}\n`)
await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
await scenario.run(store, async (key, value, work) => {
  tell({ begun: key, value })
  const result = await work()
  tell({ done: key, value })
  return result
})
await store.close()
tell({ steps })
