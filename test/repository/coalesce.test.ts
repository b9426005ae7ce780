import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isStoreError } from "../../src/errors.ts"
import { fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "..", "..")
const STORE = JSON.stringify(join(ROOT, "src", "index.ts"))

/** A store with one message, a count of the files put in place, and a disk that can be made full. */
function streaming() {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1", { time: { created: 1, updated: 1 } }))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  const disk = { renames: 0, full: false, refused: 0 }
  const fs = {
    ...fileSystem,
    rename(from: string, to: string) {
      disk.renames++
      fileSystem.rename(from, to)
    },
    createFile(path: string, text: string) {
      if (disk.full) {
        disk.refused++
        throw Object.assign(new Error("no space"), { code: "ENOSPC" })
      }
      return fileSystem.createFile(path, text)
    },
  }
  const store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  const onDisk = (): string => JSON.parse(readFileSync(join(directory, "part/msg_1/prt_1.json"), "utf8")).text
  const version = (text: string) => ({ ...part("prt_1", "msg_1"), text })
  return { directory, store, disk, onDisk, version }
}

test("a streamed part costs one writing in so many ms, and every reader sees its newest version", async () => {
  const { store, disk, onDisk, version } = streaming()
  const begun = performance.now()
  let text = ""
  for (let i = 0; i < 400; i++) {
    text += `${i} `
    await store.parts.write(version(text), { coalesce: 25 })
    expect(await store.parts.get(["part", "msg_1", "prt_1"])).toMatchObject({ text })
    if (i % 40 === 0) {
      expect(await all(store.parts.list("msg_1"))).toMatchObject([{ text }])
      expect(await store.read<object>(["part", "msg_1", "prt_1"])).toMatchObject({ text })
      expect((await all(store.messages.stream("ses_1")))[0]?.parts).toMatchObject([{ text }])
      await Bun.sleep(5)
    }
  }
  await store.flush()
  expect(onDisk()).toBe(text)
  expect(disk.renames).toBeLessThanOrEqual(2 + (performance.now() - begun) / 25)
  expect(disk.renames).toBeGreaterThan(1)
  await store.close()
})

test("closing writes what waits", async () => {
  const { store, onDisk, version } = streaming()
  for (const text of ["a", "ab", "abc"]) await store.parts.write(version(text), { coalesce: 60_000 })
  expect(onDisk()).toBe("a")
  await store.close()
  expect(onDisk()).toBe("abc")
})

test("an update, a plain write and a removal come after what waits", async () => {
  const { store, onDisk, version } = streaming()
  for (const text of ["a", "ab"]) await store.parts.write(version(text), { coalesce: 60_000 })
  await store.parts.update(["part", "msg_1", "prt_1"], (draft) => ({
    ...draft,
    text: `${Reflect.get(draft, "text")}!`,
  }))
  expect(onDisk()).toBe("ab!")
  await store.parts.write(version("waits"), { coalesce: 60_000 })
  await store.parts.write(version("plain"))
  expect(onDisk()).toBe("plain")
  expect(await store.parts.get(["part", "msg_1", "prt_1"])).toMatchObject({ text: "plain" })
  await store.parts.write(version("gone"), { coalesce: 60_000 })
  expect(await store.parts.remove(["part", "msg_1", "prt_1"])).toBe(true)
  await store.flush()
  expect(await store.parts.get(["part", "msg_1", "prt_1"])).toBeUndefined()
  await store.close()
})

test("a search finds the newest version and not the one on the disk", async () => {
  const { store, version } = streaming()
  for (const text of ["the old words", "the new words"])
    await store.parts.write(version(text), { coalesce: 60_000 })
  expect(await all(store.search("old words"))).toEqual([])
  expect(await all(store.search("new words"))).toMatchObject([{ messageID: "msg_1", partID: "prt_1" }])
  await store.close()
})

test("what a full disk refuses is told by flush and close, kept, and written when there is space", async () => {
  const { store, disk, onDisk, version } = streaming()
  await store.parts.write(version("a"), { coalesce: 5 })
  disk.full = true
  const refused = (work: Promise<unknown>): Promise<string | boolean> =>
    work.then(
      () => "no error",
      (error) => isStoreError(error, "WRITE_FAILED"),
    )
  // Kept, or written at once and refused, if it took us more than those 5 ms to get here.
  expect(["no error", true]).toContain(await refused(store.parts.write(version("ab"), { coalesce: 5 })))
  expect(await refused(store.flush())).toBe(true)
  // The time of one writing has gone by, in the background.
  await Bun.sleep(30)
  expect(await store.parts.get(["part", "msg_1", "prt_1"])).toMatchObject({ text: "ab" })
  expect(await refused(store.parts.write(version("abc"), { coalesce: 5 }))).toBe(true)
  expect(await all(store.search("ab"))).toBeArray()
  expect(onDisk()).toBe("a")
  // Until no writing is under way that began on the full disk: a flush would tell of that one's failure.
  await Bun.sleep(30)
  expect(await refused(store.flush())).toBe(true)
  disk.full = false
  await store.flush()
  expect(onDisk()).toBe("abc")
  await store.parts.write(version("abcd"), { coalesce: 60_000 })
  disk.full = true
  await store.parts.write(version("abcde"), { coalesce: 60_000 })
  expect(await refused(store.close())).toBe(true)
})

test.each(["write", "update", "remove"] as const)(
  "a version that could not be written does not come back over the %s after it",
  async (change) => {
    const { store, disk, onDisk, version } = streaming()
    const key = ["part", "msg_1", "prt_1"]
    for (const text of ["a", "ab"]) await store.parts.write(version(text), { coalesce: 60_000 })
    disk.full = true
    const flushed = store.flush().then(
      () => "no error",
      (error) => error.code,
    )
    // The batch of the flush has begun; what comes now is of the next one.
    while (disk.refused === 0) await Promise.resolve()
    disk.full = false
    if (change === "remove") expect(await store.parts.remove(key)).toBe(true)
    else if (change === "write") await store.parts.write(version("plain"))
    else await store.parts.update(key, (draft) => ({ ...draft, text: `${Reflect.get(draft, "text")}!` }))
    expect(await flushed).toBe("WRITE_FAILED")
    const expected = { write: "plain", update: "ab!", remove: undefined }[change]
    expect((await store.parts.get(key))?.text).toBe(expected)
    await store.flush()
    expect((await store.parts.get(key))?.text).toBe(expected)
    if (expected !== undefined) expect(onDisk()).toBe(expected)
    await store.close()
  },
)

test("a record whose first version could not be written is gone when it is removed", async () => {
  const { store, disk, version } = streaming()
  disk.full = true
  const refused = store.parts.write(version("a"), { coalesce: 60_000 }).catch((error) => error.code)
  while (disk.refused === 0) await Promise.resolve()
  disk.full = false
  await store.parts.remove(["part", "msg_1", "prt_1"])
  expect(await refused).toBe("WRITE_FAILED")
  await store.flush()
  expect(await store.parts.get(["part", "msg_1", "prt_1"])).toBeUndefined()
  await store.close()
})

test.each(["process.exit(0)", "await Bun.sleep(1)"])(
  "the end of the process writes what waits: %s",
  async (end) => {
    const { directory, store, onDisk } = streaming()
    await store.close()
    const child = Bun.spawn(
      [
        "bun",
        "-e",
        `import { openStore } from ${STORE}
      const store = await openStore({ directory: ${JSON.stringify(directory)} })
      for (const text of ["a", "ab", "abc"])
        await store.parts.write({ id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "text", text }, { coalesce: 200 })
      ${end}`,
      ],
      { stdout: "ignore", stderr: "inherit" },
    )
    expect(await child.exited).toBe(0)
    expect(onDisk()).toBe("abc")
  },
)

test("a coalesce that makes no sense is misuse", async () => {
  const { store, version } = streaming()
  for (const coalesce of [0, -1, Number.NaN, 1e9])
    expect(store.parts.write(version("a"), { coalesce })).rejects.toBeInstanceOf(TypeError)
  await store.close()
})

/** As `streaming`, with a second store on the same folder, as another process has it, and what the logger was told. */
function beside() {
  const warnings: string[] = []
  const first = streaming()
  const { directory, version } = first
  const options = { directory, backgroundIndex: false }
  const logger = { warn: (message: string) => void warnings.push(message) }
  const store = new Store(resolveOptions({ ...options, logger }))
  const other = new Store(resolveOptions(options))
  const conflict = async (work: Promise<unknown>) => {
    const error = await failure(work)
    if (!isStoreError(error, "CONFLICT")) throw error
    return error
  }
  return { directory, version, onDisk: first.onDisk, store, other, warnings, conflict }
}

const KEY = ["part", "msg_1", "prt_1"]
const HOUR = { coalesce: 60_000 }

test("a version that waits does not undo another process's update: flush tells, and the app merges", async () => {
  const { store, other, version, onDisk, warnings, conflict } = beside()
  for (const text of ["a", "ab"]) await store.parts.write(version(text), HOUR)
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  expect((await store.parts.get(KEY))?.text).toBe("ab")
  const error = await conflict(store.flush())
  expect(error).toMatchObject({
    path: join(store.directory, "part/msg_1/prt_1.json"),
    unwritten: version("ab"),
  })
  expect(warnings).toEqual([error.message])
  // The file is the truth until somebody decides, and it is told of as long.
  expect(onDisk()).toBe("theirs")
  expect(await all(store.parts.list("msg_1"))).toEqual([version("theirs")])
  await conflict(store.flush())
  await conflict(store.parts.write(version("abc"), HOUR))
  expect((await conflict(store.flush())).unwritten).toEqual(version("abc"))
  expect(onDisk()).toBe("theirs")
  expect((await store.parts.get(KEY))?.text).toBe("theirs")
  await conflict(store.flush())
  await store.parts.update(KEY, (draft) => ({ ...draft, text: `${draft.text} and abc` }))
  await store.flush()
  await store.parts.write(version("on"), HOUR)
  await store.close()
  expect(onDisk()).toBe("on")
  expect(warnings).toHaveLength(1)
  await other.close()
})

test.each(["part", "message", "session"] as const)(
  "a version that waits does not bring back what another process removed: the %s",
  async (what) => {
    const { store, other, version, conflict } = beside()
    for (const text of ["a", "ab"]) await store.parts.write(version(text), HOUR)
    if (what === "part") await other.parts.remove(KEY)
    else if (what === "message") await other.messages.remove(["message", "ses_1", "msg_1"])
    else await other.sessions.remove("ses_1")
    const error = await conflict(store.flush())
    expect(error.message).toContain("removed")
    expect(error.unwritten).toEqual(version("ab"))
    expect(await store.parts.get(KEY)).toBeUndefined()
    expect((await all(store.keys())).filter(([kind]) => kind === "part")).toEqual([])
    await store.parts.remove(KEY)
    await store.close()
    expect((await all(other.keys())).filter(([kind]) => kind === "part")).toEqual([])
    await other.close()
  },
)

test("with onConflict the newest version goes over what another process made of the record", async () => {
  const { store, other, version, onDisk, conflict } = beside()
  const replace = { ...HOUR, onConflict: "replace" } as const
  for (const text of ["a", "ab"]) await store.parts.write(version(text), replace)
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  await store.flush()
  expect(onDisk()).toBe("ab")
  await store.parts.write(version("abc"), HOUR)
  await other.parts.remove(KEY)
  await conflict(store.flush())
  await store.parts.write(version("abcd"), replace)
  await store.flush()
  expect(onDisk()).toBe("abcd")
  // @ts-expect-error: there is no such choice
  expect(store.parts.write(version("a"), { ...HOUR, onConflict: "keep" })).rejects.toBeInstanceOf(TypeError)
  await store.close()
  await other.close()
})

test("when its time is up a version does not undo another's change, and the next write, update and close tell", async () => {
  const { store, other, version, onDisk, warnings, conflict } = beside()
  for (const text of ["a", "ab"]) await store.parts.write(version(text), { coalesce: 400 })
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  while (warnings.length === 0) await Bun.sleep(5)
  expect(onDisk()).toBe("theirs")
  // Who updates has not been told of it yet; then it does so in the knowledge of it.
  const exclaim = () => store.parts.update(KEY, (draft) => ({ ...draft, text: `${draft.text}!` }))
  expect((await conflict(exclaim())).unwritten).toEqual(version("ab"))
  await exclaim()
  expect(onDisk()).toBe("theirs!")
  for (const text of ["b", "bc"]) await store.parts.write(version(text), HOUR)
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  expect((await conflict(store.close())).unwritten).toEqual(version("bc"))
  expect(onDisk()).toBe("theirs")
  await other.close()
})

test("a stream that rested does not undo what was made of the record meanwhile, unless it read that", async () => {
  const { store, other, version, onDisk, warnings, conflict } = beside()
  await store.parts.write(version("a"), { coalesce: 1 })
  await Bun.sleep(30)
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  expect((await conflict(store.parts.write(version("ab"), HOUR))).unwritten).toEqual(version("ab"))
  expect(onDisk()).toBe("theirs")
  await store.parts.write({ ...version(`${(await store.parts.get(KEY))?.text} and ab`) }, HOUR)
  expect(onDisk()).toBe("theirs and ab")
  await store.flush()
  await store.parts.write(version("abc"), { coalesce: 60 })
  await store.parts.write(version("abcd"), { coalesce: 60 })
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs again" }))
  await conflict(store.flush())
  expect(warnings).toHaveLength(2)
  await store.parts.write(version("plain"))
  await store.close()
  expect(onDisk()).toBe("plain")
  await other.close()
})

test("a reader that was told nothing does not settle a conflict for the writer", async () => {
  const { store, other, version, onDisk, warnings, conflict } = beside()
  for (const text of ["a", "ab"]) await store.parts.write(version(text), { coalesce: 100 })
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  while (warnings.length === 0) await Bun.sleep(5)
  expect((await store.parts.get(KEY))?.text).toBe("theirs")
  await conflict(store.parts.write(version("abc"), HOUR))
  expect(onDisk()).toBe("theirs")
  await store.parts.remove(KEY)
  await store.close()
  await other.close()
})

test("two stores that stream one record: one goes on, the other is told", async () => {
  const { store, other, version, onDisk, conflict } = beside()
  for (const text of ["a", "ab"]) await store.parts.write(version(text), HOUR)
  for (const text of ["x", "xy"]) await other.parts.write(version(text), HOUR)
  expect((await conflict(store.flush())).unwritten).toEqual(version("ab"))
  await other.close()
  expect(onDisk()).toBe("xy")
  await conflict(store.close())
  expect(onDisk()).toBe("xy")
})

test("the same content is no conflict, and a file that cannot be looked at is not taken for one that is gone", async () => {
  const { store, disk, directory, version, onDisk } = streaming()
  await store.close()
  let broken = false
  const fs = {
    ...fileSystem,
    readPieces(path: string) {
      if (broken) throw Object.assign(new Error("broken"), { code: "EIO" })
      return fileSystem.readPieces(path)
    },
  }
  expect(disk.full).toBe(false)
  const careful = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  for (const text of ["a", "ab"]) await careful.parts.write(version(text), HOUR)
  put(directory, "part/msg_1/prt_1.json", readFileSync(join(directory, "part/msg_1/prt_1.json"), "utf8"))
  await careful.flush()
  expect(onDisk()).toBe("ab")
  await careful.parts.write(version("abc"), HOUR)
  broken = true
  expect(await failure(careful.flush())).toMatchObject({ code: "UNREADABLE" })
  expect((await careful.parts.get(KEY))?.text).toBe("abc")
  broken = false
  await careful.close()
  expect(onDisk()).toBe("abc")
})

test("versions that nobody deals with take no more than 16 MB", async () => {
  const { store, other, version, warnings, conflict } = beside()
  const large = "x".repeat(7 * 1024 * 1024)
  const parts = ["prt_1", "prt_2", "prt_3"].map((id) => ({ ...version(large), id }))
  for (const part of parts) await store.parts.write({ ...part, text: "" }, HOUR)
  for (const part of parts) await store.parts.write(part, HOUR)
  for (const { id } of parts) await other.parts.remove(["part", "msg_1", id])
  expect((await conflict(store.flush())).path).toEndWith("prt_1.json")
  expect(warnings.filter((warning) => warning.startsWith("Given up"))).toHaveLength(1)
  expect((await conflict(store.close())).path).toEndWith("prt_2.json")
  await other.close()
})

test("a session that this store removes takes what waits for it along", async () => {
  const { store, other, version } = beside()
  for (const text of ["a", "ab"]) await store.parts.write(version(text), HOUR)
  await store.sessions.remove("ses_1")
  await store.flush()
  expect((await all(store.keys())).filter(([kind]) => kind === "part")).toEqual([])
  await store.close()
  await other.close()
})

test("the end of the process does not undo what another one wrote, and says so", async () => {
  const { directory, store, other, onDisk } = beside()
  await store.close()
  const child = Bun.spawn(
    [
      "bun",
      "-e",
      `import { openStore } from ${STORE}
      const store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
      for (const text of ["a", "ab"])
        await store.parts.write({ id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "text", text }, { coalesce: 60_000 })
      console.log("waits")
      for await (const _ of Bun.stdin.stream()) process.exit(0)`,
    ],
    { stdin: "pipe", stdout: "pipe", stderr: "pipe" },
  )
  await child.stdout.getReader().read()
  await other.parts.update(KEY, (draft) => ({ ...draft, text: "theirs" }))
  child.stdin.write("go")
  await child.stdin.flush()
  expect(await child.exited).toBe(0)
  expect(await new Response(child.stderr).text()).toContain("changed by another program")
  expect(onDisk()).toBe("theirs")
  await other.close()
})
