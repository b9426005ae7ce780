/** Does one thing to a history and kills itself at its nth step: `bun life-child.ts <what> <folder> <n>`; tells how many there were. */
import { writeSync } from "node:fs"
import { join } from "node:path"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all } from "../support/records.ts"
import { stepThroughSqlite } from "../support/sqlite-steps.ts"
import { steppingFileSystem } from "./stepping.ts"

const [, , what = "", directory = "", at = "0"] = process.argv
const killAt = Number(at)
let steps = 0

function step(): void {
  if (++steps === killAt) process.kill(process.pid, "SIGKILL")
}

const rule = { keep: 1 }
const WORK: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  prune: (store) => all(store.prune(rule)),
  purge: (store) => all(store.prune({ ...rule, purge: true })),
  restore: async (store) => all(store.trash.restore((await all(store.trash.list())).map(({ id }) => id))),
  empty: (store) => all(store.trash.empty()),
  import: (store) => store.import(join(directory, "..", "export.json")),
  move: (store) => store.sessions.move("ses_2", "elsewhere"),
  copy: (store) => all(store.copyTo(join(directory, "..", "copy"))),
}

const work = WORK[what]
if (!work) throw new Error(`No such work: ${what}`)
stepThroughSqlite(step)
// A kill loses nothing that was written, flushed or not: the flushes are steps of the prune alone.
const durability = what === "prune" ? "full" : "relaxed"

async function main(work: (store: Store) => Promise<unknown>): Promise<void> {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false, durability }), {
    fs: steppingFileSystem(step),
  })
  await work(store)
  await store.close()
  writeSync(1, String(steps))
}

void main(work)
