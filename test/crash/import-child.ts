/** Imports an older history, or a database, into several stores, in each to its death at a step: `bun import-child.ts <database or ""> <mortals>`. */
import { opencodeDatabase } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { dieInEach } from "./dying.ts"

const [, , database = "", mortals = "[]"] = process.argv

void dieInEach(JSON.parse(mortals), async (directory, fs) => {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  if (database === "") await store.importOlder()
  else await store.importFrom(opencodeDatabase(database))
  await store.close()
})
