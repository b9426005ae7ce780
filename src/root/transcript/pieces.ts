import { createZstdDecompress } from "node:zlib"
import { StoreError, systemCode } from "../../errors.ts"
import { EXHAUSTED_HINT, isForTheMoment } from "../../exhaustion.ts"
import type { FileSystem } from "../../file/system.ts"
import { contentSize } from "./zstd-frame.ts"

/** Bytes that are read at a time; the first read takes what most transcripts need. */
const PIECE_BYTES = 256 * 1024
const FIRST_BYTES = 64 * 1024

/** A file of a transcript, to be read. */
export interface ReadableFile {
  readonly path: string
  readonly isCompressed: boolean
}

/** Opens a file, does some work with it, and closes it. @throws StoreError `UNREADABLE`, `EXHAUSTED`, `NOT_FOUND` */
export async function withDescriptor<T>(
  fs: FileSystem,
  path: string,
  work: (descriptor: number) => Promise<T>,
): Promise<T> {
  let descriptor: number | undefined
  try {
    descriptor = fs.openFile(path)
    if (descriptor === undefined) throw gone(path)
    return await work(descriptor)
  } catch (error) {
    throw refusal(path, error)
  } finally {
    if (descriptor !== undefined) fs.close(descriptor)
  }
}

/**
 * Yields a file's bytes from an offset on, decompressed, in pieces. Each is valid until the one after the next is asked for.
 * @param until where to stop
 * @throws StoreError `UNREADABLE`, `EXHAUSTED`, `NOT_FOUND`; `CORRUPT` for a compressed file that is cut short or damaged
 */
export async function* piecesOf(
  fs: FileSystem,
  { path, isCompressed }: ReadableFile,
  from = 0,
  until = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  let descriptor: number | undefined
  try {
    descriptor = fs.openFile(path)
    if (descriptor === undefined) throw gone(path)
    if (isCompressed) yield* decompressed(fs, descriptor, path, from, until)
    else yield* plain(fs, descriptor, from, until)
  } catch (error) {
    throw refusal(path, error)
  } finally {
    if (descriptor !== undefined) fs.close(descriptor)
  }
}

function* plain(fs: FileSystem, descriptor: number, from: number, until: number): Generator<Buffer> {
  let buffer: Buffer = Buffer.allocUnsafe(FIRST_BYTES)
  let other: Buffer | undefined
  let used = 0
  for (let at = from; at < until; ) {
    if (used === buffer.length) {
      const next = other?.length === PIECE_BYTES ? other : Buffer.allocUnsafe(PIECE_BYTES)
      other = buffer
      buffer = next
      used = 0
    }
    const length = fs.readAt(
      descriptor,
      buffer.subarray(used, Math.min(buffer.length, used + until - at)),
      at,
    )
    if (length === 0) return
    yield buffer.subarray(used, used + length)
    used += length
    at += length
  }
}

async function* decompressed(
  fs: FileSystem,
  descriptor: number,
  path: string,
  from: number,
  until: number,
): AsyncGenerator<Buffer> {
  const head = Buffer.alloc(32)
  const expected = contentSize(head.subarray(0, fs.readAt(descriptor, head, 0)))
  const stream = createZstdDecompress()
  let at = 0
  const feed = async (): Promise<void> => {
    for (const piece of plain(fs, descriptor, 0, Number.POSITIVE_INFINITY)) {
      if (stream.destroyed) return
      if (!stream.write(Buffer.from(piece)))
        await new Promise((resolve) => stream.once("drain", resolve).once("close", resolve))
    }
    stream.end()
  }
  const fed = feed()
  fed.catch((error) => stream.destroy(error instanceof Error ? error : new Error(String(error))))
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      const start = Math.max(0, from - at)
      const end = Math.min(piece.length, until - at)
      at += piece.length
      if (end > start) yield piece.subarray(start, end)
      if (at >= until) return
    }
  } catch (cause) {
    if (systemCode(cause) !== undefined && String(systemCode(cause)).startsWith("E")) throw cause
    throw damaged(path, cause)
  } finally {
    stream.destroy()
    await fed.catch(() => {})
  }
  // zlib ends a stream that was cut short like a whole one, so its length is compared.
  if (expected === undefined ? at === 0 : at !== expected) throw damaged(path)
}

function damaged(path: string, cause?: unknown): StoreError {
  return new StoreError("CORRUPT", "The compressed file is damaged or cut short", {
    path,
    cause,
    hint: "What could be read of it is listed. Try `zstd -t` on it.",
  })
}

function gone(path: string): StoreError {
  return new StoreError("NOT_FOUND", `There is no file ${path} any more`, { path })
}

function refusal(path: string, cause: unknown): unknown {
  if (cause instanceof StoreError || systemCode(cause) === undefined) return cause
  return isForTheMoment(cause)
    ? new StoreError("EXHAUSTED", `${path} cannot be read for want of means`, {
        path,
        cause,
        hint: EXHAUSTED_HINT,
      })
    : new StoreError("UNREADABLE", `The file cannot be read (${systemCode(cause)})`, { path, cause })
}
