import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { StoreError } from "../../src/errors.ts"
import { ProcessLock, type Release } from "../../src/file/lock.ts"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { tempPath } from "../../src/file/temp-file.ts"
import { WriteQueue } from "../../src/file/write-queue.ts"
import { openStore } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

/** The real file system, telling of each call that changed or flushes something. */
function recording(calls: string[]): FileSystem {
  const name = (path: string): string => path.replace(/.*\//, "").replace(/^\.sessiondex-.*/, "temp")
  return {
    ...fileSystem,
    createFile(path, text) {
      const descriptor = fileSystem.createFile(path, text)
      calls.push(`create ${name(path)}`)
      return descriptor
    },
    flush(descriptor) {
      calls.push("flush")
      return fileSystem.flush(descriptor)
    },
    flushDirectory(path) {
      calls.push(`flush ${name(path)}/`)
      return fileSystem.flushDirectory(path)
    },
    rename(from, to) {
      calls.push(`rename ${name(from)} ${name(to)}`)
      fileSystem.rename(from, to)
    },
  }
}

test("a durable write is temp file, flush, rename, folder flush; a new folder's name is flushed too", async () => {
  const calls: string[] = []
  const directory = tempFolder()
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: recording(calls),
  })
  await store.write(["todo", "a"], {})
  const root = directory.replace(/.*\//, "")
  expect(calls.slice(0, 3)).toEqual(["create temp", "flush", "rename temp a.json"])
  expect(calls.slice(3).sort()).toEqual([`flush ${root}/`, "flush todo/"].sort())
  calls.length = 0
  await store.write(["todo", "a"], { again: true })
  expect(calls).toEqual(["create temp", "flush", "rename temp a.json", "flush todo/"])
})

test("relaxed durability leaves out the flushes and nothing else", async () => {
  const calls: string[] = []
  const options = resolveOptions({ directory: tempFolder(), backgroundIndex: false, durability: "relaxed" })
  await using store = new Store(options, { fs: recording(calls) })
  await store.write(["todo", "a"], {})
  expect(calls).toEqual(["create temp", "rename temp a.json"])
})

test("writes made at once share their flushes of the folder", async () => {
  const calls: string[] = []
  await using store = new Store(resolveOptions({ directory: tempFolder(), backgroundIndex: false }), {
    fs: recording(calls),
  })
  await store.write(["todo", "first"], {})
  calls.length = 0
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.write(["todo", `t${i}`], { i })))
  expect(calls.filter((call) => call === "flush todo/")).toHaveLength(1)
  expect(await store.count(["todo"])).toBe(21)
})

test("a lock that is not to be had is waited for once, also by what waits behind the first batch", async () => {
  let waits = 0
  const directory = tempFolder()
  class Held extends ProcessLock {
    override async acquire(): Promise<Release> {
      waits++
      // One that comes meanwhile has not waited yet.
      if (waits === 1) late = enqueue(1_000)
      await Bun.sleep(1)
      if (waits === 1) throw new StoreError("LOCKED", "Held by another")
      return () => {}
    }
  }
  const queue = new WriteQueue({
    fs: fileSystem,
    directory,
    lock: new Held(join(directory, "lock")),
    maxRecordBytes: 1_000,
    durability: "relaxed",
    publish: async () => {},
  })
  const enqueue = (i: number): Promise<boolean> =>
    queue.enqueue({
      key: ["todo", `${i}`],
      path: join(directory, "todo", `${i}.json`),
      reads: false,
      decide: () => ({ text: "[]", value: [] }),
    })
  let late: Promise<boolean> | undefined
  const results = await Promise.allSettled(Array.from({ length: 300 }, (_, i) => enqueue(i)))
  expect(results.every(({ status }) => status === "rejected")).toBe(true)
  expect(await late).toBe(true)
  expect(waits).toBe(2)
})

test("new files are for their owner only", async () => {
  await using store = await openStore({ directory: tempFolder(), backgroundIndex: false })
  await store.write(["message", "ses_1", "msg_1"], { role: "user", time: { created: 1 } })
  expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
  const mode = (path: string): number => fs.statSync(join(store.directory, path)).mode & 0o777
  for (const folder of ["message", "message/ses_1", ".sessiondex"]) expect(mode(folder)).toBe(0o700)
  for (const file of [
    "message/ses_1/msg_1.json",
    ".sessiondex/index.sqlite",
    ".sessiondex.lock",
    ".sessiondex/clock",
  ])
    expect(mode(file)).toBe(0o600)
})

test("a full disk is WRITE_FAILED with a hint, leaves the old record and no temp file, and spares the other writes", async () => {
  const directory = tempFolder()
  const full: FileSystem = {
    ...fileSystem,
    createFile(path, text) {
      if (!text.includes("big")) return fileSystem.createFile(path, text)
      fs.writeFileSync(path, "half")
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" })
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: full })
  await store.write(["todo", "a"], { old: true })
  const [big, small] = await Promise.allSettled([
    store.write(["todo", "a"], { big: true }),
    store.write(["todo", "b"], {}),
  ])
  expect(big).toMatchObject({
    reason: {
      code: "WRITE_FAILED",
      hint: expect.stringContaining("full"),
      path: join(directory, "todo/a.json"),
    },
  })
  expect(small.status).toBe("fulfilled")
  expect(await store.read<{ old: boolean }>(["todo", "a"])).toEqual({ old: true })
  expect(fs.readdirSync(join(directory, "todo")).sort()).toEqual(["a.json", "b.json"])
})

test("a folder removed between mkdir and rename is made again", async () => {
  const directory = tempFolder()
  let removals = 0
  const hostile: FileSystem = {
    ...fileSystem,
    rename(from, to) {
      if (removals++ < 2) fs.rmSync(join(directory, "message"), { recursive: true, force: true })
      fileSystem.rename(from, to)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: hostile })
  await store.write(["message", "ses_1", "msg_1"], { role: "user", time: { created: 1 } })
  expect(removals).toBe(3)
  expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
})

test("a folder in a record's place is WRITE_FAILED and no temp file stays", async () => {
  await using store = await openStore({ directory: tempFolder(), backgroundIndex: false })
  fs.mkdirSync(join(store.directory, "todo", "a.json"), { recursive: true })
  expect(await failure(store.write(["todo", "a"], {}))).toMatchObject({ code: "WRITE_FAILED" })
  expect(fs.readdirSync(join(store.directory, "todo"))).toEqual(["a.json"])
})

test("temp files of the dead go after an hour; those of the living and of others stay", async () => {
  const directory = tempFolder()
  const mine = tempPath("").replace(/^\/?/, "")
  const dead = mine.replace(String(process.pid), "999999999")
  for (const name of [mine, dead, ".oc-1.tmp", ".sessiondex-x.tmp"])
    put(directory, `message/ses_1/${name}`, "half")
  put(directory, "message/ses_1/msg_1.json", { time: { created: 1 } })
  const remaining = (): string[] =>
    fs
      .readdirSync(join(directory, "message/ses_1"))
      .filter((name) => name.startsWith("."))
      .sort()
  const names = [mine, dead, ".oc-1.tmp", ".sessiondex-x.tmp"]
  {
    await using young = await openStore({ directory, backgroundIndex: false })
    await young.index()
    expect(remaining()).toEqual(names.toSorted())
  }
  // An hour cannot be waited for: the device's clock, which the probe reads, is set on instead.
  const later: FileSystem = {
    ...fileSystem,
    touch(path) {
      const stat = fileSystem.touch(path)
      return { ...stat, ctimeNs: stat.ctimeNs + 3_700_000_000_000n }
    },
  }
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: later })
  await store.index()
  expect(remaining()).toEqual(names.filter((name) => name !== dead).toSorted())
})
