import { afterAll, beforeAll } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DISK } from "./memory.ts"

export { put } from "./files.ts"

const made: string[] = []

/** Removes the folders that were made; called after each test by `cleanup.ts`. */
export function removeTempFolders(): void {
  for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true, force: true })
}

/** Whether `tempFolder` makes them on the disk. */
let onDisk = false

/** Has `tempFolder` make its folders on the disk for the tests of a file, or of a `describe`, that calls this. */
export function tempFoldersOnDisk(): void {
  beforeAll(() => {
    onDisk = true
  })
  afterAll(() => {
    onDisk = false
  })
}

/**
 * A new folder that goes when the test ends; in memory, where there is room. A disk takes several times as long for small files
 * and flushes, and what a process leaves behind is the same anywhere.
 */
export function tempFolder(): string {
  return newFolder(onDisk ? DISK : tmpdir())
}

/** As `tempFolder`, on the disk. */
export function diskFolder(): string {
  return newFolder(DISK)
}

function newFolder(parent: string): string {
  const folder = fs.mkdtempSync(join(parent, "sessiondex-test-"))
  made.push(folder)
  return folder
}

/** A copy of one of the trees that real releases wrote. */
export function copyOfTree(name: string): string {
  const folder = tempFolder()
  fs.cpSync(treePath(name), folder, { recursive: true })
  return folder
}

export function treePath(name: string): string {
  return join(import.meta.dir, "..", "fixtures", "trees", name)
}

/** Waits until every file written so far is older than the clock's granularity, so that its stamp proves something. */
export function untilProven(): Promise<void> {
  return Bun.sleep(130)
}

/** All files below a folder with their bytes, to show that nothing was touched. */
export function snapshot(directory: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    files[path.slice(directory.length + 1)] = entry.isFile()
      ? fs.readFileSync(path).toString("base64")
      : "folder"
  }
  return files
}
