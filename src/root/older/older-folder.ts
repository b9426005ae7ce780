import { basename, dirname, join } from "node:path"
import type { StoreError } from "../../errors.ts"
import { isStoreError, systemCode } from "../../errors.ts"
import { isExhausted } from "../../exhaustion.ts"
import { folderRefusal } from "../../file/refusal.ts"
import type { FileSystem } from "../../file/system.ts"

/** Where a project of the older layout keeps its sessions, below its own folder. */
export const OLDER_SESSIONS = ["storage", "session"] as const

/**
 * The older layout's folder that belongs to a store, `project` beside `storage`; `undefined` where there is none. One that cannot be
 * looked into is taken to be one: reading it tells why it cannot be read. @throws StoreError `EXHAUSTED`
 */
export function findOlder(fs: FileSystem, directory: string): string | undefined {
  if (basename(directory) !== "storage") return undefined
  const folder = join(dirname(directory), "project")
  return mayBeOlder(fs, folder, true) ? folder : undefined
}

/** As `isOlder`, with what to say of a folder that cannot be looked into. @throws StoreError `EXHAUSTED` */
export function mayBeOlder(fs: FileSystem, folder: string, otherwise: boolean): boolean {
  try {
    return isOlder(fs, folder)
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    return otherwise
  }
}

/**
 * Tells whether a folder holds projects in the older layout, or a link where one should have its records, which is to be told of.
 * @throws StoreError `UNREADABLE` where that cannot be told; `EXHAUSTED`
 */
export function isOlder(fs: FileSystem, folder: string): boolean {
  let refusal: StoreError | undefined
  const look = <T>(path: string, ask: () => T): T | undefined => {
    try {
      return ask()
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      refusal ??= folderRefusal(path, error)
      return undefined
    }
  }
  const found = (look(folder, () => fs.readDirectory(folder)) ?? []).some(({ name, kind }) => {
    if (kind !== "directory") return false
    const kindOf = (path: string): string => look(path, () => fs.lstat(path))?.kind ?? ""
    return (
      kindOf(join(folder, name, OLDER_SESSIONS[0])) === "link" ||
      ["directory", "link"].includes(kindOf(join(folder, name, ...OLDER_SESSIONS)))
    )
  })
  if (!found && refusal) throw refusal
  return found
}
