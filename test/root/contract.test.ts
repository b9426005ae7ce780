import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RootProvider } from "../../src/index.ts"
import { jsonFolder } from "../../src/root/json/json-folder.ts"
import { rootContract } from "../../src/testing/index.ts"
import { treePath } from "../support/temp.ts"
import { historyOf, olderHistory, randomHistory, writeHistory } from "./histories.ts"
import { memoryRoot } from "./memory-root.ts"
import { overNoise } from "./over-noise.ts"

/** A folder that stays for all tests of a contract. */
function lastingFolder(): { folder: string; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "sessiondex-root-"))
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A folder of JSON files with what is held written to it. */
function jsonSubject(seed: number, wrap: (folder: string) => RootProvider) {
  return () => {
    const { folder, close } = lastingFolder()
    const holds = randomHistory(seed)
    writeHistory(folder, holds)
    return { root: wrap(folder), holds, close }
  }
}

rootContract("in memory", () => {
  const holds = randomHistory(1)
  return { root: memoryRoot("/memory", holds), holds }
})
rootContract("in memory, the fixture", () => {
  const holds = historyOf(treePath("opencode-1.1.65/storage"))
  return { root: memoryRoot("/memory", holds), holds }
})
rootContract(
  "JSON files with SQLite",
  jsonSubject(2, (folder) => jsonFolder(folder)),
)
rootContract(
  "JSON files alone",
  jsonSubject(3, (folder) => jsonFolder(folder, { filesOnly: true })),
)
rootContract(
  "JSON files with an index of noise",
  jsonSubject(4, (folder) => overNoise(jsonFolder(folder))),
)
rootContract("JSON files of release 1.1.65", () => {
  const folder = treePath("opencode-1.1.65/storage")
  return { root: jsonFolder(folder), holds: historyOf(folder) }
})
rootContract("the older layout of release 0.5.29", () => {
  const { folder, close } = lastingFolder()
  cpSync(treePath("opencode-0.5.29/project"), folder, { recursive: true })
  return { root: jsonFolder(folder, { layout: "older" }), holds: olderHistory(folder), close }
})
