import { join } from "node:path"
import { StoreError } from "../errors.ts"
import { isSyncCopy } from "./sync-copy.ts"

/** The path of a record below the store's folder, segment by segment, without `.json`. */
export type Key = readonly string[]

/** What every record's file name ends in. */
export const RECORD_SUFFIX = ".json"

/** A file name longer than this cannot exist on the file systems in use (NAME_MAX, in bytes). */
const MAX_NAME_BYTES = 255
/** PATH_MAX of Linux less its closing NUL, in bytes. */
const MAX_PATH_BYTES = 4095

/** What nearly all files of records are called, and needs no closer look. */
const PLAIN_FILE = /^[\w-]{1,200}\.json$/
const FORBIDDEN = /[/\\\p{Cc}]/u
/** Names and characters that Windows keeps for itself: learn.microsoft.com/windows/win32/fileio/naming-a-file. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i
const WINDOWS_FORBIDDEN = /[<>:"|?*]|[. ]$/

/** The reason why `segment` cannot be part of a key, or `undefined` where it can. */
export function segmentFault(segment: unknown): string | undefined {
  if (typeof segment !== "string") return "is not a string"
  if (segment === "") return "is empty"
  if (segment.startsWith(".")) return "starts with a dot"
  if (FORBIDDEN.test(segment)) return "holds a separator or a control character"
  if (!segment.isWellFormed()) return "is not well-formed Unicode"
  if (Buffer.byteLength(segment) + RECORD_SUFFIX.length > MAX_NAME_BYTES) return "is too long for a file name"
  return undefined
}

function refuse(key: unknown, reason: string): never {
  throw new StoreError("INVALID_KEY", `Invalid key ${JSON.stringify(key)}: ${reason}`, {
    hint: "A key is an array of non-empty names without separators, control characters or leading dots.",
  })
}

/**
 * Checks a key from outside before the disk is touched.
 * @throws StoreError `INVALID_KEY`
 */
export function checkKey(key: unknown): asserts key is Key {
  if (!Array.isArray(key)) return refuse(key, "it is not an array of strings")
  if (key.length === 0) return refuse(key, "it is empty")
  checkPrefix(key)
}

/** As `checkKey`, but lets the empty key pass: the whole store is a prefix too. */
export function checkPrefix(prefix: unknown): asserts prefix is Key {
  if (!Array.isArray(prefix)) return refuse(prefix, "it is not an array of strings")
  for (const segment of prefix) {
    const fault = segmentFault(segment)
    if (fault) return refuse(prefix, `the segment ${JSON.stringify(segment)} ${fault}`)
  }
}

/**
 * As `checkKey`, and refuses the names that Windows reserves, so that a store can be carried to any machine, and those that
 * synchronisers give to their copies, since no listing would show it. Such files, made elsewhere, can still be read and removed.
 * @throws StoreError `INVALID_KEY`
 */
export function checkWritableKey(key: unknown): asserts key is Key {
  checkKey(key)
  for (const segment of key) {
    if (WINDOWS_DEVICE.test(segment) || WINDOWS_FORBIDDEN.test(segment))
      refuse(key, `the segment ${JSON.stringify(segment)} is reserved by Windows`)
  }
  const name = key.at(-1)
  if (name !== undefined && isSyncCopy(name))
    refuse(key, `${JSON.stringify(name)} is a name that synchronisers give to copies`)
}

/**
 * The file of a checked key.
 * @throws StoreError `INVALID_KEY` where the whole path is longer than a system call takes
 */
export function keyPath(directory: string, key: Key): string {
  const path = join(directory, ...key) + RECORD_SUFFIX
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) refuse(key, "its path is too long")
  return path
}

/** The record's id in a file name, or `undefined` for a file that is not a record's (temp, hidden, foreign, a synchroniser's copy). */
export function idOfFile(name: string): string | undefined {
  const stem = stemOfFile(name)
  return stem === undefined || isSyncCopy(stem) ? undefined : stem
}

/** The name of a file without its suffix, where it could be a record's or is a synchroniser's copy of one. */
export function stemOfFile(name: string): string | undefined {
  if (PLAIN_FILE.test(name)) return name.slice(0, -RECORD_SUFFIX.length)
  if (!name.endsWith(RECORD_SUFFIX)) return undefined
  const stem = name.slice(0, -RECORD_SUFFIX.length)
  return segmentFault(stem) === undefined ? stem : undefined
}
