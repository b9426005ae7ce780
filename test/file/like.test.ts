import { beforeEach, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileStat, fileSystem } from "../../src/file/system.ts"
import { tempFolder, tempFoldersOnDisk, untilProven } from "../support/temp.ts"

tempFoldersOnDisk()

let path = ""
let like: FileStat

beforeEach(async () => {
  path = join(tempFolder(), "a")
  fs.writeFileSync(path, "text")
  await untilProven()
  const stat = fileSystem.lstat(path)
  if (!stat) throw new Error("A file that was just made is not there")
  like = stat
})

test("a look at what is as it was gives the earlier one itself", () => {
  expect(fileSystem.lstat(path, like)).toBe(like)
  expect(fileSystem.stat(path, like)).toBe(like)
})

test.each<[string, () => void]>([
  ["other words of the same length", () => fs.writeFileSync(path, "tell")],
  [
    "other words, with the old time put back",
    () => {
      fs.writeFileSync(path, "tell")
      const seconds = Number(like.mtimeNs) / 1e9
      fs.utimesSync(path, seconds, seconds)
    },
  ],
  ["more words", () => fs.appendFileSync(path, "s")],
  ["other rights", () => fs.chmodSync(path, 0o400)],
  [
    "another file in its place",
    () => {
      fs.copyFileSync(path, `${path}b`)
      fs.renameSync(`${path}b`, path)
    },
  ],
])("%s are a look of their own", (_, change) => {
  change()
  const now = fileSystem.lstat(path)
  expect(fileSystem.lstat(path, like)).not.toBe(like)
  expect(fileSystem.lstat(path, like)).toEqual(now)
})

test("what became a link, a folder or nothing is no more like it", () => {
  fs.renameSync(path, `${path}b`)
  expect(fileSystem.lstat(path, like)).toBeUndefined()
  fs.symlinkSync(`${path}b`, path)
  expect(fileSystem.lstat(path, like)?.kind).toBe("link")
  fs.rmSync(path)
  fs.mkdirSync(path)
  expect(fileSystem.stat(path, like)?.kind).toBe("directory")
})

test("a folder whose names change is no more like it", async () => {
  const folder = join(path, "..")
  const before = fileSystem.stat(folder)
  expect(fileSystem.stat(folder, before)).toBe(before)
  fs.writeFileSync(join(folder, "c"), "")
  expect(fileSystem.stat(folder, before)).not.toBe(before)
})
