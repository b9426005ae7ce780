import { basename, dirname, join } from "node:path"
import type { StoreError } from "../../errors.ts"
import { isStoreError, systemCode } from "../../errors.ts"
import { isExhausted } from "../../exhaustion.ts"
import { folderRefusal } from "../../file/refusal.ts"
import type { FileSystem } from "../../file/system.ts"

/** Where a project of the older layout keeps its sessions, below the project's folder. */
export const OLDER_SESSIONS = ["storage", "session"] as const

/**
 * The folder of the older layout that belongs to a store: `project` beside `storage`; `undefined` if there is none. If it cannot be
 * looked into, it counts as one, and reading it will report why. @throws StoreError `EXHAUSTED`
 */
export function findOlder(fs: FileSystem, directory: string): string | undefined {
  if (basename(directory) !== "storage") return undefined
  const folder = join(dirname(directory), "project")
  return mayBeOlder(fs, folder, true) ? folder : undefined
}

/** As `isOlder`, but returns `otherwise` for a folder that cannot be looked into. @throws StoreError `EXHAUSTED` */
export function mayBeOlder(fs: FileSystem, folder: string, otherwise: boolean): boolean {
  try {
    return isOlder(fs, folder)
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    return otherwise
  }
}

/**
 * Whether a folder holds projects in the older layout. A link where a project's records should be counts too, so that it is reported.
 * @throws StoreError `UNREADABLE` if that cannot be told; `EXHAUSTED`
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
