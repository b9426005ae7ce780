import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { type FileSystem, fileSystem } from "../../../src/file/system.ts"
import { openStore, type Store } from "../../../src/index.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import { meta, SESSION, said } from "./codex-transcripts.ts"

const ROOT = join(import.meta.dir, "..", "..", "..")
const OTHER = SESSION.replace("01a3", "01a4")

function rollout(place: string, id: string): string {
  const path = join(place, `sessions/2026/11/01/rollout-2026-11-01T08-00-00-${id}.jsonl`)
  fs.mkdirSync(dirname(path), { recursive: true })
  const lines = [meta({ id }), said(`a zebra of ${id}`)]
  fs.writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
  return path
}

function waitFor(path: string): void {
  while (!fs.existsSync(path)) Bun.sleepSync(1)
}

/**
 * Another process that indexes a place, and is held up once it has opened a file, until it may go on; or, where that is to be appended to,
 * until then.
 */
async function slowNeighbour(place: string, index: string, path: string, appended = "") {
  const signs = tempFolder()
  const [opened = "", go = "", done = ""] = ["opened", "go", "done"].map((name) => join(signs, name))
  const script = `import { appendFileSync, existsSync, writeFileSync } from "node:fs"
    import { fileSystem } from "./src/file/system.ts"
    import { openStore } from "./src/index.ts"
    import { codex } from "./src/root/transcript/agents/codex.ts"
    import { transcriptRoot } from "./src/root/transcript/transcript-root.ts"
    const appended = ${JSON.stringify(appended)}
    const wait = () => {
      writeFileSync(${JSON.stringify(opened)}, "")
      while (!existsSync(${JSON.stringify(go)})) Bun.sleepSync(1)
    }
    let opens = 0
    const openFile = (path) => {
      const descriptor = fileSystem.openFile(path)
      // The first time only what it goes on from is looked for.
      if (appended === "" && path === ${JSON.stringify(path)} && ++opens === 2) wait()
      return descriptor
    }
    const roots = [transcriptRoot(codex, ${JSON.stringify(place)}, { fs: { ...fileSystem, openFile } })]
    const store = await openStore({ directory: ${JSON.stringify(join(place, "none"))}, indexPath: ${JSON.stringify(index)}, backgroundIndex: false, roots })
    if (appended !== "") {
      await store.index()
      wait()
      appendFileSync(${JSON.stringify(path)}, appended)
    }
    for await (const _ of store.sessions.ids());
    writeFileSync(${JSON.stringify(done)}, "")
    await store.close()`
  const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "inherit", stderr: "inherit" })
  while (!fs.existsSync(opened)) await Bun.sleep(1)
  return {
    goOn: () => {
      fs.writeFileSync(go, "")
      waitFor(done)
    },
    exited: child.exited,
  }
}

const ASK: Record<string, (store: Store) => Promise<unknown>> = {
  list: (store) => Array.fromAsync(store.sessions.ids()),
  page: async (store) => (await store.sessions.page({ limit: 10 })).items.map(({ id }) => id),
  count: (store) => store.sessions.count(),
}

test.each(Object.keys(ASK))(
  "a %s has no session that was gone before, though another process that had read it puts its rows meanwhile",
  async (ask) => {
    const [place, index] = [join(tempFolder(), "home"), tempFolder()]
    const gone = rollout(place, SESSION)
    const path = rollout(place, OTHER)
    await untilProven()
    const neighbour = await slowNeighbour(place, index, gone)
    fs.rmSync(gone)
    let isHeld = true
    const waiting: FileSystem = {
      ...fileSystem,
      openFile(of) {
        if (of === path && isHeld) neighbour.goOn()
        if (of === path) isHeld = false
        return fileSystem.openFile(of)
      },
    }
    await using store = await openStore({
      directory: tempFolder(),
      indexPath: index,
      backgroundIndex: false,
      roots: [transcriptRoot(codex, place, { fs: waiting })],
    })
    expect(await ASK[ask]?.(store)).toEqual(ask === "count" ? 1 : [OTHER])
    expect(isHeld).toBe(false)
    await neighbour.exited
  },
)

/** How many rows a listing reads at once. */
const PAGE = 1_000
const ids = Array.from({ length: PAGE + 20 }, (_, at) => `${String(at).padStart(8, "0")}${SESSION.slice(8)}`)

test("a long list has a session that another process puts in front while it is read", async () => {
  const [place, index] = [join(tempFolder(), "home"), tempFolder()]
  const paths = ids.map((id) => rollout(place, id))
  const [oldest = ""] = paths
  const long = new Date(Date.UTC(2026, 8, 1))
  for (const path of paths) fs.utimesSync(path, long, long)
  fs.utimesSync(oldest, long, new Date(long.getTime() - 1_000))
  await untilProven()
  const more = `${JSON.stringify({ timestamp: "2026-10-03T00:00:00.000Z", ...said("more") })}\n`
  const neighbour = await slowNeighbour(place, index, oldest, more)
  let isHeld = false
  const { query } = Database.prototype
  Database.prototype.query = function (this: Database, ...args: Parameters<typeof query>) {
    const statement = query.apply(this, args)
    const values = statement.values.bind(statement)
    statement.values = ((...parameters: never[]) => {
      const rows = values(...parameters)
      if (isHeld && rows.length === PAGE) {
        isHeld = false
        neighbour.goOn()
      }
      return rows
    }) as typeof statement.values
    return statement
  } as typeof query
  try {
    await using store = await openStore({
      directory: tempFolder(),
      indexPath: index,
      backgroundIndex: false,
      roots: [transcriptRoot(codex, place)],
    })
    await store.sessions.count()
    isHeld = true
    const listed = await Array.fromAsync(store.sessions.ids())
    expect(isHeld).toBe(false)
    expect(listed.toSorted()).toEqual(ids)
  } finally {
    Database.prototype.query = query
    neighbour.goOn()
    await neighbour.exited
  }
}, 30_000)
