import { basename, dirname, join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { INDEX_FOLDER, LOCK_FILE, TRASH_FOLDER } from "../../file/layout.ts"
import type { FileSystem } from "../../file/system.ts"
import { COLLECTION_KINDS, PLAIN_KINDS, SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { findOlder } from "../older/older-folder.ts"

/** Names that occur in a store and in few other folders. */
const FOLDERS = new Set<string>([...COLLECTION_KINDS, ...PLAIN_KINDS, ...SESSION_SIDE_KINDS])
const OTHERS = new Set<string>(["migration", INDEX_FOLDER, LOCK_FILE, TRASH_FOLDER])
/** The name of the store in an agent's data folder. */
const STORAGE = "storage"

/**
 * Whether a folder is a store: it has a folder of records, or something else that occurs only in a store. An empty folder is not yet one,
 * unless a history in the older layout lies beside it. A folder that cannot be looked at counts as a store.
 */
export function isStore(fs: FileSystem, directory: string): boolean {
  try {
    const names = fs.readNames(directory)
    if (names === undefined) return false
    const found = storeSigns(fs, directory, names)
    // An agent's data folder has a `project` too: the older layout, beside `storage`.
    if (found.length === 1 && found[0] === "project") return !isFolder(fs, join(directory, STORAGE))
    return found.length > 0 || findOlder(fs, directory) !== undefined
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return true
  }
}

/** Those names in a folder that show that it is a store. */
export function storeSigns(fs: FileSystem, directory: string, names: readonly string[]): string[] {
  return names.filter((name) => (FOLDERS.has(name) ? isFolder(fs, join(directory, name)) : OTHERS.has(name)))
}

/** The error that a folder is no store, with a hint at the store that may have been meant; `undefined` if it is a store. */
export function whyNoStore(fs: FileSystem, directory: string): StoreError | undefined {
  if (isStore(fs, directory)) return undefined
  const near = storeNear(fs, directory)
  const details = { path: directory, hint: near && `Did you mean ${near}?` }
  const message = isFolderQuietly(fs, directory)
    ? `${directory} is no store: it has no session/, message/ or part/`
    : `There is no folder ${directory}`
  return new StoreError("NOT_FOUND", message, details)
}

/** A store near a folder that is none: the one that may have been meant. */
function storeNear(fs: FileSystem, directory: string): string | undefined {
  const above = FOLDERS.has(basename(dirname(directory))) ? dirname(dirname(directory)) : dirname(directory)
  const near = [join(directory, STORAGE), join(directory, "opencode", STORAGE), above, join(above, STORAGE)]
  return near.find((folder) => isFolderQuietly(fs, folder) && isStore(fs, folder))
}

/** Whether a path is a folder; `false` if it cannot be looked at. */
function isFolderQuietly(fs: FileSystem, path: string): boolean {
  try {
    return fs.stat(path)?.kind === "directory"
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}

/** Whether a path is a folder or a link to one. A link that leads nowhere counts too: its disk may be unplugged. */
function isFolder(fs: FileSystem, path: string): boolean {
  const kind = (fs.stat(path) ?? fs.lstat(path))?.kind
  return kind === "directory" || kind === "link"
}
