import { basename, join } from "node:path"
import { systemCode } from "../errors.ts"
import type { FileSystem } from "../file/system.ts"
import { isStore, storeSigns } from "../root/json/store-folder.ts"
import { isOlder } from "../root/older/older-folder.ts"
import { databaseNames } from "../root/opencode/find.ts"

/** In an agent's data folder: its JSON store, and the history in the older layout. */
const STORAGE = "storage"
const OLDER = "project"

/** What an agent's data folder holds of its history. */
export interface DataFolder {
  /** Where its JSON store lies, or would. */
  readonly storage: string
  readonly hasStorage: boolean
  /** Its older layout, where there is one. */
  readonly older: string | undefined
  readonly databases: readonly string[]
}

/**
 * What lies in a folder, where it is one of an agent's data and no store itself: a store in `storage/`, the older layout in `project/`, or
 * databases. One that cannot be looked at is taken for what it was named as.
 * @param named a database of it under another name, there or elsewhere
 */
export function dataFolder(fs: FileSystem, directory: string, named?: string): DataFolder | undefined {
  if (basename(directory) === STORAGE) return undefined
  try {
    // An agent whose database lies elsewhere need not have made its folder.
    const names = fs.readNames(directory) ?? (named === undefined ? undefined : [])
    if (!names || storeSigns(fs, directory, names).some((name) => name !== OLDER)) return undefined
    const found = databaseNames(names).map((name) => join(directory, name))
    const databases = named === undefined ? found : [...new Set([named, ...found])]
    const storage = join(directory, STORAGE)
    const hasStorage = names.includes(STORAGE) && isStore(fs, storage)
    const older = join(directory, OLDER)
    const hasOlder = names.includes(OLDER) && isOlder(fs, older)
    if (databases.length === 0 && !hasStorage && !hasOlder) return undefined
    return { storage, hasStorage, older: hasOlder ? older : undefined, databases }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}
