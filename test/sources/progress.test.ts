import { expect, test } from "bun:test"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import type { WalkHealth } from "../../src/root/health.ts"
import { Store } from "../../src/store.ts"
import { emptyHome, homeOfAll, opencodeOf } from "../support/home.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** A store whose health is looked at whenever it opens a file; repeats are told once. */
function watched(options: StoreOptions, healthOf: (store: Store) => WalkHealth | undefined) {
  const seen: string[] = []
  const look = (): void => {
    const { state, progress } = healthOf(store) ?? { state: "off" }
    const says = progress ? `${state} ${progress.kind} ${progress.done}/${progress.total}` : state
    if (seen.at(-1) !== says) seen.push(says)
  }
  const store: Store = new Store(resolveOptions(options), {
    fs: {
      ...fileSystem,
      openFile(path) {
        look()
        return fileSystem.openFile(path)
      },
    },
  })
  const until = async (state: string): Promise<void> => {
    while (healthOf(store)?.state !== state) await Bun.sleep(5)
  }
  return { store, seen, until }
}

test("the health says how far the walk of a store is, kind by kind", async () => {
  const directory = tempFolder()
  for (let s = 0; s < 300; s++) {
    put(directory, `session/p${s % 3}/ses_${s}.json`, session(`ses_${s}`))
    put(directory, `message/ses_${s}/msg_${s}.json`, message(`msg_${s}`, `ses_${s}`, s))
    put(directory, `part/msg_${s}/prt_1.json`, { type: "text", text: "needle" })
  }
  const { store, seen, until } = watched({ directory }, (store) => store.health().backgroundIndex)
  await until("done")
  expect(seen[0]).toBe("running")
  expect(seen).toContain("running session 3/3")
  expect(seen.some((says) => /^running (message|part) \d+\/300$/.test(says))).toBe(true)
  expect(store.health().backgroundIndex).toEqual({
    state: "done",
    read: expect.any(Number),
    elapsedMs: expect.any(Number),
  })
  await store.close()
})

test("the health says how far transcripts and databases are indexed for the searches that need that", async () => {
  const home = homeOfAll()
  const sources = [
    { name: "codex", place: join(home.home, ".codex") },
    { name: "opencode", place: opencodeOf(home) },
  ] as const
  const of = (source: string) => (store: Store) =>
    store.health().alsoReading.find(({ layout }) => layout === source)?.backgroundIndex
  const { store, seen, until } = watched({ directory: join(emptyHome().home, "store"), sources }, of("codex"))
  expect([of("codex")(store), of("opencode")(store)]).toEqual([{ state: "waiting" }, { state: "waiting" }])
  const search = store.search("please", { wait: false })
  while (!(await search.next()).done);
  await until("done")
  expect(seen.some((says) => /^running session \d+\/\d+$/.test(says))).toBe(true)
  expect(of("codex")(store)?.read).toBeGreaterThan(10)
  while (of("opencode")(store)?.state !== "done") await Bun.sleep(5)
  await store.close()
}, 60_000)

test("without indexing in the background the health says that it is off, and what a search begins that it stopped", async () => {
  const home = homeOfAll()
  const sources = [{ name: "codex", place: join(home.home, ".codex") }] as const
  const directory = join(emptyHome().home, "store")
  const store = new Store(resolveOptions({ directory, sources, backgroundIndex: false }))
  const health = () => store.health().alsoReading[0]?.backgroundIndex
  expect(health()).toEqual({ state: "off" })
  const end = new AbortController()
  const search = store.search("please", { signal: end.signal })
  const first = search.next()
  while (health()?.state !== "running") await Bun.sleep(0)
  end.abort(new Error("enough"))
  await expect(first).rejects.toThrow("enough")
  while (health()?.state === "running") await Bun.sleep(5)
  expect(health()).toEqual({ state: "stopped" })
  await store.close()
}, 60_000)
