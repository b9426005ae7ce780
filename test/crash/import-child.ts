/**
 * Imports an older history, a database or a home of Codex into several stores, in each to its death at a step:
 * `bun import-child.ts <"", database or home> <mortals>`.
 */
import { opencodeDatabase, transcripts } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { dieInEach } from "./dying.ts"

const [, , source = "", mortals = "[]"] = process.argv

void dieInEach(JSON.parse(mortals), async (directory, fs) => {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  if (source === "") await store.importOlder()
  else
    await store.importFrom(source.endsWith(".db") ? opencodeDatabase(source) : transcripts("codex", source))
  await store.close()
})
