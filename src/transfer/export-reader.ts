import { isUtf8 } from "node:buffer"
import { Tokenizer, TokenizerError } from "@streamparser/json"
import { StoreError, systemCode } from "../errors.ts"
import type { FileSystem } from "../file/system.ts"
import { isJsonObject, type JsonObject } from "../record/extract.ts"
import type { TimeSlice } from "../time-slice.ts"
import { drive, type ExportedKind, exportShape } from "./export-shape.ts"
import { utf8Pieces } from "./utf8-pieces.ts"

/** A record as an export holds it. */
export interface ExportedRecord {
  readonly kind: ExportedKind
  readonly body: JsonObject
  /** Of its text, in bytes. */
  readonly size: number
}

/** What the tokenizer's decoder throws. */
const NOT_UTF8 = "ERR_ENCODING_INVALID_ENCODED_DATA"
/** What may precede the JSON: a line or two that a command printed. */
const MAX_BANNER_BYTES = 64 * 1024
/** A brace with a field's name behind it: the agent's own banner ends without a line break, `Exporting session: ses_1{`. */
const OPENING = /\{[ \t\r\n]*"/

/**
 * Yields the records of an export in its order: the session, then each message followed by its parts. Holds one record at a
 * time, whatever the size of the file.
 * @param onRead told of the bytes read so far
 * @throws StoreError `CORRUPT` for what is not whole JSON, `INVALID_RECORD` for JSON of another shape, `TOO_LARGE` for a record
 * of more than `maxBytes`, `UNREADABLE`
 */
export async function* readExport(
  fs: FileSystem,
  path: string,
  maxBytes: number,
  slice: TimeSlice,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<ExportedRecord> {
  const spans = new Spans(path, maxBytes)
  let banner: Buffer | undefined = Buffer.alloc(0)
  function* counted(): Generator<Uint8Array> {
    let read = 0
    for (const piece of fs.readPieces(path)) {
      read += piece.length
      onRead(read)
      yield piece
    }
  }
  try {
    for (const piece of utf8Pieces(counted(), path)) {
      await slice.pass()
      let json: Uint8Array = piece
      if (banner) {
        banner = Buffer.concat([banner, piece])
        const start = beginning(banner)
        if (start === undefined && banner.length < MAX_BANNER_BYTES) continue
        if (start === undefined) break
        json = banner.subarray(start)
        banner = undefined
      }
      yield* spans.push(json)
    }
  } catch (cause) {
    if (cause instanceof StoreError || systemCode(cause) === undefined) throw cause
    throw new StoreError("UNREADABLE", `The file cannot be read (${systemCode(cause)}): ${path}`, {
      path,
      cause,
    })
  }
  if (banner)
    throw new StoreError("CORRUPT", `The file holds no JSON object: ${path}`, {
      path,
      hint: "An export is JSON in UTF-8 or UTF-16, as `export` writes it to a file.",
    })
  spans.end()
}

function beginning(head: Buffer): number | undefined {
  return OPENING.exec(head.toString("latin1"))?.index
}

/** Cuts records out of JSON text that passes in pieces. */
class Spans {
  readonly #path: string
  readonly #maxBytes: number
  readonly #tokenizer = new Tokenizer()
  readonly #isDone: () => boolean
  #piece: Uint8Array = new Uint8Array()
  /** Where the present piece, the last token, and the record that is not whole yet begin. */
  #base = 0
  #lastToken = 0
  #start: number | undefined
  /** What earlier pieces held of that record. */
  #kept: Uint8Array[] = []
  #found: ExportedRecord[] = []

  constructor(path: string, maxBytes: number) {
    this.#path = path
    this.#maxBytes = maxBytes
    const shape = exportShape({
      begin: (at) => {
        this.#start = at
      },
      end: (kind, at) => {
        const size = at - (this.#start ?? at)
        this.#found.push({ kind, body: this.#cut(at), size })
      },
    })
    this.#isDone = drive(this.#tokenizer, shape, (offset) => {
      this.#lastToken = offset
    })
    this.#tokenizer.onError = (error) => {
      throw error instanceof TokenizerError ? this.#notWhole(error) : error
    }
  }

  /** The records that end in this piece. */
  push(piece: Uint8Array): readonly ExportedRecord[] {
    this.#piece = piece
    this.#found = []
    try {
      this.#tokenizer.write(piece)
    } catch (error) {
      throw systemCode(error) === NOT_UTF8 ? this.#notWhole(error) : error
    }
    const next = this.#base + piece.length
    if (next - (this.#start ?? this.#lastToken) > this.#maxBytes)
      throw new StoreError(
        "TOO_LARGE",
        `A record of the export is larger than maxRecordBytes (${this.#maxBytes} bytes): ${this.#path}`,
        { path: this.#path, hint: "Raise maxRecordBytes." },
      )
    // Copied, since a piece is only good until the next one is asked for.
    if (this.#start !== undefined)
      this.#kept.push(Buffer.from(piece.subarray(Math.max(0, this.#start - this.#base))))
    this.#base = next
    return this.#found
  }

  end(): void {
    if (!this.#isDone()) throw this.#notWhole()
  }

  #cut(end: number): JsonObject {
    const start = this.#start ?? end
    const here = this.#piece.subarray(Math.max(0, start - this.#base), end - this.#base)
    const bytes = Buffer.concat([...this.#kept, here])
    this.#start = undefined
    this.#kept = []
    if (!isUtf8(bytes)) throw this.#notWhole()
    try {
      const body: unknown = JSON.parse(bytes.toString("utf8"))
      if (isJsonObject(body)) return body
    } catch (cause) {
      throw this.#notWhole(cause)
    }
    throw this.#notWhole()
  }

  #notWhole(cause?: unknown): StoreError {
    return new StoreError("CORRUPT", `The file is not whole JSON: ${this.#path}`, { path: this.#path, cause })
  }
}
