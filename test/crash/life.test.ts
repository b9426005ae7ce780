import { afterAll, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { bytecodeOf } from "../support/bytecode.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"
import { deathsOf } from "./deaths.ts"
import type { Mortal } from "./dying.ts"

const childPath = bytecodeOf(join(import.meta.dir, "life-child.ts"))
const AT_ONCE = 2
const LEAST_KILLS = 80
const IDS = ["ses_1", "ses_2", "ses_3"] as const
/** Files of one session: itself, three messages with two parts each, three side files. */
const FILES = 1 + 3 * 3 + 3

let killed = 0

function fill(directory: string, ids: readonly string[] = IDS): void {
  for (const id of ids) {
    const [, number = ""] = id.split("_")
    const over = { parentID: id === "ses_3" ? "ses_2" : null, time: { created: 1, updated: Number(number) } }
    put(directory, `session/proj/${id}.json`, session(id, over))
    for (const kind of ["todo", "session_diff", "session_share"])
      put(directory, `${kind}/${id}.json`, [kind, id])
    for (let m = 0; m < 3; m++) {
      const messageID = `msg_${number}_${m}`
      put(directory, `message/${id}/${messageID}.json`, message(messageID, id, m))
      for (let p = 0; p < 2; p++)
        put(directory, `part/${messageID}/prt_${p}.json`, part(`prt_${p}`, messageID))
    }
  }
}

function files(directory: string): Record<string, string> {
  const all = Object.entries(fs.existsSync(directory) ? snapshot(directory) : {})
  return Object.fromEntries(
    all.filter(
      ([path, content]) => content !== "folder" && !path.startsWith(".sessiondex") && !path.endsWith(".tmp"),
    ),
  )
}

/** What lies in the trash, by the paths it had, without the manifests. */
function trashed(directory: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [path, content] of Object.entries(snapshot(directory))) {
    const [, below] = /^\.sessiondex-trash\/[^/]+\/(.+\/.+\.json)$/.exec(path) ?? []
    if (below && content !== "folder") found[below] = content
  }
  return found
}

/** A session that has its file has everything. */
function expectWhole(directory: string): void {
  const names = Object.keys(files(directory))
  for (const id of IDS) {
    if (!names.some((path) => path.startsWith("session/") && path.endsWith(`/${id}.json`))) continue
    const own = new RegExp(`${id}[./]|msg_${id.slice(4)}_`)
    expect(names.filter((path) => own.test(path) && !path.startsWith("session/"))).toHaveLength(FILES - 1)
  }
}

/** Does it once undisturbed, and then kills it at so many steps spread over it; each time in a folder of its own. */
async function killThroughout(
  what: string,
  points: number,
  prepare: (directory: string) => Promise<void>,
  check: (directory: string) => Promise<void>,
): Promise<void> {
  const fresh = async (): Promise<string> => {
    const directory = join(tempFolder(), "store")
    fs.mkdirSync(directory)
    await prepare(directory)
    return directory
  }
  const [{ steps = 0 } = {}] = await deathsOf(childPath(), [what], [{ directory: await fresh(), killAt: 0 }])
  expect(steps).toBeGreaterThan(20)
  const mortals: Mortal[] = []
  for (let at = 0; at < points; at++)
    mortals.push({ directory: await fresh(), killAt: 1 + Math.floor((at * steps) / points) })
  const fates = await deathsOf(childPath(), [what], mortals)
  // The last steps may not be there to be killed at.
  const died = fates.filter((fate) => fate.died).length
  const work = async (): Promise<void> => {
    for (let mortal = mortals.pop(); mortal; mortal = mortals.pop()) await check(mortal.directory)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  expect(died).toBeGreaterThan(points * 0.8)
  killed += died
}

async function checkIndex(directory: string): Promise<void> {
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  await store.index()
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
}

const original = tempFolder()
fill(original)
const whole = files(original)

test("a prune killed at any step loses nothing, lists only whole sessions, and is finished by the next", async () => {
  await killThroughout(
    "prune",
    24,
    async (directory) => fill(directory),
    async (directory) => {
      expect({ ...trashed(directory), ...files(directory) }).toEqual(whole)
      expectWhole(directory)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      await all(store.prune({ keep: 1 }))
      expect(Object.keys(files(directory))).toHaveLength(FILES)
      expect({ ...trashed(directory), ...files(directory) }).toEqual(whole)
      const entries = await all(store.trash.list())
      expect(entries.map(({ id, whole }) => [id, whole]).sort()).toEqual([
        ["ses_1", true],
        ["ses_2", true],
      ])
      await all(store.trash.restore(["ses_1", "ses_2"]))
      expect(files(directory)).toEqual(whole)
      await checkIndex(directory)
    },
  )
}, 120_000)

test("a restore killed at any step loses nothing, lists only whole sessions, and is finished by the next", async () => {
  await killThroughout(
    "restore",
    20,
    async (directory) => {
      fill(directory)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      await all(store.prune({ keep: 1 }))
    },
    async (directory) => {
      expect({ ...trashed(directory), ...files(directory) }).toEqual(whole)
      expectWhole(directory)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      await all(store.trash.restore((await all(store.trash.list())).map(({ id }) => id)))
      expect(files(directory)).toEqual(whole)
      expect(trashed(directory)).toEqual({})
    },
  )
}, 120_000)

test("a purge or an emptying killed at any step touches nothing else, and the next deletes the rest", async () => {
  for (const what of ["purge", "empty"])
    await killThroughout(
      what,
      12,
      async (directory) => {
        fill(directory)
        if (what === "purge") return
        await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
        await all(store.prune({ keep: 1 }))
      },
      async (directory) => {
        expectWhole(directory)
        const kept = Object.entries(whole).filter(([path]) => /ses_3|msg_3/.test(path))
        expect(files(directory)).toMatchObject(Object.fromEntries(kept))
        await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
        await all(store.prune({ keep: 1, purge: true }))
        await all(store.trash.empty())
        expect(files(directory)).toEqual(Object.fromEntries(kept))
        expect(fs.readdirSync(join(directory, ".sessiondex-trash"))).toEqual(["lock"])
      },
    )
}, 120_000)

test("an import killed at any step is gone on with, and a session that is listed is whole", async () => {
  const original = tempFolder()
  fill(original, ["ses_1"])
  const source = await openStore({ directory: original, backgroundIndex: false, durability: "relaxed" })
  const json = (await all(source.export("ses_1"))).join("")
  await source.close()
  await killThroughout(
    "import",
    16,
    async (directory) => {
      put(directory, "../export.json", json)
    },
    async (directory) => {
      const names = Object.keys(files(directory))
      if (names.some((path) => path.startsWith("session/"))) expect(names).toHaveLength(FILES - 3)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      const { added, unchanged, left } = await store.import(join(directory, "..", "export.json"))
      expect([added + unchanged, left]).toEqual([FILES - 3, []])
      expect((await all(store.export("ses_1"))).join("")).toBe(json)
    },
  )
}, 120_000)

test("a session whose move is killed at any step is never nowhere, and the next moves the rest", async () => {
  await killThroughout(
    "move",
    10,
    async (directory) => fill(directory),
    async (directory) => {
      const places = (id: string): string[] =>
        Object.keys(files(directory)).filter(
          (path) => path.startsWith("session/") && path.endsWith(`${id}.json`),
        )
      for (const id of IDS) expect(places(id).length).toBeGreaterThan(0)
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      expect(await all(store.sessions.ids())).toHaveLength(3)
      await store.sessions.move("ses_2", "elsewhere")
      expect(IDS.flatMap(places)).toEqual([
        "session/proj/ses_1.json",
        "session/elsewhere/ses_2.json",
        "session/elsewhere/ses_3.json",
      ])
    },
  )
}, 120_000)

test("a copy of the store killed at any step holds whole files only, and is gone on with", async () => {
  await killThroughout(
    "copy",
    10,
    async (directory) => fill(directory),
    async (directory) => {
      const target = join(directory, "..", "copy")
      const wanted = Object.fromEntries(
        Object.entries(whole).filter(([path]) => !path.startsWith("session_share")),
      )
      expect(wanted).toMatchObject(files(target))
      await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
      expect(await all(store.copyTo(target))).toEqual([])
      expect(files(target)).toEqual(wanted)
    },
  )
}, 120_000)

afterAll(() => {
  console.log(`killed at ${killed} steps`)
  if (killed < LEAST_KILLS) throw new Error(`Only ${killed} kills, at least ${LEAST_KILLS} are wanted`)
})
