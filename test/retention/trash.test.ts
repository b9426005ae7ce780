import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { basename, join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { openStore, type Problem } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

/** A store of sessions with a message and a part each. */
function fill(directory: string, ids: readonly string[]): void {
  for (const id of ids) {
    put(directory, `session/p/${id}.json`, session(id, { projectID: "p" }))
    put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 1))
    put(directory, `part/msg_${id}/prt_1.json`, part("prt_1", `msg_${id}`))
  }
}

function refuse(path: string): never {
  throw Object.assign(new Error("no"), { code: "EACCES", path })
}

test("what others put into the trash's folder is left there, and hinders nothing", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1"])
  const foreign = [
    put(directory, ".sessiondex-trash/notes/kept.json", { mine: 1 }),
    put(directory, ".sessiondex-trash/notes/deep/kept.txt", "mine"),
  ]
  await using store = await openStore({ directory, backgroundIndex: false })
  await all(store.prune({ keep: 0 }))
  const [entry] = await all(store.trash.list())
  foreign.push(put(entry?.path ?? "", "remark.txt", "why it went"))
  await all(store.trash.restore("ses_1"))
  expect(foreign.filter((path) => !fs.existsSync(path))).toEqual([])
  expect(await all(store.messages.stream("ses_1"))).toMatchObject([{ parts: [{ id: "prt_1" }] }])
  expect(await all(store.trash.list())).toEqual([])
})

test("an entry whose manifest is damaged or gone is told of and left; the others are listed and restored", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1", "ses_2", "ses_3"])
  const problems: Problem[] = []
  await using store = await openStore({
    directory,
    backgroundIndex: false,
    onProblem: (problem) => problems.push(problem),
  })
  await all(store.prune({ keep: 0 }))
  const [torn = "", bare = ""] = (await all(store.trash.list())).map(({ path }) => path)
  fs.rmSync(join(bare, "trashed.json"))
  const manifest = put(torn, "trashed.json", "{ torn")
  fs.utimesSync(manifest, 1, 1)
  const listed = await all(store.trash.list())
  expect(listed).toHaveLength(1)
  expect(problems.map(({ path, code }) => `${code} ${path}`)).toEqual([
    `CORRUPT ${manifest}`,
    `CORRUPT ${bare}`,
  ])
  expect(await all(store.trash.restore(listed.map(({ id }) => id)))).toMatchObject([{ files: 3, left: [] }])
  await all(store.trash.empty())
  for (const path of [torn, bare]) expect(fs.readdirSync(join(path, "session/p"))).toHaveLength(1)
})

test("restore tells what really came back, also of what was lost or stayed", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1"])
  await using store = await openStore({ directory, backgroundIndex: false })
  const [{ bytes = 0 } = {}] = await all(store.prune({ keep: 0 }))
  const [entry] = await all(store.trash.list())
  fs.rmSync(join(entry?.path ?? "", "part"), { recursive: true })
  const back = put(directory, "message/ses_1/msg_ses_1.json", "{}")
  const [first] = await all(store.trash.restore("ses_1"))
  expect(first).toMatchObject({ files: 1, left: [expect.stringContaining("msg_ses_1.json")] })
  fs.rmSync(back)
  const [second] = await all(store.trash.restore("ses_1"))
  expect(second).toMatchObject({ files: 1, left: [] })
  expect((first?.bytes ?? 0) + (second?.bytes ?? 0)).toBe(
    bytes - JSON.stringify(part("prt_1", "msg_ses_1")).length,
  )
})

test("an entry that cannot be deleted hinders no other, and is told of", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1", "ses_2", "ses_3"])
  let stuck = "none"
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      removeFile: (path) => (path.includes(`${stuck}/part`) ? refuse(path) : fileSystem.removeFile(path)),
    },
  })
  await all(store.prune({ keep: 0 }))
  const entries = (await all(store.trash.list())).reverse()
  const [first, second] = entries
  stuck = basename(first?.path ?? "")
  expect(await failure(all(store.trash.empty({ ids: [first?.id ?? ""] })))).toMatchObject({
    code: "WRITE_FAILED",
  })
  expect(await all(store.trash.restore(second?.id ?? ""))).toMatchObject([{ files: 3 }])
  expect(await all(store.prune({ keep: 0 }))).toMatchObject([{ outcome: "trashed" }])
  expect(await failure(all(store.trash.empty()))).toMatchObject({ code: "WRITE_FAILED" })
  expect((await all(store.trash.list())).map(({ id }) => id)).toEqual([first?.id ?? ""])
  stuck = "none"
  await all(store.trash.empty())
  expect(fs.readdirSync(join(directory, ".sessiondex-trash"))).toEqual(["lock"])
})

test("what could not be moved is listed at once, whatever the staleness allowed", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1"])
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false, maxStaleness: 1e9 }), {
    fs: {
      ...fileSystem,
      rename: (from, to) => (from.endsWith("part/msg_ses_1") ? refuse(from) : fileSystem.rename(from, to)),
    },
  })
  expect(await all(store.sessions.ids())).toEqual(["ses_1"])
  expect(await all(store.messages.ids("ses_1"))).toHaveLength(1)
  expect(await all(store.prune({ keep: 0 }))).toMatchObject([{ outcome: "failed" }])
  expect(await all(store.sessions.ids())).toEqual(["ses_1"])
  expect(await all(store.messages.ids("ses_1"))).toHaveLength(1)
})

test("a manifest whose id leads out of the store moves and deletes nothing", async () => {
  const directory = join(tempFolder(), "store")
  fill(directory, ["ses_1"])
  const outside = put(directory, "../outside/precious.json", { mine: 1 })
  for (const [at, kind] of ["session", "remains", "parts"].entries())
    put(directory, `.sessiondex-trash/${at}/moving.json`, { version: 1, kind, id: "../../outside" })
  await using store = await openStore({ directory, backgroundIndex: false })
  await all(store.prune({ keep: 1 }))
  expect(fs.existsSync(outside)).toBe(true)
  expect(await all(store.trash.list())).toEqual([])
  await all(store.trash.empty())
  expect(fs.existsSync(outside)).toBe(true)
})

test("a link in place of a folder of an entry is not followed", async () => {
  const directory = join(tempFolder(), "store")
  fill(directory, ["ses_1"])
  const outside = put(directory, "../outside/p/precious.json", { mine: 1 })
  await using store = await openStore({ directory, backgroundIndex: false })
  await all(store.prune({ keep: 0 }))
  const [entry] = await all(store.trash.list())
  const room = join(entry?.path ?? "", "session")
  fs.renameSync(room, join(directory, "aside"))
  fs.symlinkSync(join(directory, "../outside"), room)
  expect(await all(store.trash.restore("ses_1"))).toMatchObject([{ files: 2 }])
  await all(store.trash.empty())
  expect(fs.existsSync(outside)).toBe(true)
})

test("a trash that cannot be listed is an error that names it", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1"])
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      readDirectory: (path) => (path.endsWith("-trash") ? refuse(path) : fileSystem.readDirectory(path)),
    },
  })
  await all(store.prune({ keep: 0 }))
  const told = { code: "UNREADABLE", path: join(directory, ".sessiondex-trash") }
  expect(await failure(all(store.trash.list()))).toMatchObject(told)
  expect(await failure(all(store.trash.restore("ses_1")))).toMatchObject(told)
})

test("what became of each is told of that one, however long the disk takes for any", async () => {
  const directory = tempFolder()
  fill(directory, ["ses_1", "ses_2", "ses_3"])
  let flushes = 0
  const slowFirst = {
    ...fileSystem,
    async flush(descriptor: number) {
      if (flushes++ === 0) await Bun.sleep(20)
      await fileSystem.flush(descriptor)
    },
    rename(from: string, to: string) {
      if (from.endsWith("/part/msg_ses_1")) refuse(from)
      fileSystem.rename(from, to)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: slowFirst })
  const pruned = await all(store.prune({ keep: 0 }))
  const failed = pruned.filter(({ outcome }) => outcome === "failed")
  expect(failed.map(({ id }) => id)).toEqual(["ses_1"])
  expect(await all(store.sessions.ids())).toEqual(["ses_1"])
})
