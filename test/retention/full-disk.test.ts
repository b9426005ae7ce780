import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { isDiskFull } from "../../src/errors.ts"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { isStoreError, type StoreOptions } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"

/** A disk that takes so many new files and folders, and then none. */
class FullDisk {
  room = Number.POSITIVE_INFINITY

  #take(path: string): void {
    if (this.room-- <= 0) throw Object.assign(new Error(`no space left, ${path}`), { code: "ENOSPC", path })
  }

  readonly fs: FileSystem = {
    ...fileSystem,
    createFile: (path, text) => {
      this.#take(path)
      return fileSystem.createFile(path, text)
    },
    makeDirectory: (path) => {
      if (!fs.existsSync(path)) this.#take(path)
      return fileSystem.makeDirectory(path)
    },
  }
}

function fill(directory: string): void {
  for (const s of [1, 2, 3]) {
    const id = `ses_${s}`
    put(directory, `session/p/${id}.json`, session(id, { time: { created: 1, updated: s } }))
    put(directory, `message/${id}/msg_${s}.json`, message(`msg_${s}`, id, 1))
    put(directory, `part/msg_${s}/prt_1.json`, part("prt_1", `msg_${s}`))
    put(directory, `todo/${id}.json`, [])
  }
}

function open(directory: string, disk: FullDisk, more: Partial<StoreOptions> = {}): Store {
  return new Store(resolveOptions({ directory, backgroundIndex: false, ...more }), { fs: disk.fs })
}

/** The store's files, and the entries in its trash. */
function look(directory: string): { files: string[]; entries: number } {
  const names = Object.entries(snapshot(directory)).filter(([, content]) => content !== "folder")
  const trash = join(directory, ".sessiondex-trash")
  return {
    files: names
      .map(([path]) => path)
      .filter((path) => !path.startsWith(".sessiondex"))
      .sort(),
    entries: fs.existsSync(trash) ? fs.readdirSync(trash).filter((name) => name !== "lock").length : 0,
  }
}

test("at whatever step the disk is full, a purge goes on, a prune changes nothing, and the trash can be emptied", async () => {
  for (let room = 0; ; room++) {
    const directory = tempFolder()
    const disk = new FullDisk()
    fill(directory)
    await using store = open(directory, disk)
    const { files } = look(directory)
    disk.room = room
    const refused = await all(store.prune({ keep: 2 })).catch((error: unknown) => error)
    const isDone = Array.isArray(refused) && refused[0]?.outcome === "trashed"
    if (!isDone) {
      const error = Array.isArray(refused) ? refused[0]?.error : refused
      expect([room, error]).toMatchObject([room, { code: "WRITE_FAILED", cause: { code: "ENOSPC" } }])
      if (!isStoreError(error)) throw error
      expect(error.hint).toContain("full")
      expect([room, look(directory)]).toEqual([room, { files, entries: 0 }])
    }
    disk.room = 0
    const gone = await all(store.prune({ keep: 1, purge: true }))
    expect([room, gone.map(({ id, outcome }) => [id, outcome])]).toEqual([
      room,
      [...(isDone ? [] : [["ses_1", "purged"]]), ["ses_2", "purged"]],
    ])
    expect((await all(store.trash.empty())).map(({ id }) => id)).toEqual(isDone ? ["ses_1"] : [])
    expect(look(directory)).toEqual({ files: files.filter((path) => /_3|msg_3/.test(path)), entries: 0 })
    expect(await all(store.sessions.ids())).toEqual(["ses_3"])
    expect(await all(store.orphans())).toEqual([])
    if (!isDone) continue
    expect(room).toBeGreaterThan(3)
    return
  }
})

test("what was changed meanwhile, or is shared, stays on a full disk too", async () => {
  const directory = tempFolder()
  const disk = new FullDisk()
  fill(directory)
  put(directory, "message/ses_3/msg_2.json", message("msg_2", "ses_3", 1))
  await using store = open(directory, disk)
  const dry = await all(store.prune({ keep: 1, dryRun: true }))
  put(directory, "part/msg_1/prt_2.json", part("prt_2", "msg_1"))
  disk.room = 0
  const only = new Map(dry.map(({ id, version }) => [id, version]))
  const gone = await all(store.prune({ keep: 1, purge: true, only }))
  expect(gone.map(({ id, outcome }) => [id, outcome])).toEqual([
    ["ses_1", "changed"],
    ["ses_2", "purged"],
  ])
  expect(await all(store.messages.stream("ses_1"))).toMatchObject([
    { parts: [{ id: "prt_1" }, { id: "prt_2" }] },
  ])
  expect(await all(store.parts.ids("msg_2"))).toEqual(["prt_1"])
})

test("where the lock's file cannot be made a write says that the disk is full, and a removal goes on", async () => {
  const directory = tempFolder()
  const disk = new FullDisk()
  fill(directory)
  disk.room = 0
  await using store = open(directory, disk, { indexPath: join(tempFolder(), "not", "there") })
  const [written, removed, updated] = await Promise.allSettled([
    store.sessions.write(session("ses_9", { projectID: "p" })),
    store.remove(["todo", "ses_1"]),
    store.update<{ title: string }>(["session", "p", "ses_1"], (draft) => {
      draft.title = "new"
    }),
  ])
  for (const { status, reason } of [written, updated].map((result) => ({ reason: undefined, ...result })))
    expect([status, isStoreError(reason, "WRITE_FAILED"), isDiskFull(reason)]).toEqual([
      "rejected",
      true,
      true,
    ])
  expect(removed).toEqual({ status: "fulfilled", value: true })
  expect(await failure(store.update(["session", "p", "ses_8"], () => ({})))).toMatchObject({
    code: "NOT_FOUND",
  })
  expect(await store.sessions.remove("ses_2")).toMatchObject({ sessions: 1, messages: 1, parts: 1 })
  expect(await all(store.sessions.ids())).toEqual(["ses_3", "ses_1"])
})
