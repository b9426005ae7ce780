import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isStoreError } from "../../src/errors.ts"
import { fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, message, part, session } from "../support/records.ts"
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
