import { describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

/** The real file system, on which the flush of some folders fails. */
function unflushable(code: string, of: (path: string) => boolean = () => true): FileSystem {
  const refuse = (path: string): void => {
    if (of(path)) throw Object.assign(new Error("the flush failed"), { code, path })
  }
  return {
    ...fileSystem,
    async flushDirectory(path) {
      refuse(path)
      await fileSystem.flushDirectory(path)
    },
    flushDirectorySync(path) {
      refuse(path)
      fileSystem.flushDirectorySync(path)
    },
  }
}

function open(directory: string, system: FileSystem): Store {
  // Nothing but its own writes makes the store look at the files again.
  const options = resolveOptions({
    directory,
    backgroundIndex: false,
    maxStaleness: Number.POSITIVE_INFINITY,
  })
  return new Store(options, { fs: system })
}

function fill(directory: string): void {
  put(directory, "session/p/ses_1.json", session("ses_1", { projectID: "p" }))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
}

describe.each(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EBADF"])(
  "on a file system that does not know the flush of a folder (%s)",
  (code) => {
    test("everything is written, removed, moved and copied as elsewhere", async () => {
      const directory = join(tempFolder(), "store")
      fill(directory)
      await using store = open(directory, unflushable(code))
      await store.write(["todo", "ses_1"], { first: true })
      await store.update<{ n?: number }>(["todo", "ses_1"], (todo) => ({ n: (todo.n ?? 0) + 1 }))
      expect(await store.read<{ n: number }>(["todo", "ses_1"])).toEqual({ n: 1 })
      expect(await store.remove(["todo", "ses_1"])).toBe(true)
      await store.parts.write(part("prt_2", "msg_1", "a"), { coalesce: 60_000 })
      await store.parts.write(part("prt_2", "msg_1", "b"), { coalesce: 60_000 })
      await store.flush()
      await all(store.copyTo(`${directory}-copy`))
      expect(fs.existsSync(`${directory}-copy/part/msg_1/prt_2.json`)).toBe(true)
      expect(await all(store.prune({ keep: 0 }))).toHaveLength(1)
      expect(await all(store.sessions.ids())).toEqual([])
      expect(await all(store.trash.list())).toMatchObject([{ whole: true }])
      await all(store.trash.restore("ses_1"))
      expect(await all(store.sessions.ids())).toEqual(["ses_1"])
      await all(store.prune({ keep: 0, purge: true }))
      expect(await all(store.trash.list())).toEqual([])
    })
  },
)

describe("a folder whose names cannot be flushed after the change", () => {
  test("is told with a code of its own: what was written is there, for files and index alike", async () => {
    const directory = tempFolder()
    await using store = open(
      directory,
      unflushable("EIO", (path) => path.endsWith("/ses_1")),
    )
    expect(await all(store.messages.ids("ses_1"))).toEqual([])
    const written = await Promise.allSettled([
      store.messages.write(message("msg_1", "ses_1", 1)),
      store.messages.write(message("msg_1", "ses_2", 1)),
    ])
    expect(written).toMatchObject([
      {
        reason: {
          code: "NOT_DURABLE",
          path: join(directory, "message/ses_1/msg_1.json"),
          cause: { code: "EIO" },
        },
      },
      { status: "fulfilled" },
    ])
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    const update = store.update<{ n?: number }>(["message", "ses_1", "msg_1"], (draft) => {
      draft.n = (draft.n ?? 0) + 1
    })
    expect(await failure(update)).toMatchObject({ code: "NOT_DURABLE" })
    // A caller that reads the code does not try again.
    expect(await store.read<{ n: number }>(["message", "ses_1", "msg_1"])).toMatchObject({ n: 1 })
    expect(await failure(store.remove(["message", "ses_1", "msg_1"]))).toMatchObject({ code: "NOT_DURABLE" })
    expect(await all(store.messages.ids("ses_1"))).toEqual([])
  })

  test("is told also where it is the one above a folder that was made", async () => {
    const directory = tempFolder()
    await using store = open(
      directory,
      unflushable("EIO", (path) => path.endsWith("/message")),
    )
    const error = await failure(store.messages.write(message("msg_1", "ses_1", 1)))
    expect(error).toMatchObject({ code: "NOT_DURABLE" })
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    await store.messages.write(message("msg_2", "ses_1", 2))
  })

  test("leaves a coalesced version to be flushed again", async () => {
    let failing = true
    const directory = tempFolder()
    fill(directory)
    await using store = open(
      directory,
      unflushable("EIO", (path) => failing && path.endsWith("/msg_1")),
    )
    const write = store.parts.write(part("prt_2", "msg_1", "a"), { coalesce: 60_000 })
    expect(await failure(write)).toMatchObject({ code: "NOT_DURABLE" })
    expect(await failure(store.flush())).toMatchObject({ code: "NOT_DURABLE" })
    failing = false
    await store.flush()
  })

  test("does not take back what was pruned, restored or copied", async () => {
    let failing = ""
    const directory = join(tempFolder(), "store")
    fill(directory)
    await using store = open(
      directory,
      unflushable("EIO", (path) => failing !== "" && path.endsWith(failing)),
    )
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
    failing = "/session/p"
    expect(await failure(all(store.prune({ keep: 0 })))).toMatchObject({ code: "NOT_DURABLE" })
    expect(await all(store.sessions.ids())).toEqual([])
    failing = ""
    await all(store.prune({ keep: 0 }))
    expect(await all(store.trash.list())).toMatchObject([{ whole: true }])
    failing = "store/session/p"
    expect(await failure(all(store.trash.restore("ses_1")))).toMatchObject({ code: "NOT_DURABLE" })
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
    expect(await all(store.messages.ids("ses_1"))).toEqual(["msg_1"])
    failing = "-copy/session/p"
    expect(await failure(all(store.copyTo(`${directory}-copy`)))).toMatchObject({ code: "NOT_DURABLE" })
    expect(fs.existsSync(`${directory}-copy/session/p/ses_1.json`)).toBe(true)
  })

  test("that must be on the disk before anything is moved is a failure that changed nothing", async () => {
    const directory = join(tempFolder(), "store")
    fill(directory)
    await using store = open(
      directory,
      unflushable("EIO", (path) => path.endsWith("/.sessiondex-trash")),
    )
    expect(await failure(all(store.prune({ keep: 0 })))).toMatchObject({ code: "WRITE_FAILED" })
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
  })
})

/** Runs a script in a process that may have 64 descriptors. */
async function withFewDescriptors(script: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", `ulimit -n 64; exec ${process.execPath} -e "$SCRIPT"`], {
    cwd: join(import.meta.dir, "../.."),
    env: { ...process.env, SCRIPT: script },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  await child.exited
  return output + errors
}

test.if(process.platform !== "win32")(
  "128 writers at once need few descriptors, and so does a copy",
  async () => {
    const directory = join(tempFolder(), "store")
    const output = await withFewDescriptors(`
    import { openStore } from "./src/index.ts"
    const directory = ${JSON.stringify(directory)}
    const store = await openStore({ directory, backgroundIndex: false })
    const write = (i) => store.messages.write({ id: "msg_" + i, sessionID: "ses_" + i, role: "user", time: { created: i } })
    await Promise.all(Array.from({ length: 128 }, (_, i) => write(i)))
    await Promise.all(Array.from({ length: 128 }, (_, i) => write(i)))
    for await (const missed of store.copyTo(directory + "-copy")) console.log("missed", missed)
    console.log(await store.count(["message"]))
    await store.close()
  `)
    expect(output).toBe("128\n")
    expect(fs.readdirSync(`${directory}-copy/message`)).toHaveLength(128)
  },
)
