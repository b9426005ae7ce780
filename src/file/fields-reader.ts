import { systemCode } from "../errors.ts"
import { ADMISSION_MS, loaded } from "../exhaustion.ts"
import { INDEXED_FIELDS, isJsonObject, type JsonObject } from "../record/extract.ts"
import { pause, type TimeSlice } from "../time-slice.ts"
import { statRecord } from "./layout.ts"
import { decode, type Fault, mayHeal, RETRY_MS, readStatted, refused } from "./reader.ts"
import { type FileStat, type FileSystem, withOpenFile } from "./system.ts"
import { noteWaitedFor } from "./torn.ts"

/** Larger records, in bytes, are read in pieces if only their fields are wanted. */
const STREAM_ABOVE = 1024 * 1024
const OPENING_BRACE = 0x7b
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x0a, 0x0d, 0x09])
const NOT_AN_OBJECT: Fault = { code: "CORRUPT", message: "The file's JSON is not an object" }

/** A digest of what was read of a record, to tell one content from another. */
export type FieldsDigest = bigint | number | string

/** A record's body and text; for a large record only the indexed fields and a digest; or why it could not be read. */
export type FieldsResult =
  | { readonly body: JsonObject; readonly text: string }
  | { readonly body: JsonObject; readonly digest: FieldsDigest }
  | { readonly fault: Fault }

/** The digest of a result; for a record that could not be read, its fault. */
export function digestOfFields(result: FieldsResult): FieldsDigest {
  if ("fault" in result) return `${result.fault.code} ${result.fault.message}`
  return "text" in result ? Bun.hash(result.text) : result.digest
}

/**
 * Reads what the index needs of a record whose stat was just taken. A large record is read in slices with bounded memory; only then is the
 * result a promise. Never throws because of what lies there.
 * @param more top-level fields that are wanted beside those that the index always needs
 */
export function readFields(
  fs: FileSystem,
  path: string,
  stat: FileStat,
  maxBytes: number,
  slice: TimeSlice,
  more: readonly string[] = [],
): FieldsResult | Promise<FieldsResult> {
  if (stat.kind === "file" && stat.size > STREAM_ABOVE && stat.size <= maxBytes)
    return streamFields(fs, path, slice, more)
  const result = readStatted(fs, path, stat, maxBytes)
  if ("fault" in result) return result
  const { value, text } = result.record
  return isJsonObject(value) ? { body: value, text } : { fault: NOT_AN_OBJECT }
}

/** A record's fields, and the stat that was taken before they were read. */
export interface NewestFields {
  readonly stat: FileStat
  readonly result: FieldsResult
}

/**
 * Takes a record's stat and then reads it as `readFields` does; `undefined` if there is none.
 * @throws StoreError `UNREADABLE` for a folder that cannot be entered, `EXHAUSTED`
 */
export function readNewest(
  fs: FileSystem,
  path: string,
  maxBytes: number,
  slice: TimeSlice,
  more: readonly string[] = [],
): NewestFields | undefined | Promise<NewestFields> {
  try {
    // The quick way, for a small sound record: opening it once costs half of a stat and a separate read.
    const newest = withOpenFile(fs, path, (descriptor): Partial<NewestFields> => {
      const stat = fs.fstat(descriptor)
      if (stat.kind !== "file" || stat.size > Math.min(maxBytes, STREAM_ABOVE)) return {}
      const bytes = fs.readOpen(descriptor, maxBytes)
      const text = bytes ? decode(bytes) : ""
      const value: unknown = JSON.parse(text)
      return isJsonObject(value) ? { stat, result: { body: value, text } } : {}
    })
    if (!newest) return undefined
    const { stat, result } = newest
    if (stat && result) return { stat, result }
  } catch {
    // The slow way below finds out what is wrong.
  }
  const stat = statRecord(fs, path)
  if (!stat) return undefined
  const result = readFields(fs, path, stat, maxBytes, slice, more)
  return result instanceof Promise ? result.then((later) => ({ stat, result: later })) : { stat, result }
}

/**
 * As `readFields`, with retries: for up to 63 ms if the file is empty or torn and may still be being written, and for a quarter of a
 * second if the system has no descriptors or memory left.
 */
export async function readFieldsPatiently(
  fs: FileSystem,
  path: string,
  maxBytes: number,
  slice: TimeSlice,
  more: readonly string[] = [],
): Promise<FieldsResult> {
  let result = await readFieldsOfWhole(fs, path, maxBytes, slice, more)
  for (const wait of ADMISSION_MS) {
    if (!("fault" in result) || result.fault.code !== "EXHAUSTED") break
    await pause(wait)
    result = await readFieldsOfWhole(fs, path, maxBytes, slice, more)
  }
  return result
}

async function readFieldsOfWhole(
  fs: FileSystem,
  path: string,
  maxBytes: number,
  slice: TimeSlice,
  more: readonly string[],
): Promise<FieldsResult> {
  let first: FileStat | undefined
  for (const wait of [...RETRY_MS, undefined]) {
    let result: FieldsResult
    let stat: FileStat | undefined
    try {
      stat = fs.lstat(path)
      if (!stat) return { fault: { code: "NOT_FOUND", message: "There is no such record" } }
      result = await readFields(fs, path, stat, maxBytes, slice, more)
    } catch (cause) {
      return refused(fs, path, cause)
    }
    if (!mayHeal(fs, result, stat)) return result
    first ??= stat
    if (wait === undefined) {
      noteWaitedFor(fs, first)
      return result
    }
    await pause(wait)
  }
  throw new Error("The last try always answers")
}

async function streamFields(
  fs: FileSystem,
  path: string,
  slice: TimeSlice,
  more: readonly string[],
): Promise<FieldsResult> {
  // Loaded when they are first needed, since few stores hold such large records.
  const { AbridgingFilter } = await loaded(() => import("./abridging-filter.ts"))
  const { FieldCutter } = await loaded(() => import("./field-cutter.ts"))
  const { JsonCheck } = await loaded(() => import("./json-check.ts"))
  // Checks every byte, also those that are left out: `get` will parse all of them.
  const check = new JsonCheck()
  const filter = new AbridgingFilter()
  const cutter = new FieldCutter([...INDEXED_FIELDS, ...more])
  let digest: bigint | number = 0
  let first: number | undefined
  try {
    for (const piece of withoutMark(fs.readPieces(path))) {
      await slice.pass()
      first ??= piece.find((byte) => !WHITE_SPACE.has(byte))
      digest = Bun.hash(piece, BigInt(digest))
      if (!check.write(piece)) break
      if (first === OPENING_BRACE) for (const part of filter.pass(piece)) cutter.write(part)
    }
  } catch (cause) {
    if (systemCode(cause) === undefined) throw cause
    return refused(fs, path, cause)
  }
  if (!check.isWhole) return { fault: { code: "CORRUPT", message: "The file is not whole JSON" } }
  return first === OPENING_BRACE ? { body: cutter.body, digest } : { fault: NOT_AN_OBJECT }
}

/** The pieces of a file without a byte order mark, as `decode` leaves it out. */
function* withoutMark(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let begin: Uint8Array | undefined = new Uint8Array()
  for (const piece of pieces) {
    if (!begin) {
      yield piece
      continue
    }
    begin = Buffer.concat([begin, piece])
    if (begin.length < BYTE_ORDER_MARK.length) continue
    yield BYTE_ORDER_MARK.every((byte, at) => begin?.[at] === byte)
      ? begin.subarray(BYTE_ORDER_MARK.length)
      : begin
    begin = undefined
  }
  if (begin) yield begin
}
