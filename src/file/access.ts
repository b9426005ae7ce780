import { dirname } from "node:path"
import { systemCode } from "../errors.ts"
import { type FileStat, type FileSystem, withOpenFile } from "./system.ts"

/** Who owns a file or folder and may use it: as much of its stat as says so. */
export type Access = Pick<FileStat, "mode" | "uid" | "gid">

const PRIVATE = 0o600
const PERMISSIONS = 0o777
const SETGID = 0o2000
/** Up to the first folder that is none of records: the trash's, also below a first-level link. */
const HIDDEN = /^.*?[/\\]\.[^/\\]+/
/** The system does not let us, or the file system has no such thing: then the file is as the system makes it. */
const REFUSED = new Set(["EPERM", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])

/** A temp file that is to take the place of a record, and who may use that. */
export interface Draft extends Opening {
  readonly descriptor: number
}

/** What a temp file is to become. */
interface Opening {
  /** `undefined` where it is just as it was made. */
  readonly access: Access | undefined
  /** How it is until then, where that is known. */
  readonly closed?: Access | undefined
}

/** What new files become, by their folder: for as long as one hold of the write lock, what the system made of the first is so of all. */
export type NewFiles = Map<string, Opening>

/**
 * Makes the temp file, with the text, of what is to lie at `path`; until `openUp` nobody else can read it. A file that it
 * replaces is what it takes after; a new one takes after its folder, as the system makes files there: with the process's umask,
 * the folder's group where that is set so, and what its access list says.
 * @param seen the folder, where it was just looked at
 * @param others what was made of new files under the same hold of the write lock, to which this adds
 */
export function createDraft(
  fs: FileSystem,
  temp: string,
  path: string,
  text: string,
  seen?: FileStat,
  others: NewFiles = new Map(),
): Draft {
  const replaced = fs.lstat(path)
  if (replaced?.kind === "file") return { descriptor: fs.createFile(temp, text), access: replaced }
  const at = dirname(temp)
  const known = others.get(at)
  if (known) return { descriptor: fs.createFile(temp, text), ...known }
  const folder = seen ?? fs.stat(at)
  const mode = PRIVATE | ((folder?.mode ?? 0) & 0o666)
  if (!folder || (mode === PRIVATE && !isToBeGiven(folder))) {
    const descriptor = fs.createFile(temp, text)
    if (folder) others.set(at, { access: undefined })
    return { descriptor, access: undefined }
  }
  // Made as it is to be and closed while it is empty: only the system knows its umask and the folder's access list.
  const descriptor = fs.createFile(temp, "", mode)
  try {
    const made = fs.fstat(descriptor)
    const { uid, gid } = made
    const isClosed =
      (made.mode & PERMISSIONS) === PRIVATE || unlessRefused(() => fs.setMode(descriptor, PRIVATE))
    fs.append(descriptor, Buffer.from(text))
    const opening: Opening = {
      access: { mode: made.mode, ...ownerAfter(folder, made) },
      closed: { mode: isClosed ? PRIVATE : made.mode, uid, gid },
    }
    others.set(at, opening)
    return { descriptor, ...opening }
  } catch (error) {
    fs.close(descriptor)
    throw error
  }
}

/** Gives a temp file to those who may use what it becomes. To be called when all is written to it. */
export function openUp(fs: FileSystem, { descriptor, access, closed }: Draft): void {
  if (!access) return
  const { uid, gid } = access
  // Whatever it was, the one who wrote a record can read it.
  give(fs, descriptor, { uid, gid, mode: (access.mode & PERMISSIONS) | 0o400 }, closed)
}

/**
 * Makes a folder of records and those above it, each after the one it lies in; what is missing of `root`, the store's folder,
 * and above is for us only. Gives the topmost one it made. Within the trash, which is shared as `makeSharedFolders` does it, they take
 * after the store: they may come back.
 */
export function makeFolders(fs: FileSystem, path: string, root: string): string | undefined {
  const [hidden] = HIDDEN.exec(path.slice(root.length)) ?? []
  const topmost = hidden === undefined ? makeRoot(fs, root) : makeSharedFolders(fs, root + hidden, root)
  const above = nearest(fs, path)
  const pattern = fs.stat(hidden === undefined ? above : root)
  if (above === path || !pattern) return topmost
  const made = fs.makeDirectory(path, pattern.mode & PERMISSIONS)
  if (isToBeGiven(pattern)) giveFolders(fs, path, made, (stat) => ({ ...stat, ...ownerAfter(pattern, stat) }))
  return topmost ?? made
}

/**
 * As `makeFolders`, for the index and the trash: whoever may write in the folder above may use them, and nobody else.
 * @param ofOneGroup whether all that is made in them is to be of their group, whoever makes it
 */
export function makeSharedFolders(
  fs: FileSystem,
  path: string,
  root: string,
  ofOneGroup = false,
): string | undefined {
  const topmost = makeRoot(fs, root)
  const above = nearest(fs, path)
  const pattern = fs.stat(above)
  if (above === path || !pattern) return topmost
  const made = fs.makeDirectory(path)
  giveFolders(fs, path, made, (stat) => {
    const access = shared(pattern, stat)
    const setgid = ofOneGroup && (access.mode & 0o070) !== 0 ? SETGID : stat.mode & SETGID
    return { ...access, mode: access.mode | setgid }
  })
  return topmost ?? made
}

/** Makes an empty file that whoever may write in its folder may write, whatever the umask. One that is there is left. */
export function createShared(fs: FileSystem, path: string): void {
  let descriptor: number
  try {
    descriptor = fs.createFile(path, "")
  } catch (error) {
    if (systemCode(error) === "EEXIST") return
    throw error
  }
  try {
    const folder = fs.stat(dirname(path))
    if (!folder) return
    const access = shared(folder, fs.fstat(descriptor))
    give(fs, descriptor, { ...access, mode: access.mode & 0o666 })
  } finally {
    fs.close(descriptor)
  }
}

/** The access of a folder that all may use who may write in another one. */
function shared(folder: FileStat, made: FileStat): Access {
  const [group, others] = [(folder.mode & 0o020) !== 0, (folder.mode & 0o002) !== 0]
  const owner = ownerAfter(folder, { ...made, gid: group ? folder.gid : made.gid })
  return { ...owner, mode: 0o700 | (group ? 0o070 : 0) | (others ? 0o007 : 0) }
}

/** Run as root once, a store must still be its owner's. */
function isToBeGiven({ uid }: FileStat): boolean {
  return uid !== 0 && process.geteuid?.() === 0
}

function ownerAfter(folder: FileStat, { uid, gid }: Access): Pick<Access, "uid" | "gid"> {
  return isToBeGiven(folder) ? { uid: folder.uid, gid: folder.gid } : { uid, gid }
}

/** Gives folders, from `path` up to the topmost one that was made, to those who may use them. */
function giveFolders(
  fs: FileSystem,
  path: string,
  topmost: string | undefined,
  access: (made: FileStat) => Access,
): void {
  if (topmost === undefined || process.geteuid === undefined) return
  for (let folder = path; folder.length >= topmost.length; folder = dirname(folder))
    // Opened, since another may lie there by now; a link is never followed.
    withOpenFile(fs, folder, (descriptor) => {
      const stat = fs.fstat(descriptor)
      if (stat.kind === "directory") give(fs, descriptor, access(stat))
    })
}

/** Sets owner, group and permissions of an open file as far as we may. */
function give(
  fs: FileSystem,
  descriptor: number,
  { mode, uid, gid }: Access,
  now: Access = fs.fstat(descriptor),
): void {
  const set = (owner: number): boolean => unlessRefused(() => fs.setOwner(descriptor, owner, gid))
  let permissions = mode
  if ((now.uid !== uid || now.gid !== gid) && !set(uid) && now.gid !== gid && !set(now.uid))
    // Of another group it is not for: that may do what everybody may.
    permissions = (mode & 0o707) | ((mode & 0o007) << 3)
  if (now.mode !== permissions) unlessRefused(() => fs.setMode(descriptor, permissions))
}

function unlessRefused(call: () => void): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (REFUSED.has(systemCode(error) ?? "")) return false
    throw error
  }
}

function makeRoot(fs: FileSystem, root: string): string | undefined {
  if (fs.stat(root)) return undefined
  const above = fs.stat(nearest(fs, root))
  const made = fs.makeDirectory(root)
  if (above && isToBeGiven(above))
    giveFolders(fs, root, made, (stat) => ({ ...stat, ...ownerAfter(above, stat) }))
  return made
}

/** The folder itself, or the nearest one above it that is there. */
function nearest(fs: FileSystem, path: string): string {
  let folder = path
  while (!fs.stat(folder) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}
