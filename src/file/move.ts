import { dirname, join } from "node:path"
import { systemCode } from "../errors.ts"
import type { TimeSlice } from "../time-slice.ts"
import { makeFolders } from "./access.ts"
import { isSameFile } from "./spelling.ts"
import type { FileSystem } from "./system.ts"

/** What a move did. */
export interface Moved {
  /** Folders whose names changed, to be flushed. */
  readonly folders: Set<string>
  /** What stayed because something else lies at its destination, as paths it was to be moved from. */
  readonly left: string[]
  /** The store's folder: what is made below it takes after it. */
  readonly root: string
}

/** File systems without hard links, or that refuse them. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES"])
/** A folder that cannot be renamed as a whole: something lies there, or (overlay file systems) it is of another layer. */
const NOT_WHOLE = new Set(["ENOTEMPTY", "EEXIST", "EXDEV"])

/**
 * Moves a file, a link, or a folder with all it holds, byte for byte and within one device, and never over anything: what
 * exists at the destination stays, and so does what was to take its place. What is gone meanwhile is passed over, and where both
 * names lead to one folder all stays. Killed at any moment everything is in one place or the other, and a second call does the rest.
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

/** Makes a folder and those above it, and notes which names must reach the disk. */
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
    // A rename would go over what another program puts there at this moment; a link does not.
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

/** Does something in a folder, which is made where it is missing. */
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
 * Whether both are names of one file: a move that was killed between its two steps. Within one folder, to which several names may
 * lead, they may be the same name, which must stay.
 */
function isSecondName(fs: FileSystem, from: string, to: string): boolean {
  return isSameFile(fs.lstat(from), fs.lstat(to)) && !isSameFile(fs.stat(dirname(from)), fs.stat(dirname(to)))
}
