import { dirname } from "node:path"
import { isStoreError, StoreError, systemCode } from "../errors.ts"
import { EXHAUSTED_HINT } from "../exhaustion.ts"
import { type Key, segmentFault, stemOfFile } from "../record/key.ts"
import type { Place } from "../record/kind.ts"
import { sortTexts } from "../record/order.ts"
import { isSyncCopy } from "../record/sync-copy.ts"
import { folderRefusal, refusalCode } from "./refusal.ts"
import type { FileStat, FileSystem } from "./system.ts"

/** The index's dot-folder and the write lock, which no listing shows. */
export const INDEX_FOLDER = ".sessiondex"
export const LOCK_FILE = ".sessiondex.lock"
/** What was removed and can be brought back. Not within the index's folder, which may be deleted at any moment. */
export const TRASH_FOLDER = ".sessiondex-trash"

/** The folder of a place; with an empty name the one above it, of its kind. */
export function placePath(directory: string, { kind, folder }: Place): string {
  // Put together by hand: `join` takes as long for it as the system takes to open a file.
  return folder === "" ? `${directory}/${kind}` : `${directory}/${kind}/${folder}`
}

/** The file of a record in a place. */
export function recordPath(directory: string, place: Place, id: string): string {
  return `${placePath(directory, place)}/${id}.json`
}

/** What a folder holds, each in the order of `compareText`. */
export interface Listing {
  /** Ids of record files, or names of folders of records. */
  readonly ids: string[]
  /** Names that look like those but belong to links, folders, pipes, … */
  readonly odd: string[]
  /** Names of copies that a synchroniser left of records, whatever bears them. */
  readonly copies: string[]
  /** File names that start with a dot: temp files, ours or others'. */
  readonly hidden: string[]
  /** Names that are no UTF-8, as they are read: no key names what lies there, and no path reaches it. */
  readonly unnamed: string[]
}

/** What a name is told with that is no UTF-8. */
export const UNNAMED = { code: "INVALID_KEY", message: "The name is not UTF-8, so no key names it" } as const

/** Stands in a name for bytes that are no UTF-8; it may also stand there for itself. */
const REPLACEMENT = "\ufffd"

/** Tells whether a name that was read is that of the file. What cannot be looked at is told of by whoever reads it. */
export function isNamed(fs: FileSystem, folder: string, name: string): boolean {
  if (!name.includes(REPLACEMENT)) return true
  try {
    return fs.lstat(`${folder}/${name}`) !== undefined
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return true
  }
}

function emptyListing(): Listing {
  return { ids: [], odd: [], copies: [], hidden: [], unnamed: [] }
}

/** Asks the system for what is in a folder, or what it is. @throws StoreError `UNREADABLE` for what it refuses */
export function askSystem<T>(path: string, ask: () => T): T {
  try {
    return ask()
  } catch (cause) {
    throw isStoreError(cause) ? cause : folderRefusal(path, cause)
  }
}

/**
 * Checks that what is absent is not there, rather than out of reach: behind a link that leads nowhere, as to a disk that is not
 * there, nothing can be looked at. @throws StoreError `NOT_A_FILE` for that link, or what else lies in a folder's place
 */
function checkAbsence(fs: FileSystem, path: string): void {
  for (let at = path; ; at = dirname(at)) {
    const there = askSystem(at, () => fs.lstat(at))
    if (!there && at !== dirname(at)) continue
    if (!there || there.kind === "directory") return
    const isLink = there.kind === "link"
    if (isLink && askSystem(at, () => fs.stat(at))?.kind === "directory") return
    throw new StoreError(
      "NOT_A_FILE",
      `A ${there.kind}${isLink ? " that leads to no folder" : ""} lies where a folder should be`,
      { path: at, hint: isLink ? "Is the disk it leads to there?" : undefined },
    )
  }
}

/** Asks for what is in a folder, which may be a link; `undefined` where there is none. @throws StoreError `UNREADABLE`, `NOT_A_FILE` */
function entriesOf<T>(fs: FileSystem, path: string, ask: () => T | undefined): T | undefined {
  const entries = askSystem(path, ask)
  if (entries === undefined) checkAbsence(fs, path)
  return entries
}

/**
 * Stats a place's folder: `undefined` where there is none. Links below the first level are not followed.
 * @throws StoreError `NOT_A_FILE` for a link or file in its place, or a link above it that leads nowhere; `UNREADABLE`, `EXHAUSTED`
 */
export function statPlace(fs: FileSystem, path: string): FileStat | undefined {
  const stat = askSystem(path, () => fs.lstat(path))
  if (!stat) checkAbsence(fs, dirname(path))
  if (stat && stat.kind !== "directory")
    throw new StoreError("NOT_A_FILE", `A ${stat.kind} lies where a folder of records should be`, {
      path,
      hint: "Links are followed only for the store's folder and its first level.",
    })
  return stat
}

const CLOSED_TO_US: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM"])

/** Tells whether an error says that we may not look, which lasts, and not that the system could not. */
export function isClosedToUs({ cause }: StoreError): boolean {
  return CLOSED_TO_US.has(systemCode(cause))
}

/**
 * Stats a record of a folder that let itself be listed.
 * @throws StoreError `UNREADABLE` where the folder cannot be entered, so that nothing can be said of its records, or where the
 * record cannot be looked at: it must not pass for one that is gone; `EXHAUSTED` where the system refuses everything just now
 */
export function statRecord(fs: FileSystem, path: string): FileStat | undefined {
  try {
    return fs.lstat(path)
  } catch (cause) {
    const code = systemCode(cause)
    if (CLOSED_TO_US.has(code))
      throw new StoreError("UNREADABLE", `The folder cannot be entered (${code})`, {
        path: dirname(path),
        cause,
      })
    const refusal = refusalCode(fs, path, cause)
    throw new StoreError(refusal, `The record cannot be looked at (${code ?? "error"})`, {
      path,
      cause,
      hint: refusal === "EXHAUSTED" ? EXHAUSTED_HINT : undefined,
    })
  }
}

/** Lists the records of one folder by name; foreign files are passed over. @throws StoreError `UNREADABLE`, `EXHAUSTED` */
export function listRecords(fs: FileSystem, path: string): Listing {
  const listing = emptyListing()
  for (const { name, kind } of entriesOf(fs, path, () => fs.readDirectory(path)) ?? []) {
    const id = stemOfFile(name)
    if (id === undefined) {
      if (name.startsWith(".")) listing.hidden.push(name)
    } else if (!isNamed(fs, path, name)) listing.unnamed.push(name)
    else if (isSyncCopy(id)) listing.copies.push(id)
    else if (kind === "file") listing.ids.push(id)
    else listing.odd.push(id)
  }
  for (const names of [listing.ids, listing.odd, listing.copies]) sortTexts(names)
  return listing
}

/**
 * The ids of one folder's record files, or of what else bears such a name, synchronisers' copies among them, and its hidden names.
 * @throws StoreError `UNREADABLE`, `EXHAUSTED`
 */
export function recordNames(fs: FileSystem, path: string): Pick<Listing, "ids" | "hidden"> {
  const ids: string[] = []
  const hidden: string[] = []
  for (const name of entriesOf(fs, path, () => fs.readNames(path)) ?? []) {
    const id = stemOfFile(name)
    if (id !== undefined) ids.push(id)
    else if (name.startsWith(".")) hidden.push(name)
  }
  return { ids: sortTexts(ids), hidden }
}

/** Names of folders, in the order of `compareText`, kept as one text: there may be hundreds of thousands of them. */
export interface FolderNames extends Iterable<string> {
  readonly count: number
}

/**
 * The names of what may be folders of one kind (`session/`, `message/`, …), which may itself be a link; what they really are is
 * not looked at. @throws StoreError `UNREADABLE`
 */
export function namesOfFolders(fs: FileSystem, path: string): FolderNames {
  const all = entriesOf(fs, path, () => fs.readNames(path)) ?? []
  const names = sortTexts(all.filter((name) => segmentFault(name) === undefined))
  const count = names.length
  // No name holds the separator.
  const text = names.join("/")
  return {
    count,
    *[Symbol.iterator]() {
      for (let left = count, from = 0; left > 0; left--) {
        const end = left === 1 ? text.length : text.indexOf("/", from)
        yield text.slice(from, end)
        from = end + 1
      }
    },
  }
}

/** Lists the folders of one kind by name (`session/`, `message/`, …), which may itself be a link. */
export function listFolders(fs: FileSystem, path: string): Listing {
  const listing = emptyListing()
  for (const { name, kind } of entriesOf(fs, path, () => fs.readDirectory(path)) ?? []) {
    if (segmentFault(name) !== undefined) continue
    if (!isNamed(fs, path, name)) listing.unnamed.push(name)
    else if (kind === "directory") listing.ids.push(name)
    else if (kind === "link") listing.odd.push(name)
  }
  sortTexts(listing.ids)
  sortTexts(listing.odd)
  return listing
}

/**
 * Checks that no folder of a key below the first level is a link, so that neither reading nor writing leaves the store. Gives what it saw of
 * the last of them, where that is there.
 * @throws StoreError `NOT_A_FILE`, `UNREADABLE`
 */
export function checkFolders(fs: FileSystem, directory: string, key: Key): FileStat | undefined {
  let path = directory
  let seen: FileStat | undefined
  for (let depth = 0; depth < key.length - 1; depth++) {
    path = `${path}/${key[depth]}`
    if (depth === 0) continue
    seen = statPlace(fs, path)
    if (!seen) return undefined
  }
  return seen
}
