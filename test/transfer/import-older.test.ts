import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { Coalescer } from "../../src/file/coalescer.ts"
import { ProcessLock } from "../../src/file/lock.ts"
import { fileSystem } from "../../src/file/system.ts"
import { WriteQueue } from "../../src/file/write-queue.ts"
import { openStore } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { RecordWriter } from "../../src/root/json/record-writer.ts"
import { OlderLayout } from "../../src/root/older/older-layout.ts"
import { Store } from "../../src/store.ts"
import { olderData, olderRecords, storedRecords } from "../support/older.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")
const MB = 1_000_000

/** An older history with a message that carries whole diffs. */
function giantHistory(bytes: number): { data: string; giant: string } {
  const data = tempFolder()
  const sessions = join(data, "project/app/storage/session")
  put(sessions, "info/ses_1.json", session("ses_1"))
  put(sessions, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  const giant = join(sessions, "message/ses_1/msg_2.json")
  fs.mkdirSync(dirname(giant), { recursive: true })
  const file = fs.openSync(giant, "w")
  fs.writeSync(file, '{"role":"user","summary":{"diffs":[')
  const diff = JSON.stringify({ file: "a.ts", before: "b\n".repeat(50_000), after: "z".repeat(100_000) })
  for (let length = 0; length < bytes; length += diff.length)
    fs.writeSync(file, `${length > 0 ? "," : ""}${diff}`)
  fs.writeSync(file, ']},"time":{"created":77}}')
  fs.closeSync(file)
  return { data, giant }
}

async function peak(directory: string): Promise<{ bytes: number; copied: number }> {
  const script = `import { openStore } from "./src/index.ts"
    await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
    const { bytes: copied } = await store.importOlder()
    const { readFileSync } = await import("node:fs")
    const status = process.platform === "linux" ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8")) : null
    console.log(JSON.stringify({ bytes: (status ? Number(status[1]) : process.resourceUsage().maxRSS) * 1024, copied }))`
  const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" })
  return JSON.parse(await new Response(child.stdout).text())
}

test("a message of 200 MB is imported byte for byte in less than 48 MB more than one of 200 kB", async () => {
  const small = await peak(join(giantHistory(MB / 5).data, "storage"))
  const { data, giant } = giantHistory(200 * MB)
  const large = await peak(join(data, "storage"))
  console.log(`peak: ${Math.round(small.bytes / MB)} MB, with 200 MB: ${Math.round(large.bytes / MB)} MB`)
  expect(large.copied).toBeGreaterThan(200 * MB)
  const copy = join(data, "storage/message/ses_1/msg_2.json")
  expect(fs.statSync(copy).size).toBe(fs.statSync(giant).size)
  const compared = Bun.spawnSync(["cmp", giant, copy])
  expect(compared.exitCode).toBe(0)
  expect(large.bytes - small.bytes).toBeLessThan(48 * MB)
}, 60_000)

test("a change of what is being copied waits until it is there; changes of one record keep their order", async () => {
  const directory = tempFolder()
  const lock = new ProcessLock(join(directory, "lock"))
  const published: number[] = []
  const queue = new WriteQueue({
    fs: fileSystem,
    directory,
    lock,
    maxRecordBytes: MB,
    durability: "full",
    publish: async (changes) => void published.push(changes.length),
  })
  const writer = new RecordWriter(
    directory,
    queue,
    new Coalescer(fileSystem, directory, queue, lock),
    undefined,
    false,
    () => {},
  )
  const key = ["todo", "ses_1"]
  const path = join(directory, "todo", "ses_1.json")
  const pieces = (): Uint8Array[] => [Buffer.from('{"n":'), Buffer.from("1}")]
  const copied = queue.enqueue({ key, path, reads: false, decide: () => ({ pieces }) })
  const updated = writer.update<{ n: number }>(key, ({ n }) => ({ n: n + 1 }))
  const written = writer.write(key, { n: 10 })
  const again = writer.update<{ n: number }>(key, ({ n }) => ({ n: n * 2 }))
  const other = writer.write(["todo", "ses_2"], [])
  expect(await Promise.all([copied, updated, written, again, other])).toEqual([
    true,
    { n: 2 },
    undefined,
    { n: 20 },
    undefined,
  ])
  expect(JSON.parse(fs.readFileSync(path, "utf8"))).toEqual({ n: 20 })
  expect(published).toEqual([2, 1])
  lock.close()
})

test("a file that changes while it is copied is told of and not put in place", async () => {
  const { directory, older } = olderData()
  const path = join(older, "home-dev-app/storage/session/message/ses_dfbe64d5affesiiO3CXoOKXqoc")
  const name = fs.readdirSync(path)[0] ?? ""
  const victim = join(path, name)
  const touched = {
    ...fileSystem,
    *readPieces(file: string): Generator<Uint8Array> {
      yield* fileSystem.readPieces(file)
      if (file === victim) fs.appendFileSync(victim, "\n")
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: touched })
  const { copied, unreadable } = await store.importOlder()
  expect(copied).toMatchObject({ sessions: 9, messages: 25 })
  expect(unreadable).toMatchObject([{ path: victim, code: "UNREADABLE" }])
  expect(storedRecords(directory).size).toBe(77)
  expect(
    fs.readdirSync(directory, { recursive: true }).filter((file) => String(file).endsWith(".tmp")),
  ).toEqual([])
})

test("what came there meanwhile stays; a second import opens no record that is there", async () => {
  const { directory, older } = olderData()
  const [name = ""] = fs.readdirSync(join(older, "home-dev-lib/storage/session/info"))
  const source = join(older, "home-dev-lib/storage/session/info", name)
  const target = join(directory, "session/home-dev-lib", name)
  let opened = 0
  const meddling = {
    ...fileSystem,
    lstat(path: string) {
      // After it was seen to be missing, and before the copy is put in place.
      if (path === source && fs.existsSync(join(directory, "message", name.slice(0, -5))))
        put(target, "", "{}")
      return fileSystem.lstat(path)
    },
    *readPieces(path: string): Generator<Uint8Array> {
      opened++
      yield* fileSystem.readPieces(path)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: meddling })
  expect(await store.importOlder()).toMatchObject({ copied: { sessions: 8 }, present: { sessions: 1 } })
  expect(fs.readFileSync(target, "utf8")).toBe("{}")
  expect(opened).toBe(77)
  const parts: string[] = []
  const watching = {
    ...fileSystem,
    openFile(path: string) {
      if (path.includes("/part/")) parts.push(path)
      return fileSystem.openFile(path)
    },
  }
  await using again = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: watching })
  await again.importOlder()
  expect(parts).toEqual([])
})

test("a full disk ends the import with WRITE_FAILED; the next one goes on", async () => {
  const { directory, older } = olderData()
  let written = 0
  const full = {
    ...fileSystem,
    append(descriptor: number, bytes: Uint8Array): void {
      if (++written > 30) throw Object.assign(new Error("no space left"), { code: "ENOSPC" })
      fileSystem.append(descriptor, bytes)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: full })
  expect(await failure(store.importOlder())).toMatchObject({ code: "WRITE_FAILED" })
  expect(await all(store.sessions.ids())).toHaveLength(9)
  await using again = new Store(resolveOptions({ directory, backgroundIndex: false }))
  await again.importOlder()
  expect(storedRecords(directory)).toEqual(olderRecords(older))
})

test("the view of the older layout refuses every change, and finds the parts of 100 sessions in any order", () => {
  const folder = tempFolder()
  for (let s = 0; s < 100; s++)
    put(
      folder,
      `p${s % 7}/storage/session/part/ses_${s}/msg_${s}/prt_${s}.json`,
      part(`prt_${s}`, `msg_${s}`),
    )
  const layout = new OlderLayout(fileSystem, folder)
  const view = layout.view()
  for (const change of [
    "createFile",
    "rename",
    "removeFile",
    "makeDirectory",
    "removeEmptyDirectory",
    "touch",
  ] as const)
    expect(() => (view[change] as (path: string) => unknown)(join(folder, "session/p/x.json"))).toThrow(
      "only read",
    )
  for (let i = 0; i < 100; i++) {
    const s = (i * 37) % 100
    const names = view.readDirectory(join(folder, "part", `msg_${s}`))?.map(({ name }) => name)
    expect(names).toEqual([`prt_${s}.json`])
    expect(layout.locate(join(folder, `part/msg_${s}/prt_${s}.json`))).toBe(
      join(folder, `p${s % 7}/storage/session/part/ses_${s}/msg_${s}/prt_${s}.json`),
    )
  }
  expect(view.readDirectory(join(folder, "part/msg_none"))).toBeUndefined()
  expect(view.readDirectory(join(folder, "part"))).toHaveLength(100)
  expect(view.readDirectory(join(folder, "todo"))).toBeUndefined()
})

test("a folder of the older layout that cannot be read is told, and hides no other", async () => {
  const { directory, older } = olderData()
  const closed = join(older, "home-dev-lib/storage/session/message")
  const locked = {
    ...fileSystem,
    readDirectory(path: string) {
      if (path === closed) throw Object.assign(new Error("permission denied"), { code: "EACCES" })
      return fileSystem.readDirectory(path)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: locked })
  expect(await all(store.sessions.ids())).toHaveLength(9)
  const told = { path: closed, code: "UNREADABLE" as const, message: "The folder cannot be read (EACCES)" }
  expect(await all(store.problems())).toEqual([told])
  const { copied, unreadable } = await store.importOlder()
  expect(unreadable).toEqual([told])
  expect(copied).toMatchObject({ sessions: 9 })
})

test("parts of a message whose id two older sessions have are not left behind in silence", async () => {
  const data = tempFolder()
  for (const id of ["ses_1", "ses_2"]) {
    const sessions = join(data, "project", `p_${id}`, "storage/session")
    put(sessions, `info/${id}.json`, session(id))
    put(sessions, `message/${id}/msg_1.json`, message("msg_1", id, 1))
    put(sessions, `part/${id}/msg_1/prt_${id}.json`, part(`prt_${id}`, "msg_1"))
  }
  await using store = await openStore({ directory: join(data, "storage"), backgroundIndex: false })
  const path = join(data, "project/p_ses_2/storage/session/part/ses_2/msg_1")
  expect((await store.importOlder()).unreadable).toMatchObject([{ path, code: "CONFLICT" }])
  expect(await all(store.problems())).toMatchObject([{ path, code: "CONFLICT" }])
})
