import { afterAll, beforeAll } from "bun:test"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export { put } from "./files.ts"

const made: string[] = []

/** Removes the folders that were made; called after each test by `cleanup.ts`. */
export function removeTempFolders(): void {
  for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true, force: true })
}

/** Whether `tempFolder` makes them in memory, where there is room. */
let inMemory = false

/** Has `tempFolder` make its folders in memory for the tests of a file, or of a `describe`, that calls this. */
export function tempFoldersInMemory(): void {
  beforeAll(() => {
    inMemory = true
  })
  afterAll(() => {
    inMemory = false
  })
}

/** A new folder that goes when the test ends. */
export function tempFolder(): string {
  if (inMemory) return largeTempFolder()
  const folder = fs.mkdtempSync(join(tmpdir(), "sessiondex-test-"))
  made.push(folder)
  return folder
}

const MEMORY = "/dev/shm"

/** A file system in memory with room for many small files, where the system has one. */
export function roomInMemory(): string | undefined {
  try {
    const { bavail, bsize } = fs.statfsSync(MEMORY)
    return bavail * bsize > 2 ** 30 ? MEMORY : undefined
  } catch {
    return undefined
  }
}

/**
 * As `tempFolder`, for tests of thousands of files, or of hundreds of processes that are killed: disks take half a minute for
 * them, and what a killed process leaves behind is the same anywhere.
 */
export function largeTempFolder(): string {
  const folder = fs.mkdtempSync(join(roomInMemory() ?? tmpdir(), "sessiondex-test-"))
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
