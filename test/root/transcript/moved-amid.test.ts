import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { type FileSystem, fileSystem } from "../../../src/file/system.ts"
import { openStore, type Store } from "../../../src/index.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import { meta, SESSION, said } from "./codex-transcripts.ts"

const MOVED = SESSION.replace("01a3", "01a4")
const BOTH = [SESSION, MOVED].sort()
const DAY = "sessions/2026/11/02"
const ARCHIVE = "archived_sessions"

function nameOf(id: string): string {
  return `rollout-2026-11-01T08-00-00-${id}.jsonl`
}

function rollout(place: string, folder: string, id: string): string {
  const path = join(place, folder, nameOf(id))
  fs.mkdirSync(dirname(path), { recursive: true })
  const lines = [meta({ id }), said(`a zebra of ${id}`)]
  fs.writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
  return path
}

function compress(path: string): void {
  fs.writeFileSync(`${path}.zst`, Bun.zstdCompressSync(fs.readFileSync(path)))
  fs.rmSync(path)
}

/** What other programs do to a session while a question is answered: where it lies before, what is done, and before which call for it. */
const MOVES = {
  "is taken out of the archive while folders are looked through": {
    from: ARCHIVE,
    at: "lstat",
    move: (path: string, place: string) => fs.renameSync(path, join(place, DAY, nameOf(MOVED))),
  },
  "is compressed while folders are looked through": { from: DAY, at: "lstat", move: compress },
  "is archived before it is read": {
    from: DAY,
    at: "openFile",
    move: (path: string, place: string) => fs.renameSync(path, join(place, ARCHIVE, nameOf(MOVED))),
  },
  "is compressed before it is read": { from: DAY, at: "openFile", move: compress },
} as const

const ASK: Record<string, (store: Store) => Promise<string[]>> = {
  list: (store) => Array.fromAsync(store.sessions.ids()),
  page: async (store) => (await store.sessions.page({ limit: 10 })).items.map(({ id }) => String(id)),
}

const CASES = Object.entries(MOVES).flatMap(([name, how]) =>
  Object.keys(ASK).flatMap((ask) =>
    ["new", "known", "without an index"].map((state) => [name, ask, state, how] as const),
  ),
)

test.each(CASES)("a session that %s is in the %s (%s)", async (_, ask, state, { from, at, move }) => {
  const place = join(tempFolder(), "home")
  rollout(place, "sessions/2026/11/01", SESSION)
  for (const folder of [DAY, ARCHIVE]) fs.mkdirSync(join(place, folder), { recursive: true })
  const path = rollout(place, from, MOVED)
  await untilProven()
  let act: (() => void) | undefined
  const before = (call: string, of: string): void => {
    if (call !== at || of !== path) return
    act?.()
    act = undefined
  }
  const moving: FileSystem = {
    ...fileSystem,
    lstat(of, like) {
      before("lstat", of)
      return fileSystem.lstat(of, like)
    },
    openFile(of) {
      before("openFile", of)
      return fileSystem.openFile(of)
    },
  }
  await using store = await openStore({
    directory: tempFolder(),
    indexPath: tempFolder(),
    backgroundIndex: false,
    roots: [transcriptRoot(codex, place, { fs: moving, filesOnly: state === "without an index" })],
  })
  const asked = async (): Promise<string[]> => ((await ASK[ask]?.(store)) ?? []).sort()
  if (state === "known") {
    await store.index()
    expect(await asked()).toEqual(BOTH)
    fs.appendFileSync(path, `${JSON.stringify(said("more"))}\n`)
  }
  act = () => move(path, place)
  expect(await asked()).toEqual(BOTH)
  expect(act).toBeUndefined()
  expect(await asked()).toEqual(BOTH)
})
