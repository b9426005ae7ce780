import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { fileSystem } from "../../../src/file/system.ts"
import { openStore } from "../../../src/index.ts"
import { resolveOptions } from "../../../src/options.ts"
import { Store } from "../../../src/store.ts"
import { all, message, part, session } from "../../support/records.ts"
import { put, tempFolder, untilProven } from "../../support/temp.ts"

const CLI = join(import.meta.dir, "../../../src/cli/main.ts")

const open = (directory: string): Promise<Store> => openStore({ directory, backgroundIndex: false })

function filled(messages: number): string {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  for (let m = 0; m < messages; m++) {
    put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", m * 1000))
    for (let p = 0; p < 3; p++)
      put(directory, `part/msg_${m}/prt_${p}.json`, part(`prt_${p}`, `msg_${m}`, `needle${m} hay${p}`))
  }
  return directory
}

/** A message with a text of its own: the name of a file that it changed. */
function changing(id: string, file: string): object {
  return { ...message(id, "ses_1", 1), summary: { diffs: [{ file, before: "", after: "" }] } }
}

async function found(store: Store, query: string): Promise<string[]> {
  const hits = await all(store.search(query, { in: "text" }))
  return hits.flatMap((hit) => ("messageID" in hit && hit.messageID ? [hit.messageID] : [])).sort()
}

test("a first index reads each part once, and nothing of its texts is missing", async () => {
  const directory = filled(40)
  put(directory, "message/ses_1/msg_3.json", changing("msg_3", "src/own-name.ts"))
  put(directory, "message/ses_2/msg_4.json", message("msg_4", "ses_2", 4))
  put(directory, "part/msg_5/prt_9.json", "{ torn")
  put(directory, "part/msg_6/prt_9.json", part("prt_9", "msg_6", `${"x".repeat(1_200_000)} faraway`))
  fs.rmSync(join(directory, "part/msg_7"), { recursive: true })
  await untilProven()
  const reads = new Map<string, number>()
  const store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      openFile(path) {
        const name = path.split("/").slice(-2).join("/")
        reads.set(name, (reads.get(name) ?? 0) + 1)
        return fileSystem.openFile(path)
      },
    },
  })
  await store.index()
  const again = new Set(["msg_3", "msg_5", "msg_6"])
  const times = new Map<boolean, Set<number>>()
  for (const [name, count] of reads) {
    const [folder = ""] = name.split("/")
    if (!folder.startsWith("msg_")) continue
    const seen = times.get(again.has(folder)) ?? new Set()
    times.set(again.has(folder), seen.add(count))
  }
  expect([...(times.get(false) ?? [])]).toEqual([1])
  expect(Math.max(...(times.get(true) ?? []))).toBeGreaterThan(1)
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  expect(await found(store, "needle12")).toEqual(["msg_12"])
  expect(await found(store, "hay0 needle4")).toEqual(["msg_4", "msg_4"])
  expect(await found(store, "own-name")).toEqual(["msg_3"])
  expect(await found(store, "faraway")).toEqual(["msg_6"])
  expect(await found(store, "needle7")).toEqual([])
  await store.close()
})

test("a message that gets texts of its own while its parts are read is found by them", async () => {
  const directory = filled(4)
  await untilProven()
  const own = ["msg_1", "msg_2"]
  let another: number | undefined
  const store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      openFile(path) {
        // All messages have rows, and no part has: another process puts the new ones before the walk goes on to those.
        if (path.endsWith("part/msg_0/prt_0.json") && another === undefined) {
          for (const id of own) put(directory, `message/ses_1/${id}.json`, changing(id, "src/own-name.ts"))
          another = Bun.spawnSync([process.execPath, CLI, "messages", "ses_1", "--dir", directory]).exitCode
        }
        return fileSystem.openFile(path)
      },
    },
  })
  await store.index()
  expect(another).toBe(0)
  expect(await found(store, "own-name")).toEqual(own)
  expect(await found(store, "needle1")).toEqual(["msg_1"])
  await store.close()
})

test("texts of parts that were read before a change never count for those after it", async () => {
  const directory = filled(3)
  await using store = await open(directory)
  const written: Promise<unknown>[] = []
  await store.index({
    onProgress: ({ kind, done, total }) => {
      // Rows of all parts are put, and their texts wait to be.
      if (kind === "part" && done === total)
        written.push(store.parts.write({ ...part("prt_0", "msg_1", "newer"), sessionID: "ses_1" }))
    },
  })
  await Promise.all(written)
  expect(written.length).toBeGreaterThan(0)
  expect(await found(store, "newer")).toEqual(["msg_1"])
  expect(await found(store, "hay0")).toEqual(["msg_0", "msg_2"])
  expect(await found(store, "hay1")).toEqual(["msg_0", "msg_1", "msg_2"])
  await store.index()
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})
