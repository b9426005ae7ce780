import { basename, dirname, join } from "node:path"
import { systemCode } from "../../errors.ts"
import type { FileSystem } from "../../file/system.ts"

/** Where a project of the older layout keeps its sessions, below its own folder. */
export const OLDER_SESSIONS = ["storage", "session"] as const

/** The older layout's folder that belongs to a store, `project` beside `storage`; `undefined` where there is none. */
export function findOlder(fs: FileSystem, directory: string): string | undefined {
  if (basename(directory) !== "storage") return undefined
  const folder = join(dirname(directory), "project")
  return isOlder(fs, folder) ? folder : undefined
}

/**
 * Tells whether a folder holds projects in the older layout, or a link where one should have its records, which is to be told of.
 * One that cannot be read is not said to.
 */
export function isOlder(fs: FileSystem, folder: string): boolean {
  try {
    return (fs.readDirectory(folder) ?? []).some(
      ({ name, kind }) =>
        kind === "directory" &&
        (fs.lstat(join(folder, name, OLDER_SESSIONS[0]))?.kind === "link" ||
          ["directory", "link"].includes(fs.lstat(join(folder, name, ...OLDER_SESSIONS))?.kind ?? "")),
    )
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return false
  }
}
