import { describe, expect, test } from "bun:test"
import { utimesSync } from "node:fs"
import { join } from "node:path"
import { DeviceClock } from "../../src/file/clock.ts"
import { type FileStat, type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { ClockedFileSystem } from "../support/clocked-fs.ts"
import { all, part, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersOnDisk } from "../support/temp.ts"

tempFoldersOnDisk()

const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND

/** A device that no probe can be touched on, with one folder from a time when its clock was a day ahead. */
function withoutProbe(device: ClockedFileSystem, ahead: string): FileSystem {
  const aged = (path: string, stat: FileStat | undefined): FileStat | undefined =>
    stat && path.endsWith(ahead) ? { ...stat, ctimeNs: BigInt(Date.now()) * 1_000_000n + DAY } : stat
  return {
    ...device.fs,
    lstat: (path) => aged(path, device.fs.lstat(path)),
    touch: () => {
      throw Object.assign(new Error("read-only file system"), { code: "EROFS" })
    },
  }
}

describe.each([
  { name: "agrees with ours", offsetNs: 0n },
  { name: "is an hour behind ours", offsetNs: -3_600n * SECOND },
  { name: "is an hour ahead of ours", offsetNs: 3_600n * SECOND },
])("a device without a probe, whose clock was once ahead and $name", ({ offsetNs }) => {
  test("its young files are read again: no edit of the same size within a tick is missed", async () => {
    const folder = tempFolder()
    const device = new ClockedFileSystem(folder, { granularityNs: SECOND, offsetNs })
    const directory = join(folder, "store")
    put(directory, "session/ahead/ses_0.json", session("ses_0", { time: { created: 1, updated: 0 } }))
    const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
    await using store = new Store(options, { fs: withoutProbe(device, "/ahead") })
    const write = (id: string, updated: number): string =>
      put(directory, `session/p/${id}.json`, session(id, { time: { created: 1, updated } }))
    write("ses_1", 1)
    write("ses_2", 5)
    expect(await all(store.sessions.ids())).toEqual(["ses_2", "ses_1", "ses_0"])
    // Within the second, and of the same size.
    write("ses_1", 9)
    expect(await all(store.sessions.ids())).toEqual(["ses_1", "ses_2", "ses_0"])
    expect(await store.verify()).toMatchObject({ ok: true })
  })

  test("no version is given for what may change again under the same stamp", async () => {
    const folder = tempFolder()
    const device = new ClockedFileSystem(folder, { granularityNs: SECOND, offsetNs })
    const directory = join(folder, "store")
    put(directory, "session/ahead/ses_0.json", session("ses_0"))
    put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
    const options = resolveOptions({ directory, backgroundIndex: false })
    await using store = new Store(options, { fs: withoutProbe(device, "/ahead") })
    expect(await all(store.sessions.ids())).toEqual(["ses_0"])
    expect(await store.version([["part", "msg_1", "prt_1"]])).toBeUndefined()
  })
})

test("a stand-in clock is the youngest change time seen that ours has reached, and never runs ahead of ours", () => {
  const refusing = { ...fileSystem, touch: () => Promise.reject() as never }
  const clock = new DeviceClock(refusing, undefined)
  const at = (ctimeNs: bigint): FileStat => ({
    kind: "file",
    mtimeNs: 0n,
    ctimeNs,
    size: 1,
    inode: 1n,
    device: 7n,
    mode: 0o600,
    uid: 0,
    gid: 0,
  })
  const ours = BigInt(Date.now()) * 1_000_000n
  expect(clock.now(7n)).toBeUndefined()
  clock.observe(at(ours + DAY))
  expect(clock.now(7n)).toBeUndefined()
  clock.observe(at(ours - 10n * SECOND))
  clock.observe(at(ours - 20n * SECOND))
  clock.observe(at(ours + 2n * SECOND))
  expect(clock.now(7n)).toBe(ours - 10n * SECOND)
})

test("the probe is dated by the device that keeps it, not by us", () => {
  // A file system that has no change time but the modification time shows that of the probe, as sshfs does.
  const path = join(tempFolder(), "clock")
  fileSystem.touch(path)
  utimesSync(path, 1_000, 1_000)
  const before = fileSystem.touch(path)
  expect(before.mtimeNs).toBe(before.ctimeNs)
  // Once more, where a touch changes nothing but the times.
  const after = fileSystem.touch(path)
  expect(after.mtimeNs).toBe(after.ctimeNs)
  expect(after.mtimeNs).toBeGreaterThan(before.mtimeNs)
})
