import { join } from "node:path"
import { StoreError } from "../errors.ts"
import { isSyncCopy } from "./sync-copy.ts"

/** The path of a record below the store's folder, segment by segment, without `.json`. */
export type Key = readonly string[]

/** The end of every record's file name. */
export const RECORD_SUFFIX = ".json"

/** A file name longer than this cannot exist on the file systems in use (NAME_MAX, in bytes). */
const MAX_NAME_BYTES = 255
/** Linux's PATH_MAX without the NUL at its end, in bytes. */
const MAX_PATH_BYTES = 4095

/** Nearly all record files have a name like this, which needs no closer look. */
const PLAIN_FILE = /^[\w-]{1,200}\.json$/
const FORBIDDEN = /[/\\\p{Cc}]/u
/** Names and characters that Windows reserves: learn.microsoft.com/windows/win32/fileio/naming-a-file. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i
const WINDOWS_FORBIDDEN = /[<>:"|?*]|[. ]$/

/** Why `segment` cannot be part of a key, or `undefined` if it can. */
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

/** Checks a key's prefix as `checkKey` does, but accepts the empty one, which means the whole store. */
export function checkPrefix(prefix: unknown): asserts prefix is Key {
  if (!Array.isArray(prefix)) return refuse(prefix, "it is not an array of strings")
  for (const segment of prefix) {
    const fault = segmentFault(segment)
    if (fault) return refuse(prefix, `the segment ${JSON.stringify(segment)} ${fault}`)
  }
}

/**
 * Checks a key to be written. Beyond `checkKey` it refuses names that Windows reserves, so that a store can be carried to any
 * machine, and names that synchronisers give to their copies, since no listing shows those. If other programs made files with
 * such names, they can still be read and removed.
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
 * @throws StoreError `INVALID_KEY` if the whole path is too long for a system call
 */
export function keyPath(directory: string, key: Key): string {
  const path = join(directory, ...key) + RECORD_SUFFIX
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) refuse(key, "its path is too long")
  return path
}

/** The id in a record's file name, or `undefined` if the file is no record (temp, hidden, foreign, or a synchroniser's copy). */
export function idOfFile(name: string): string | undefined {
  const stem = stemOfFile(name)
  return stem === undefined || isSyncCopy(stem) ? undefined : stem
}

/** A file's name without `.json`, or `undefined` if it is neither a record's nor a synchroniser's copy of one. */
export function stemOfFile(name: string): string | undefined {
  if (PLAIN_FILE.test(name)) return name.slice(0, -RECORD_SUFFIX.length)
  if (!name.endsWith(RECORD_SUFFIX)) return undefined
  const stem = name.slice(0, -RECORD_SUFFIX.length)
  return segmentFault(stem) === undefined ? stem : undefined
}
