import { dirname } from "node:path"
import { isStoreError, StoreError, systemCode } from "../errors.ts"
import { EXHAUSTED_HINT } from "../exhaustion.ts"
import { type Key, segmentFault, stemOfFile } from "../record/key.ts"
import type { Place } from "../record/kind.ts"
import { sortTexts } from "../record/order.ts"
import { isSyncCopy } from "../record/sync-copy.ts"
import { folderRefusal, refusalCode } from "./refusal.ts"
import type { FileStat, FileSystem } from "./system.ts"

/** The folder of the index and, below, the write lock. No listing shows them. */
export const INDEX_FOLDER = ".sessiondex"
export const LOCK_FILE = ".sessiondex.lock"
/** The trash. It is not in the index's folder, because that may be deleted at any moment. */
export const TRASH_FOLDER = ".sessiondex-trash"

/** The folder of a place; with an empty name, the folder of its kind. */
export function placePath(directory: string, { kind, folder }: Place): string {
  // Without `join`, which takes as long as opening a file.
  return folder === "" ? `${directory}/${kind}` : `${directory}/${kind}/${folder}`
}

/** The file of a record in a place. */
export function recordPath(directory: string, place: Place, id: string): string {
  return `${placePath(directory, place)}/${id}.json`
}

/** What a folder holds; `ids`, `odd` and `copies` are in the order of `compareText`. */
export interface Listing {
  /** Ids of record files, or names of folders of records. */
  readonly ids: string[]
  /** Names that look like a record's but belong to a link, a folder, a pipe, … */
  readonly odd: string[]
  /** Names of copies that a synchroniser left of records, whatever lies under them. */
  readonly copies: string[]
  /** File names that start with a dot: temp files, ours or others'. */
  readonly hidden: string[]
  /** Names that are not UTF-8, as they were read. No key names such a file, and no path reaches it. */
  readonly unnamed: string[]
}

/** The problem of a name that is not UTF-8. */
export const UNNAMED = { code: "INVALID_KEY", message: "The name is not UTF-8, so no key names it" } as const

/** The character that replaces bytes that are not UTF-8. A name may also really contain it. */
const REPLACEMENT = "\ufffd"

/** Whether a name as it was read really leads to the file. If that cannot be looked at, `true`: reading the file will report it. */
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

/** Makes a system call about a folder. @throws StoreError `UNREADABLE`, `EXHAUSTED` if the system refuses it */
export function askSystem<T>(path: string, ask: () => T): T {
  try {
    return ask()
  } catch (cause) {
    throw isStoreError(cause) ? cause : folderRefusal(path, cause)
  }
}

/**
 * Checks that something is really absent and not just out of reach, behind a link that leads nowhere, as to a disk that is unplugged.
 * @throws StoreError `NOT_A_FILE` for that link, or for anything else that lies where a folder should be
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

/** Asks for the entries of a folder, which may be a link; `undefined` if there is none. @throws StoreError `UNREADABLE`, `NOT_A_FILE` */
function entriesOf<T>(fs: FileSystem, path: string, ask: () => T | undefined): T | undefined {
  const entries = askSystem(path, ask)
  if (entries === undefined) checkAbsence(fs, path)
  return entries
}

/**
 * The stat of a place's folder; `undefined` if there is none. Links below the first level are not followed.
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

/** Whether an error means that we have no permission to look, rather than that the system could not look just now. */
export function isClosedToUs({ cause }: StoreError): boolean {
  return CLOSED_TO_US.has(systemCode(cause))
}

/**
 * The stat of a record in a folder that could be listed; `undefined` if it is gone.
 * @throws StoreError `UNREADABLE` for the folder if it cannot be entered, so that nothing is known about its records, or for the
 * record if it cannot be looked at, since it must not count as gone; `EXHAUSTED` if the system refuses everything just now
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

/** Lists the records of one folder by name; other files are skipped. @throws StoreError `UNREADABLE`, `EXHAUSTED`, `NOT_A_FILE` */
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
 * The names in one folder, without a look at what lies under them: ids of all that is named like a record, synchronisers' copies
 * included, and hidden names.
 * @throws StoreError `UNREADABLE`, `EXHAUSTED`, `NOT_A_FILE`
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

/** Names of folders, in the order of `compareText`. Kept as one text, since there may be hundreds of thousands. */
export interface FolderNames extends Iterable<string> {
  readonly count: number
}

/**
 * The names in the folder of one kind (`session/`, `message/`, …), which may itself be a link. Whether they are folders is not
 * looked at. @throws StoreError `UNREADABLE`, `EXHAUSTED`, `NOT_A_FILE`
 */
export function namesOfFolders(fs: FileSystem, path: string): FolderNames {
  const all = entriesOf(fs, path, () => fs.readNames(path)) ?? []
  const names = sortTexts(all.filter((name) => segmentFault(name) === undefined))
  const count = names.length
  // No name contains the separator.
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

/** Lists the folders in the folder of one kind (`session/`, `message/`, …), which may itself be a link; links in it are `odd`. */
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
 * Checks that no folder of a key below the first level is a link, so that neither reading nor writing leaves the store. Returns the
 * stat of the last folder, if it exists.
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
