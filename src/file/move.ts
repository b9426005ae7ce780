import { dirname, join } from "node:path"
import { systemCode } from "../errors.ts"
import type { TimeSlice } from "../time-slice.ts"
import { makeFolders } from "./access.ts"
import { isSameFile } from "./spelling.ts"
import type { FileSystem } from "./system.ts"

/** What a move did. */
export interface Moved {
  /** Folders whose entries changed; they have to be flushed. */
  readonly folders: Set<string>
  /** The old paths of what was not moved, because something else lies at its destination. */
  readonly left: string[]
  /** The store's folder. Folders made below it get its access. */
  readonly root: string
}

/** File systems without hard links, or that refuse them. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES"])
/** A folder cannot be renamed as a whole: something lies there, or (overlay file systems) it is in another layer. */
const NOT_WHOLE = new Set(["ENOTEMPTY", "EEXIST", "EXDEV"])

/**
 * Moves a file, a link, or a folder with everything in it, within one device. It never overwrites: if something exists at the
 * destination, both stay where they are. What is gone meanwhile is skipped, and if both paths lead to one folder, everything stays.
 * After a kill at any moment everything is in one place or the other, and a second call does the rest.
 */
export async function moveTree(
  fs: FileSystem,
  from: string,
  to: string,
  moved: Moved,
  slice: TimeSlice,
): Promise<void> {
  await slice.pass()
  const here = fs.lstat(from)
  if (here === undefined) return
  if (here.kind !== "directory") return moveFile(fs, from, to, moved)
  const there = fs.lstat(to)
  if (!there && moveFolder(fs, from, to, moved)) return
  if (there && (there.kind !== "directory" || isSameFile(here, there))) {
    moved.left.push(from)
    return
  }
  makeFolder(fs, to, moved)
  for (const name of fs.readNames(from) ?? [])
    await moveTree(fs, join(from, name), join(to, name), moved, slice)
  if (fs.removeEmptyDirectory(from)) moved.folders.add(dirname(from))
}

/** Makes a folder and the missing ones above it, and notes which folders have to be flushed. */
export function makeFolder(fs: FileSystem, path: string, moved: Pick<Moved, "folders" | "root">): void {
  const topmost = makeFolders(fs, path, moved.root)
  if (topmost === undefined) return
  for (let made = path; made.length >= topmost.length; made = dirname(made)) moved.folders.add(dirname(made))
}

function moveFolder(fs: FileSystem, from: string, to: string, moved: Moved): boolean {
  try {
    withFolder(fs, to, moved, () => fs.rename(from, to))
  } catch (error) {
    if (NOT_WHOLE.has(systemCode(error) ?? "")) return false
    throw error
  }
  moved.folders.add(dirname(from)).add(dirname(to))
  return true
}

function moveFile(fs: FileSystem, from: string, to: string, moved: Moved): void {
  try {
    // A rename would overwrite what another program puts there at this moment; a link does not.
    withFolder(fs, to, moved, () => fs.link(from, to))
  } catch (error) {
    const code = systemCode(error) ?? ""
    if (code === "ENOENT" && !fs.lstat(from)) return
    if (code === "EEXIST") {
      if (!isSecondName(fs, from, to)) {
        moved.left.push(from)
        return
      }
    } else if (NO_LINKS.has(code) && !fs.lstat(to)) {
      fs.rename(from, to)
      moved.folders.add(dirname(from)).add(dirname(to))
      return
    } else throw error
  }
  fs.removeFile(from)
  moved.folders.add(dirname(from)).add(dirname(to))
}

/** Runs work that needs the folder above `path`, and makes that folder if it is missing. */
function withFolder(fs: FileSystem, path: string, moved: Moved, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error
    makeFolder(fs, dirname(path), moved)
    work()
  }
}

/**
 * Whether both are names of one file, left by a move that was killed between its two steps. Within one folder, which may have several
 * paths, they may be one and the same name, which must stay.
 */
function isSecondName(fs: FileSystem, from: string, to: string): boolean {
  return isSameFile(fs.lstat(from), fs.lstat(to)) && !isSameFile(fs.stat(dirname(from)), fs.stat(dirname(to)))
}
