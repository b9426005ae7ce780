import { isUtf8 } from "node:buffer"
import { StoreError, type StoreErrorCode, systemCode } from "../errors.ts"
import { ADMISSION_MS, EXHAUSTED_HINT } from "../exhaustion.ts"
import { pause } from "../time-slice.ts"
import { refusalCode } from "./refusal.ts"
import { type FileStat, type FileSystem, withOpenFile } from "./system.ts"
import { mayBeBeingWritten, noteWaitedFor } from "./torn.ts"

/** A record that was read. */
export interface ReadRecord {
  readonly value: unknown
  readonly text: string
  /** Whether the bytes were valid UTF-8, so that writing the text back loses nothing. */
  readonly faithful: boolean
}

/** Why a record could not be read. */
export interface Fault {
  readonly code: StoreErrorCode
  readonly message: string
  readonly cause?: unknown
}

/** What was read, or why it could not be read. "Not found" is a fault too. */
export type ReadResult = { readonly record: ReadRecord } | { readonly fault: Fault }

/** Waits before each new look at a file that another program may be writing, in ms: 63 ms in all. */
export const RETRY_MS = [1, 2, 4, 8, 16, 32] as const
const BYTE_ORDER_MARK = 0xfeff

function failed(code: StoreErrorCode, message: string, cause?: unknown): ReadResult {
  return { fault: cause === undefined ? { code, message } : { code, message, cause } }
}

/** The text of a record's bytes, without a byte order mark. */
export function decode(bytes: Buffer): string {
  const text = bytes.toString("utf8")
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text
}

function parse(bytes: Buffer): ReadResult {
  if (bytes.length === 0) return failed("CORRUPT", "The file is empty")
  const text = decode(bytes)
  try {
    return { record: { value: JSON.parse(text), text, faithful: isUtf8(bytes) } }
  } catch (cause) {
    const nuls = bytes.indexOf(0) >= 0 ? ", and it holds NUL bytes" : ""
    return failed("CORRUPT", `The file is not whole JSON (${bytes.length} bytes${nuls})`, cause)
  }
}

/** Reads a record's file once, without retries. Never throws because of what lies there. */
export function readOnce(fs: FileSystem, path: string, maxBytes: number): ReadResult {
  try {
    // The quick way: what gives bytes is a regular file and needs no stat.
    const bytes = withOpenFile(fs, path, (descriptor) => fs.readOpen(descriptor, maxBytes))
    if (bytes && bytes.length > 0) return parse(bytes)
  } catch {
    // The slow way below finds out what is wrong.
  }
  try {
    const stat = fs.lstat(path)
    if (!stat) return failed("NOT_FOUND", "There is no such record")
    return readStatted(fs, path, stat, maxBytes)
  } catch (cause) {
    return refused(fs, path, cause)
  }
}

/** The fault of a file that the system refused to stat or to read. */
export function refused(fs: FileSystem, path: string, cause: unknown): { readonly fault: Fault } {
  const message = `The file cannot be read (${systemCode(cause) ?? "error"})`
  return { fault: { code: refusalCode(fs, path, cause), message, cause } }
}

/** As `readOnce`, for a file whose stat was just taken. */
export function readStatted(fs: FileSystem, path: string, stat: FileStat, maxBytes: number): ReadResult {
  if (stat.kind !== "file") return failed("NOT_A_FILE", `A ${stat.kind} lies where a record should be`)
  if (stat.size > maxBytes) return tooLarge(maxBytes)
  let content: { readonly bytes: Buffer | undefined } | undefined
  try {
    content = withOpenFile(fs, path, (descriptor) => ({ bytes: fs.readOpen(descriptor, maxBytes) }))
  } catch (cause) {
    if (systemCode(cause) === "ELOOP") return failed("NOT_A_FILE", "A link lies where a record should be")
    if (systemCode(cause) === "EISDIR")
      return failed("NOT_A_FILE", "A directory lies where a record should be")
    return refused(fs, path, cause)
  }
  if (!content) return failed("NOT_FOUND", "There is no such record")
  return content.bytes ? parse(content.bytes) : tooLarge(maxBytes)
}

function tooLarge(maxBytes: number): ReadResult {
  return failed("TOO_LARGE", `The file is larger than maxRecordBytes (${maxBytes} bytes)`)
}

/** Whether a fault may be gone in a moment: other programs overwrite files in place, so a file can be seen half written. */
export function mayHeal(
  fs: FileSystem,
  result: object | { readonly fault: Fault },
  stat: FileStat | undefined,
): stat is FileStat {
  return (
    "fault" in result && result.fault.code === "CORRUPT" && stat !== undefined && mayBeBeingWritten(fs, stat)
  )
}

/**
 * Reads a record, with retries: for up to 63 ms if it is empty or torn and may still be being written, and for a quarter of a second
 * if the system has no descriptors or memory left.
 */
export async function readRecord(fs: FileSystem, path: string, maxBytes: number): Promise<ReadResult> {
  let result = readOnce(fs, path, maxBytes)
  for (const wait of ADMISSION_MS) {
    if (!("fault" in result) || result.fault.code !== "EXHAUSTED") break
    await pause(wait)
    result = readOnce(fs, path, maxBytes)
  }
  let first: FileStat | undefined
  for (const wait of RETRY_MS) {
    if (!("fault" in result) || result.fault.code !== "CORRUPT") return result
    const stat = lstatQuietly(fs, path)
    if (!mayHeal(fs, result, stat)) return result
    first ??= stat
    await pause(wait)
    result = readOnce(fs, path, maxBytes)
  }
  if (first && "fault" in result) noteWaitedFor(fs, first)
  return result
}

/** As `lstat`, but what cannot be looked at counts as absent. */
export function lstatQuietly(fs: FileSystem, path: string): FileStat | undefined {
  try {
    return fs.lstat(path)
  } catch {
    return undefined
  }
}

/** The error for a fault. */
export function faultError(fault: Fault, path: string): StoreError {
  const hints: Partial<Record<StoreErrorCode, string>> = {
    CORRUPT: "The file is left as it is; repair it or restore it from a backup.",
    TOO_LARGE: "Raise maxRecordBytes, or read the file as a stream.",
    EXHAUSTED: EXHAUSTED_HINT,
  }
  return new StoreError(fault.code, `${fault.message}: ${path}`, {
    path,
    cause: fault.cause,
    hint: hints[fault.code],
  })
}
