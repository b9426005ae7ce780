import { expect, test } from "bun:test"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, message, part, session } from "../support/records.ts"
import { RenameBlindFileSystem } from "../support/rename-blind-fs.ts"
import { put, tempFolder, tempFoldersOnDisk, untilProven } from "../support/temp.ts"

tempFoldersOnDisk()

const IDS = ["ses_1", "ses_2", "ses_3"] as const

/** A store on a device that does not date folders by renames, indexed and settled. */
async function settled(directory: string, fs: FileSystem, more: Partial<StoreOptions> = {}): Promise<Store> {
  for (const id of IDS) {
    put(directory, `session/p/${id}.json`, session(id, { projectID: "p" }))
    put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 1))
    put(directory, `part/msg_${id}/prt_1.json`, part("prt_1", `msg_${id}`))
  }
  const store = new Store(resolveOptions({ directory, backgroundIndex: false, ...more }), { fs })
  await untilProven()
  // Where no probe can be touched, a younger folder has to show how far the clock is.
  put(directory, "session/a/.keep", "")
  await store.index()
  expect(await everything(store)).toEqual({ sessions: 3, messages: 3, indexed: "3 3 3" })
  return store
}

async function everything(store: Store) {
  const sessions = (await all(store.sessions.ids())).length
  let messages = 0
  for (const id of IDS) messages += (await all(store.messages.ids(id))).length
  const indexed = await store.index()
  return { sessions, messages, indexed: `${indexed.sessions} ${indexed.messages} ${indexed.parts}` }
}

test("a rename by another program is seen where folders are not dated by it", async () => {
  const device = new RenameBlindFileSystem()
  const directory = join(tempFolder(), "store")
  await using store = await settled(directory, device.fs)
  const path = (project: string, id: string): string => join(directory, "message", project, `${id}.json`)
  device.rename(path("ses_1", "msg_ses_1"), path("ses_2", "msg_x"))
  expect(await all(store.messages.ids("ses_2"))).toEqual(["msg_x", "msg_ses_2"])
  expect(await all(store.messages.ids("ses_1"))).toEqual([])
  expect(await store.verify()).toMatchObject({ ok: true })
})

test.each(["beside the files", "on another device, where nothing can be tried"])(
  "what we moved is listed where folders are not dated by it, with the index %s",
  async (where) => {
    const device = new RenameBlindFileSystem()
    const folder = tempFolder()
    const directory = join(folder, "store")
    const elsewhere = join(folder, "index")
    const awayFromIt: FileSystem = {
      ...device.fs,
      touch: (path) => ({ ...fileSystem.touch(path), device: 7n }),
      lstat: (path) => {
        const stat = device.fs.lstat(path)
        return stat && path.startsWith(elsewhere) ? { ...stat, device: 7n } : stat
      },
    }
    await using store =
      where === "beside the files"
        ? await settled(directory, device.fs)
        : await settled(directory, awayFromIt, { indexPath: elsewhere })
    expect(await all(store.prune({ keep: 1 }))).toHaveLength(2)
    expect(await everything(store)).toEqual({ sessions: 1, messages: 1, indexed: "1 1 1" })
    await untilProven()
    await store.index()
    await all(store.trash.restore(["ses_1", "ses_2"]))
    expect(await everything(store)).toEqual({ sessions: 3, messages: 3, indexed: "3 3 3" })
    expect(await store.verify()).toMatchObject({ ok: true })
  },
)

test("the names of quiet folders are read once where renames date them, and that is tried once", async () => {
  let tries = 0
  let readings = 0
  const directory = join(tempFolder(), "store")
  const fs: FileSystem = {
    ...fileSystem,
    rename(from, to) {
      if (to.includes(".sessiondex")) tries++
      fileSystem.rename(from, to)
    },
    readNames(path) {
      if (path.includes("/message/")) readings++
      return fileSystem.readNames(path)
    },
  }
  await using store = await settled(directory, fs)
  readings = 0
  await everything(store)
  await everything(store)
  expect(readings).toBe(0)
  expect(tries).toBe(1)
  // Nothing of the trial stays.
  expect(
    (
      await Array.fromAsync(new Bun.Glob("**/*").scan({ cwd: join(directory, ".sessiondex"), dot: true }))
    ).sort(),
  ).toEqual(["clock", "index.sqlite", "index.sqlite-shm", "index.sqlite-wal", "open.lock"])
})

test("opening, and listing what is known, tries nothing", async () => {
  const directory = join(tempFolder(), "store")
  const first = await settled(directory, fileSystem)
  await untilProven()
  await first.index()
  await first.close()
  const calls: string[] = []
  const fs: FileSystem = {
    ...fileSystem,
    rename: (from, to) => {
      calls.push("rename")
      fileSystem.rename(from, to)
    },
    touch: (path) => {
      calls.push("touch")
      return fileSystem.touch(path)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  expect(await everything(store)).toMatchObject({ sessions: 3 })
  expect(calls).toEqual([])
})
