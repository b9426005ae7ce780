import * as fs from "node:fs"
import { join } from "node:path"

/** Reads and parses each file below a folder and nothing else; gives how many. */
export function readAndParseAll(folder: string): number {
  let files = 0
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
    if (entry.name.startsWith(".")) continue
    else if (entry.isDirectory()) files += readAndParseAll(join(folder, entry.name))
    else {
      JSON.parse(fs.readFileSync(join(folder, entry.name), "utf8"))
      files++
    }
  return files
}

/** Stats every folder and file of a store and nothing else; their names have to be read for that. */
export function statAll(folder: string): number {
  let files = 0
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue
    fs.lstatSync(join(folder, entry.name))
    files += entry.isDirectory() ? statAll(join(folder, entry.name)) : 1
  }
  return files
}
