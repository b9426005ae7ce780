/** Does one thing to several histories, each to its death at a step: `bun life-child.ts <what> <mortals>`. */
import { join } from "node:path"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all } from "../support/records.ts"
import { dieInEach } from "./dying.ts"

const [, , what = "", mortals = "[]"] = process.argv

const rule = { keep: 1 }
const WORK: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  prune: (store) => all(store.prune(rule)),
  purge: (store) => all(store.prune({ ...rule, purge: true })),
  restore: async (store) => all(store.trash.restore((await all(store.trash.list())).map(({ id }) => id))),
  empty: (store) => all(store.trash.empty()),
  import: (store) => store.import(join(store.directory, "..", "export.json")),
  move: (store) => store.sessions.move("ses_2", "elsewhere"),
  copy: (store) => all(store.copyTo(join(store.directory, "..", "copy"))),
}

const work = WORK[what]
if (!work) throw new Error(`No such work: ${what}`)
// A kill loses nothing that was written, flushed or not: the flushes are steps of the prune alone.
const durability = what === "prune" ? "full" : "relaxed"

void dieInEach(JSON.parse(mortals), async (directory, fs) => {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false, durability }), { fs })
  await work(store)
  await store.close()
})
