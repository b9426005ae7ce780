import { basename, dirname, join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { INDEX_FOLDER, LOCK_FILE, TRASH_FOLDER } from "../../file/layout.ts"
import type { FileSystem } from "../../file/system.ts"
import { COLLECTION_KINDS, PLAIN_KINDS, SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { findOlder } from "../older/older-folder.ts"

/** What lies in a store and in few other folders. */
const FOLDERS = new Set<string>([...COLLECTION_KINDS, ...PLAIN_KINDS, ...SESSION_SIDE_KINDS])
const OTHERS = new Set<string>(["migration", INDEX_FOLDER, LOCK_FILE, TRASH_FOLDER])
/** Where agents keep the store in the folder of all their data. */
const STORAGE = "storage"

/**
 * Tells whether a folder is a store: whether it has a folder of records, or anything else that lies in none but a store. An
 * empty folder is none yet, unless an older history lies beside it. What cannot be looked at is not said to be none.
 */
export function isStore(fs: FileSystem, directory: string): boolean {
  try {
    const names = fs.readNames(directory)
    if (names === undefined) return false
    const found = storeSigns(fs, directory, names)
    // The data folder of an agent has a `project` too: the older layout, beside the `storage` of this one.
    if (found.length === 1 && found[0] === "project") return !isFolder(fs, join(directory, STORAGE))
    return found.length > 0 || findOlder(fs, directory) !== undefined
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return true
  }
}

/** Those of the names in a folder that tell of a store. */
export function storeSigns(fs: FileSystem, directory: string, names: readonly string[]): string[] {
  return names.filter((name) => (FOLDERS.has(name) ? isFolder(fs, join(directory, name)) : OTHERS.has(name)))
}

/** Why a folder is no store, and which one may have been meant; `undefined` where it is one. */
export function whyNoStore(fs: FileSystem, directory: string): StoreError | undefined {
  if (isStore(fs, directory)) return undefined
  const near = storeNear(fs, directory)
  const details = { path: directory, hint: near && `Did you mean ${near}?` }
  const message = isFolderQuietly(fs, directory)
    ? `${directory} is no store: it has no session/, message/ or part/`
    : `There is no folder ${directory}`
  return new StoreError("NOT_FOUND", message, details)
}

/** A store near a folder that is none, which may be the one that was meant. */
function storeNear(fs: FileSystem, directory: string): string | undefined {
  const above = FOLDERS.has(basename(dirname(directory))) ? dirname(dirname(directory)) : dirname(directory)
  const near = [join(directory, STORAGE), join(directory, "opencode", STORAGE), above, join(above, STORAGE)]
  return near.find((folder) => isFolderQuietly(fs, folder) && isStore(fs, folder))
}

/** Whether there is a folder; where one cannot look nobody is sent. */
function isFolderQuietly(fs: FileSystem, path: string): boolean {
  try {
    return fs.stat(path)?.kind === "directory"
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}

/** Links are followed, as they are for the first level of a store; one that leads nowhere is there all the same. */
function isFolder(fs: FileSystem, path: string): boolean {
  const kind = (fs.stat(path) ?? fs.lstat(path))?.kind
  return kind === "directory" || kind === "link"
}
