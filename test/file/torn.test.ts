import { describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { ClockedFileSystem } from "../support/clocked-fs.ts"
import { all, message, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

const HOUR = 3_600_000_000_000n

describe.each([
  { name: "an hour behind ours", offsetNs: -HOUR },
  { name: "an hour ahead of ours", offsetNs: HOUR },
])("on a device whose clock is $name", ({ offsetNs }) => {
  for (const filesOnly of [false, true])
    test(`a file that another program is writing is waited for${filesOnly ? ", without an index" : ""}`, async () => {
      const folder = tempFolder()
      const device = new ClockedFileSystem(folder, { granularityNs: 1n, offsetNs })
      const directory = join(folder, "store")
      const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
      await using store = new Store(options, { fs: device.fs, filesOnly })
      const seen: string[] = []
      const questions: (() => Promise<unknown>)[] = [
        () => store.sessions.get("ses_1"),
        () => all(store.sessions.list()),
        () => store.read(["session", "p", "ses_1"]),
        () => all(store.messages.list("ses_1")),
        () => store.update(["message", "ses_1", "msg_1"], (draft: object) => draft),
      ]
      for (const ask of questions) {
        const whole = {
          "session/p/ses_1.json": session("ses_1"),
          "message/ses_1/msg_1.json": message("msg_1", "ses_1", 1),
        }
        for (const path of Object.keys(whole)) put(directory, path, '{"id":')
        const written = Bun.sleep(3).then(() => {
          for (const [path, body] of Object.entries(whole)) put(directory, path, body)
        })
        seen.push(JSON.stringify(await ask()))
        await written
      }
      expect(seen.map((text) => /(?:ses|msg)_1/.test(text))).toEqual(questions.map(() => true))
    })

  test("one that stays torn is waited for once in each version", async () => {
    const folder = tempFolder()
    let looks = 0
    const device = new ClockedFileSystem(folder, { granularityNs: 1n, offsetNs })
    const directory = join(folder, "store")
    const path = put(directory, "todo/ses_1.json", '{"a')
    device.before = (call, of) => {
      if (call === "open" && of === path) looks++
    }
    const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
    await using store = new Store(options, { fs: device.fs })
    const looksOf = async (): Promise<number> => {
      looks = 0
      expect(await store.read(["todo", "ses_1"]).catch((error) => error)).toMatchObject({ code: "CORRUPT" })
      return looks
    }
    const once = await looksOf()
    expect(once).toBeGreaterThan(1)
    expect(await looksOf()).toBe(1)
    writeFileSync(path, '{"b')
    expect(await looksOf()).toBe(once)
  })
})

test("what the device's own clock calls old is not waited for, however young it looks elsewhere", async () => {
  const folder = tempFolder()
  const directory = join(folder, "store")
  const paths = Array.from({ length: 3 }, (_, i) => put(directory, `part/msg_${i}/prt_1.json`, '{"a'))
  let looks = 0
  // All is an hour old by the device's clock, which is two hours ahead of ours.
  const fs = {
    ...fileSystem,
    lstat: (path: string) => {
      const stat = fileSystem.lstat(path)
      return stat && { ...stat, ctimeNs: stat.ctimeNs + HOUR }
    },
    fstat: (descriptor: number) => {
      const stat = fileSystem.fstat(descriptor)
      return { ...stat, ctimeNs: stat.ctimeNs + HOUR }
    },
    touch: (path: string) => {
      const stat = fileSystem.touch(path)
      return { ...stat, ctimeNs: stat.ctimeNs + 2n * HOUR }
    },
    openFile: (path: string) => {
      if (paths.includes(path)) looks++
      return fileSystem.openFile(path)
    },
  }
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  await using store = new Store(options, { fs })
  expect((await store.index()).unreadable).toHaveLength(3)
  // Opened, and looked at again to say what is wrong with it.
  expect(looks).toBe(2 * paths.length)
})
