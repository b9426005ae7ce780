import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type Store } from "../../src/index.ts"
import { message, part, session } from "../support/records.ts"
import { copyOfTree, put, tempFolder, tempFoldersOnDisk, untilProven } from "../support/temp.ts"

tempFoldersOnDisk()

const ROOT = join(import.meta.dir, "../..")
const open = (directory: string): Promise<Store> => openStore({ directory, backgroundIndex: false })

function large(sessions: number): string {
  const directory = tempFolder()
  for (let s = 0; s < sessions; s++) {
    put(directory, `session/p${s % 3}/ses_${s}.json`, session(`ses_${s}`))
    for (let m = 0; m < 5; m++) {
      put(directory, `message/ses_${s}/msg_${s}_${m}.json`, message(`msg_${s}_${m}`, `ses_${s}`, m))
      for (let p = 0; p < 3; p++)
        put(
          directory,
          `part/msg_${s}_${m}/prt_${s}_${m}_${p}.json`,
          part(`prt_${s}_${m}_${p}`, `msg_${s}_${m}`),
        )
    }
  }
  return directory
}

test("a second index reads no record file, a third only what changed", async () => {
  const directory = copyOfTree("opencode-1.1.65/storage")
  await untilProven()
  await using store = await open(directory)
  expect(await store.index()).toMatchObject({
    sessions: 9,
    messages: 40,
    parts: 107,
    read: 156,
    unreadable: [],
  })
  expect(await store.index()).toMatchObject({ sessions: 9, messages: 40, parts: 107, read: 0 })
  const [id = ""] = await Array.fromAsync(store.sessions.ids({ limit: 1 }))
  const [messageID = ""] = await Array.fromAsync(store.messages.ids(id, { limit: 1 }))
  put(directory, `message/${id}/${messageID}.json`, message(messageID, id, 1))
  fs.rmSync(join(directory, "part", messageID), { recursive: true })
  await untilProven()
  const third = await store.index()
  expect(third).toMatchObject({ messages: 40, read: 1 })
  expect(third.parts).toBeLessThan(107)
})

test("what is no folder of records, and no file of one, is not counted; only links and folders in the way are told of", async () => {
  const directory = large(1)
  fs.writeFileSync(join(directory, "part/notes.txt"), "")
  fs.writeFileSync(join(directory, "message/ses_file"), "")
  fs.symlinkSync("ses_0", join(directory, "message/ses_link"))
  fs.symlinkSync("msg_0_0.json", join(directory, "message/ses_0/msg_link.json"))
  fs.mkdirSync(join(directory, "message/ses_0/msg_folder.json"))
  await using store = await open(directory)
  // Twice: read for the first time, and known.
  for (let round = 0; round < 2; round++) {
    const { sessions, messages, parts, unreadable } = await store.index()
    expect({ sessions, messages, parts }).toEqual({ sessions: 1, messages: 5, parts: 15 })
    expect(unreadable.map(({ path, code }) => `${code} ${path.slice(directory.length + 1)}`).sort()).toEqual([
      "NOT_A_FILE message/ses_0/msg_folder.json",
      "NOT_A_FILE message/ses_0/msg_link.json",
      "NOT_A_FILE message/ses_link",
    ])
    expect(await store.verify()).toMatchObject({ ok: true, checked: { messages: 5 } })
    fs.utimesSync(join(directory, "message/ses_0"), 1, 1)
  }
  // What had rows is told of, since they are still there.
  fs.rmSync(join(directory, "part/msg_0_0"), { recursive: true })
  fs.writeFileSync(join(directory, "part/msg_0_0"), "")
  const { unreadable } = await store.index()
  expect(unreadable.map(({ path }) => path)).toContain(join(directory, "part/msg_0_0"))
})

test("an index cut short goes on where it was", async () => {
  const directory = large(60)
  await untilProven()
  const files = 60 + 60 * 5 + 60 * 15
  let before = 0
  {
    await using store = await open(directory)
    const abort = new AbortController()
    const cut = store.index({
      signal: abort.signal,
      onProgress: ({ kind, done, read }) => {
        before = read
        if (kind === "part" && done >= 100) abort.abort(new Error("cut"))
      },
    })
    expect(await cut.catch((error: Error) => error.message)).toBe("cut")
  }
  await using store = await open(directory)
  const { read } = await store.index()
  expect(before).toBeGreaterThan(300)
  expect(read).toBe(files - before)
})

test("a killed index goes on where it was", async () => {
  const directory = large(100)
  await untilProven()
  const child = Bun.spawn(
    [
      "bun",
      "-e",
      `import { openStore } from "./src/index.ts"
      const store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
      await store.index({ onProgress: ({ kind, done }) => { if (kind === "part" && done >= 192) process.kill(process.pid, "SIGKILL") } })`,
    ],
    { cwd: ROOT, stdout: "ignore", stderr: "inherit" },
  )
  await child.exited
  expect(child.signalCode).toBe("SIGKILL")
  await using store = await open(directory)
  const { read, sessions, messages, parts } = await store.index()
  expect({ sessions, messages, parts }).toEqual({ sessions: 100, messages: 500, parts: 1500 })
  // Folders are committed 64 at a time.
  expect(read).toBe(1500 - 192 * 3)
})

test("two processes index one store at once", async () => {
  const directory = large(80)
  const script = `import { openStore } from "./src/index.ts"
    await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
    const { sessions, messages, parts } = await store.index()
    console.log(sessions, messages, parts)`
  const children = [1, 2].map(() =>
    Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" }),
  )
  for (const child of children) {
    expect(await new Response(child.stdout).text()).toBe("80 400 1200\n")
    expect(await child.exited).toBe(0)
  }
})

test("indexing begins in the background and no call waits for it", async () => {
  const directory = large(30)
  await untilProven()
  {
    await using first = await openStore({ directory, backgroundIndex: false })
    expect((await first.sessions.page({ limit: 5 })).items).toHaveLength(5)
  }
  const store = await openStore({ directory })
  expect(store.health().backgroundIndex.state).toBe("waiting")
  expect((await store.sessions.page({ limit: 5 })).items).toHaveLength(5)
  for (let i = 0; i < 500 && store.health().backgroundIndex.state !== "done"; i++) await Bun.sleep(10)
  // The first page has indexed the sessions already.
  expect(store.health().backgroundIndex).toMatchObject({ state: "done", read: 30 * 20 })
  expect(await store.index()).toMatchObject({ read: 0 })
  await store.close()
  const stopped = await openStore({ directory })
  await stopped.close()
  expect(stopped.health().backgroundIndex.state).toBe("stopped")
})

test("a process that only opens a store can end", async () => {
  const directory = large(5)
  const script = `import { openStore } from "./src/index.ts"; await openStore({ directory: ${JSON.stringify(directory)} })`
  const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT })
  expect(await child.exited).toBe(0)
})
