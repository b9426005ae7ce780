import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { ClockedFileSystem } from "../support/clocked-fs.ts"
import { all, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk, untilProven } from "../support/temp.ts"

tempFoldersOnDisk()

/** Longer than a slice of synchronous work, so that others get their turn. */
function holdTheEventLoop(): void {
  const end = performance.now() + 6
  while (performance.now() < end);
}

test("a slow reconcile that is overtaken by a write never puts the old row back", async () => {
  const directory = tempFolder()
  for (let i = 1; i < 9; i++)
    put(directory, `session/proj/ses_${i}.json`, session(`ses_${i}`, { time: { created: i, updated: i } }))
  await untilProven()
  let afterReading: (() => void) | undefined
  const fs = {
    ...fileSystem,
    readOpen(descriptor: number, max: number) {
      const bytes = fileSystem.readOpen(descriptor, max)
      // A copy, since what is done next reads other files.
      const copy = bytes && Buffer.from(bytes)
      if (copy?.includes('"ses_1"')) afterReading?.()
      return copy
    },
  }
  // Nothing but its own writes makes this store look at the files again.
  const options = resolveOptions({
    directory,
    backgroundIndex: false,
    durability: "relaxed",
    maxStaleness: Number.POSITIVE_INFINITY,
  })
  await using store = new Store(options, { fs })
  expect((await all(store.sessions.ids()))[0]).toBe("ses_8")
  writeFileSync(
    join(directory, "session/proj/ses_1.json"),
    JSON.stringify(session("ses_1", { time: { created: 1, updated: 0 } })),
  )
  let write: Promise<void> | undefined
  afterReading = () => {
    afterReading = undefined
    write = store.sessions.write(session("ses_1", { projectID: "proj", time: { created: 1, updated: 99 } }))
    holdTheEventLoop()
  }
  await store.index()
  expect(write).toBeDefined()
  await write
  expect(await all(store.sessions.ids({ limit: 2 }))).toEqual(["ses_1", "ses_8"])
})

const SECOND = 1_000_000_000n

test("a name that comes in the same tick as the last one, while the folder is being read, is not missed later", async () => {
  const folder = tempFolder()
  const device = new ClockedFileSystem(folder, { granularityNs: 2n * SECOND, offsetNs: 0n })
  const directory = join(folder, "store")
  put(directory, "session/proj/ses_1.json", session("ses_1"))
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  await using store = new Store(options, { fs: device.fs })
  let changed = false
  device.before = (call, path) => {
    if (changed || call !== "open" || !path.endsWith("ses_1.json")) return
    changed = true
    put(directory, "session/proj/ses_2.json", session("ses_2"))
    // By the time the reading ends the device's clock is far beyond that tick.
    device.advance(60n * SECOND)
  }
  await store.index()
  expect(changed).toBe(true)
  expect((await all(store.sessions.ids())).sort()).toEqual(["ses_1", "ses_2"])
})

test("a listing over two folders that another program changes in turn is one state of both", async () => {
  const folder = tempFolder()
  const device = new ClockedFileSystem(folder, { granularityNs: 1n, offsetNs: 0n })
  const directory = join(folder, "store")
  const write = (project: string, id: string, updated: number): string =>
    put(directory, `session/${project}/${id}.json`, session(id, { time: { created: 1, updated } }))
  write("a", "ses_1", 1)
  write("b", "ses_2", 5)
  write("b", "ses_3", 3)
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  await using store = new Store(options, { fs: device.fs })
  let changed = false
  device.before = (call, path) => {
    if (changed || call !== "readdir" || !path.endsWith("/b")) return
    changed = true
    write("a", "ses_1", 7)
    write("b", "ses_3", 9)
  }
  const ids = await all(store.sessions.ids())
  expect(changed).toBe(true)
  const states = [
    ["ses_2", "ses_3", "ses_1"],
    ["ses_1", "ses_2", "ses_3"],
    ["ses_3", "ses_1", "ses_2"],
  ]
  expect(states).toContainEqual(ids)
})

test.each(["to be read", "to be looked at"])(
  "a record that the system refuses for a moment %s is back with the next listing",
  async (what) => {
    const directory = tempFolder()
    for (const id of ["ses_1", "ses_2", "ses_3"]) put(directory, `session/p/${id}.json`, session(id))
    await untilProven()
    let refusing = true
    const refuse = (path: string): void => {
      if (refusing && path.endsWith("ses_2.json"))
        throw Object.assign(new Error("no more descriptors"), { code: "EMFILE" })
    }
    const problems: string[] = []
    await using store = new Store(
      resolveOptions({ directory, backgroundIndex: false, onProblem: ({ path }) => problems.push(path) }),
      {
        fs: {
          ...fileSystem,
          openFile(path) {
            refuse(path)
            return fileSystem.openFile(path)
          },
          lstat(path) {
            if (what === "to be looked at") refuse(path)
            return fileSystem.lstat(path)
          },
        },
      },
    )
    expect(await all(store.sessions.ids())).toEqual(["ses_3", "ses_1"])
    expect(problems).toEqual([join(directory, "session/p/ses_2.json")])
    refusing = false
    expect(await all(store.sessions.ids())).toEqual(["ses_3", "ses_2", "ses_1"])
    expect(await store.verify()).toMatchObject({ ok: true })
  },
)
