import { dirname } from "node:path"
import { systemCode } from "../errors.ts"
import { type FileStat, type FileSystem, withOpenFile } from "./system.ts"

/** Who owns a file or folder and who may use it. */
export type Access = Pick<FileStat, "mode" | "uid" | "gid">

const PRIVATE = 0o600
const PERMISSIONS = 0o777
const SETGID = 0o2000
/** A path up to its first dot-folder, which holds no records: the trash, also below a first-level link. */
const HIDDEN = /^.*?[/\\]\.[^/\\]+/
/** Codes for "not permitted" and "not supported": then the file stays as the system made it. */
const REFUSED = new Set(["EPERM", "EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])

/** An open temp file that is to replace a record. */
export interface Draft extends Opening {
  readonly descriptor: number
}

/** The access that a temp file gets when it is complete. */
interface Opening {
  /** `undefined` if it stays as it was made. */
  readonly access: Access | undefined
  /** Its access until then, if it is known. */
  readonly closed?: Access | undefined
}

/** The access of new files by folder. During one hold of the write lock what the system gave the first new file holds for all. */
export type NewFiles = Map<string, Opening>

/**
 * Makes the temp file for a record at `path` and writes the text to it. Nobody else can read it until `openUp`. It then gets the
 * access of the file that it replaces. A new file gets what the system gives new files in that folder: by the process's umask, the
 * folder's setgid bit and its access list.
 * @param seen the folder's stat, if it was just looked at
 * @param others the access of new files under the same hold of the write lock; this adds to it
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
  // Only the system knows the umask and the folder's access list. So the file is made open, looked at, and closed while it is empty.
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

/** Gives a temp file the access that the record is to have. Call it when everything is written. */
export function openUp(fs: FileSystem, { descriptor, access, closed }: Draft): void {
  if (!access) return
  const { uid, gid } = access
  // The owner can always read what was written.
  give(fs, descriptor, { uid, gid, mode: (access.mode & PERMISSIONS) | 0o400 }, closed)
}

/**
 * Makes a folder of records and the missing folders above it, each with the access of the folder it lies in. `root`, the store's
 * folder, and what is missing above it are made for us only. Folders within the trash get the store's access, since they may come
 * back; the trash itself is shared as by `makeSharedFolders`. Returns the topmost folder that was made.
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
 * As `makeFolders`, for the index and the trash: whoever may write to the folder above may use them, and nobody else.
 * @param ofOneGroup whether everything made in them gets their group, whoever makes it (setgid)
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

/** Makes an empty file that everybody who may write to its folder may write to, whatever the umask. An existing file is left alone. */
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

/** Access for everybody who may write to `folder`, for something that was just made in it. */
function shared(folder: FileStat, made: FileStat): Access {
  const [group, others] = [(folder.mode & 0o020) !== 0, (folder.mode & 0o002) !== 0]
  const owner = ownerAfter(folder, { ...made, gid: group ? folder.gid : made.gid })
  return { ...owner, mode: 0o700 | (group ? 0o070 : 0) | (others ? 0o007 : 0) }
}

/** Whether we run as root in another user's folder. What we make there has to belong to that user, or the store is lost to them. */
function isToBeGiven({ uid }: FileStat): boolean {
  return uid !== 0 && process.geteuid?.() === 0
}

function ownerAfter(folder: FileStat, { uid, gid }: Access): Pick<Access, "uid" | "gid"> {
  return isToBeGiven(folder) ? { uid: folder.uid, gid: folder.gid } : { uid, gid }
}

/** Sets the access of new folders, from `path` up to the topmost one that was made. */
function giveFolders(
  fs: FileSystem,
  path: string,
  topmost: string | undefined,
  access: (made: FileStat) => Access,
): void {
  if (topmost === undefined || process.geteuid === undefined) return
  for (let folder = path; folder.length >= topmost.length; folder = dirname(folder))
    // Set on the open folder and not by name: something else may lie there by now, and a link must not be followed.
    withOpenFile(fs, folder, (descriptor) => {
      const stat = fs.fstat(descriptor)
      if (stat.kind === "directory") give(fs, descriptor, access(stat))
    })
}

/** Sets owner, group and permissions of an open file, as far as we are allowed to. */
function give(
  fs: FileSystem,
  descriptor: number,
  { mode, uid, gid }: Access,
  now: Access = fs.fstat(descriptor),
): void {
  const set = (owner: number): boolean => unlessRefused(() => fs.setOwner(descriptor, owner, gid))
  let permissions = mode
  if ((now.uid !== uid || now.gid !== gid) && !set(uid) && now.gid !== gid && !set(now.uid))
    // The group could not be set, so the group it has gets no more than everybody.
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

/** The folder itself, or the nearest one above it that exists. */
function nearest(fs: FileSystem, path: string): string {
  let folder = path
  while (!fs.stat(folder) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}
