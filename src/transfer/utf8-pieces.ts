import { StoreError } from "../errors.ts"

/** So many bytes tell every encoding from the others. */
const TELLING = 4

/** The encoding that a text begins with: by its byte order mark, or by the NULs beside its first letter, which JSON never has. */
function encodingOf([a, b, c, d]: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" | "utf-32" {
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? "utf-32" : "utf-16le"
  if (a === 0xfe && b === 0xff) return "utf-16be"
  if (a === 0 && b === 0) return "utf-32"
  if (a === 0 && b !== undefined) return "utf-16be"
  if (b === 0) return c === 0 ? "utf-32" : "utf-16le"
  return "utf-8"
}

/**
 * Yields the bytes of a text in UTF-8, whatever Unicode encoding they come in: Windows' shells write UTF-16 where output is
 * redirected into a file. Each piece is good until the next is asked for, and nothing is held.
 * @throws StoreError `CORRUPT` for UTF-32, and for UTF-16 that is not whole
 */
export function* utf8Pieces(pieces: Iterable<Uint8Array>, path: string): Generator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array()
  let decoder: TextDecoder | undefined
  const encoder = new TextEncoder()
  const decode = (piece: Uint8Array | undefined): Uint8Array => {
    try {
      return encoder.encode(decoder?.decode(piece, { stream: piece !== undefined }))
    } catch (cause) {
      throw new StoreError("CORRUPT", `The file begins as UTF-16 and does not go on as that: ${path}`, {
        path,
        cause,
      })
    }
  }
  for (const piece of pieces) {
    let text = piece
    if (head) {
      text = Buffer.concat([head, piece])
      head = text
      if (text.length < TELLING) continue
      decoder = decoderOf(text, path)
      head = undefined
    }
    yield decoder ? decode(text) : text
  }
  if (head && head.length > 0) {
    decoder = decoderOf(head, path)
    yield decoder ? decode(head) : head
  }
  // Half a letter at the end is told of only now.
  if (decoder) yield decode(undefined)
}

/** What turns it into letters; nothing for UTF-8, whose mark counts to what may stand before the JSON. */
function decoderOf(head: Uint8Array, path: string): TextDecoder | undefined {
  const encoding = encodingOf(head)
  if (encoding === "utf-32")
    throw new StoreError("CORRUPT", `The file is in UTF-32: ${path}`, { path, hint: "Save it as UTF-8." })
  return encoding === "utf-8" ? undefined : new TextDecoder(encoding, { fatal: true })
}
