import { afterEach, describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

const umask = process.umask()
afterEach(() => {
  process.umask(umask)
})

/** Permissions of what lies in a store, as octal text by path. */
function modes(directory: string, ...paths: string[]): Record<string, string> {
  const mode = (path: string): string => (fs.statSync(join(directory, path)).mode & 0o7777).toString(8)
  return Object.fromEntries(paths.map((path) => [path, mode(path)]))
}

function withMode(path: string, mode: number): string {
  fs.mkdirSync(path, { recursive: true })
  fs.chmodSync(path, mode)
  return path
}

describe.if(process.platform !== "win32")("who may use a file", () => {
  test.each([0o664, 0o644, 0o600, 0o444])(
    "a file of mode %o keeps it when it is written anew",
    async (mode) => {
      const directory = withMode(join(tempFolder(), "store"), 0o755)
      const path = put(directory, "session/p/ses_1.json", session("ses_1"))
      fs.chmodSync(path, mode)
      await using store = await openStore({ directory, backgroundIndex: false })
      await store.sessions.update("ses_1", (draft) => {
        draft.title = "Another"
      })
      expect(fs.statSync(path).mode & 0o777).toBe(mode)
      await store.write(["session", "p", "ses_1"], session("ses_1", { title: "A third" }))
      expect(fs.statSync(path).mode & 0o777).toBe(mode)
      await store.parts.write(part("prt_1", "msg_1", "a"))
      fs.chmodSync(join(directory, "part/msg_1/prt_1.json"), mode)
      await store.parts.write(part("prt_1", "msg_1", "b"), { coalesce: 60_000 })
      await store.parts.write(part("prt_1", "msg_1", "c"), { coalesce: 60_000 })
      await store.flush()
      expect(fs.statSync(join(directory, "part/msg_1/prt_1.json")).mode & 0o777).toBe(mode)
    },
  )

  test.each([
    { store: 0o2775, umask: 0o002, folder: "2775", file: "664", own: "2770", trash: "2770", lock: "660" },
    { store: 0o2775, umask: 0o022, folder: "2755", file: "644", own: "2770", trash: "2770", lock: "660" },
    { store: 0o755, umask: 0o022, folder: "755", file: "644", own: "700", trash: "700", lock: "600" },
    { store: 0o755, umask: 0o077, folder: "700", file: "600", own: "700", trash: "700", lock: "600" },
    { store: 0o700, umask: 0o022, folder: "700", file: "600", own: "700", trash: "700", lock: "600" },
    { store: 0o777, umask: 0o022, folder: "755", file: "644", own: "2777", trash: "777", lock: "666" },
  ])(
    "new files and folders of a store of mode $store take after it with a umask of $umask",
    async (wanted) => {
      const directory = withMode(join(tempFolder(), "store"), wanted.store)
      process.umask(wanted.umask)
      await using store = await openStore({ directory, backgroundIndex: false })
      await store.sessions.write(session("ses_1", { projectID: "p" }))
      await store.messages.write(message("msg_1", "ses_1", 1))
      await store.index()
      expect(modes(directory, "session", "session/p", "message", "message/ses_1")).toEqual({
        session: wanted.folder,
        "session/p": wanted.folder,
        message: wanted.folder,
        "message/ses_1": wanted.folder,
      })
      const { file, own, lock } = wanted
      const written = { "session/p/ses_1.json": file, "message/ses_1/msg_1.json": file }
      expect(modes(directory, ...Object.keys(written))).toEqual(written)
      const ours = {
        ".sessiondex": own,
        ".sessiondex.lock": lock,
        ".sessiondex/index.sqlite": lock,
        ".sessiondex/index.sqlite-wal": lock,
        ".sessiondex/index.sqlite-shm": lock,
        ".sessiondex/open.lock": lock,
        ".sessiondex/clock": lock,
      }
      expect(modes(directory, ...Object.keys(ours))).toEqual(ours)
      await all(store.prune({ keep: 0 }))
      expect(modes(directory, ".sessiondex-trash", ".sessiondex-trash/lock")).toEqual({
        ".sessiondex-trash": wanted.trash,
        ".sessiondex-trash/lock": lock,
      })
      // What goes and comes back is as it was, the folders that were made for it meanwhile included.
      fs.rmSync(join(directory, "session"), { recursive: true })
      await all(store.trash.restore("ses_1"))
      expect(modes(directory, "session", "session/p", ...Object.keys(written))).toEqual({
        session: wanted.folder,
        "session/p": wanted.folder,
        ...written,
      })
    },
  )

  test("a store that is not there yet is made for its owner only", async () => {
    process.umask(0o022)
    const directory = join(withMode(join(tempFolder(), "data"), 0o755), "opencode", "storage")
    await using store = await openStore({ directory, backgroundIndex: false })
    await store.write(["todo", "ses_1"], [])
    expect(modes(directory, "..", "", "todo", "todo/ses_1.json", ".sessiondex.lock")).toEqual({
      "..": "700",
      "": "700",
      todo: "700",
      "todo/ses_1.json": "600",
      ".sessiondex.lock": "600",
    })
    fs.chmodSync(directory, 0o755)
    const copy = join(directory, "..", "..", "copy")
    await all(store.copyTo(copy))
    expect(modes(copy, "", "todo", "todo/ses_1.json")).toEqual({
      "": "700",
      todo: "700",
      "todo/ses_1.json": "600",
    })
  })

  test("nobody else can read a temp file before it is renamed to what they may read", async () => {
    process.umask(0)
    const directory = withMode(join(tempFolder(), "store"), 0o777)
    const open = new Map<number, string>()
    const seen: string[] = []
    const look = (descriptor: number): void => {
      const { size, mode } = fs.fstatSync(descriptor)
      const path = open.get(descriptor)
      if (path?.endsWith(".tmp") && size > 0) seen.push((mode & 0o777).toString(8))
    }
    const system: FileSystem = {
      ...fileSystem,
      createFile(path, text, mode) {
        const descriptor = fileSystem.createFile(path, text, mode)
        open.set(descriptor, path)
        look(descriptor)
        return descriptor
      },
      append(descriptor, bytes) {
        fileSystem.append(descriptor, bytes)
        look(descriptor)
      },
    }
    await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: system })
    for (let i = 0; i < 2; i++) await store.write(["todo", "ses_1"], [i])
    await all(store.copyTo(`${withMode(join(directory, "..", "copies"), 0o777)}/store`))
    expect(seen).toEqual(["600", "600", "600"])
    expect(modes(directory, "todo/ses_1.json")).toEqual({ "todo/ses_1.json": "666" })
  })

  test("records that are written at once are for those whom each alone would be for", async () => {
    process.umask(0o002)
    const directory = withMode(join(tempFolder(), "store"), 0o755)
    const folders = { ses_open: 0o777, ses_group: 0o770, ses_own: 0o700 }
    for (const [name, mode] of Object.entries(folders)) withMode(join(directory, "message", name), mode)
    const written: number[] = []
    const look = (descriptor: number): void => {
      const { size, mode } = fs.fstatSync(descriptor)
      if (size > 0) written.push(mode & 0o777)
    }
    const system: FileSystem = {
      ...fileSystem,
      createFile(path, text, mode) {
        const descriptor = fileSystem.createFile(path, text, mode)
        if (path.endsWith(".tmp")) look(descriptor)
        return descriptor
      },
      append(descriptor, bytes) {
        fileSystem.append(descriptor, bytes)
        look(descriptor)
      },
    }
    await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: system })
    const keys = Object.keys(folders).flatMap((name) =>
      ["msg_1", "msg_2", "msg_3"].map((id) => ["message", name, id]),
    )
    await Promise.all(keys.map((key) => store.write(key, {})))
    const given = { ses_open: "664", ses_group: "660", ses_own: "600" }
    const paths = keys.map((key) => `${key.join("/")}.json`)
    expect(modes(directory, ...paths)).toEqual(
      Object.fromEntries(keys.map((key, at) => [paths[at], given[key[1] as keyof typeof given]])),
    )
    expect(written).toEqual(keys.map(() => 0o600))
  })
})

/** The real file system, where a record is of another owner and group and only some may be given. */
function foreign(path: string, may: (uid: number, gid: number) => boolean, calls: string[]): FileSystem {
  const open = new Map<number, string>()
  return {
    ...fileSystem,
    lstat(at) {
      const stat = fileSystem.lstat(at)
      return stat && at === path ? { ...stat, uid: 1_234, gid: 77, mode: 0o664 } : stat
    },
    createFile(at, text, mode) {
      const descriptor = fileSystem.createFile(at, text, mode)
      open.set(descriptor, at)
      return descriptor
    },
    setOwner(descriptor, uid, gid) {
      if (!open.get(descriptor)?.endsWith(".tmp")) return
      const who = uid === 1_234 ? "1234" : "ours"
      calls.push(`owner ${who}:${gid}`)
      if (!may(uid, gid)) throw Object.assign(new Error("operation not permitted"), { code: "EPERM" })
    },
    setMode(descriptor, mode) {
      if (open.get(descriptor)?.endsWith(".tmp")) calls.push(`mode ${mode.toString(8)}`)
      fileSystem.setMode(descriptor, mode)
    },
    rename(from, to) {
      calls.push("rename")
      fileSystem.rename(from, to)
    },
  }
}

test.each([
  { name: "both", may: () => true, calls: ["owner 1234:77", "mode 664", "rename"] },
  {
    name: "the group alone",
    may: (uid: number) => uid !== 1_234,
    calls: ["owner 1234:77", "owner ours:77", "mode 664", "rename"],
  },
  {
    // The group that it is of instead was not let in.
    name: "neither",
    may: () => false,
    calls: ["owner 1234:77", "owner ours:77", "mode 644", "rename"],
  },
])("of another's file owner and group are kept where they may be set: $name", async ({ may, calls }) => {
  const directory = join(tempFolder(), "store")
  const path = put(directory, "todo/ses_1.json", [])
  const made: string[] = []
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  await using store = new Store(options, { fs: foreign(path, may, made) })
  await store.update(["todo", "ses_1"], () => [1])
  expect(made).toEqual([...calls])
})

test("a file system without permissions can be written to", async () => {
  const refuse = (): never => {
    throw Object.assign(new Error("operation not permitted"), { code: "EPERM" })
  }
  process.umask(0o022)
  const directory = withMode(join(tempFolder(), "store"), 0o777)
  const options = resolveOptions({ directory, backgroundIndex: false })
  await using store = new Store(options, { fs: { ...fileSystem, setMode: refuse, setOwner: refuse } })
  for (let i = 0; i < 2; i++) await store.write(["todo", "ses_1"], [i])
  expect(await store.read<number[]>(["todo", "ses_1"])).toEqual([1])
})
