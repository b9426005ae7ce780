import type { FileSystem } from "../../file/system.ts"

/**
 * How much of the end of what was read is compared, in bytes: all of most files. A change in the middle of a larger file shows in its
 * times, unless the file also grew before the same look.
 */
export const TAIL_BYTES = 256 * 1024

/** The last bytes before a place in a file. */
export function tailOf(fs: FileSystem, descriptor: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.min(TAIL_BYTES, end))
  const length = fs.readAt(descriptor, bytes, end - bytes.length)
  return bytes.subarray(0, length)
}

/** Keeps the end of what is being read, so that it need not be read again for its digest. */
export class Tail {
  #before: Buffer = Buffer.alloc(0)
  #last: Buffer
  /** Where they start in the file. */
  #beforeAt: number
  #lastAt: number

  /** @param from where reading begins @param before the bytes right before that, as far as they are at hand */
  constructor(from: number, before: Buffer = Buffer.alloc(0)) {
    this.#last = before
    this.#lastAt = from - before.length
    this.#beforeAt = this.#lastAt
  }

  /** Takes in the next piece while it is valid. */
  push(piece: Buffer): void {
    this.#before = this.#last
    this.#beforeAt = this.#lastAt
    this.#lastAt += this.#last.length
    this.#last = piece
  }

  /** The digest of what `tailOf` gives; `undefined` if not all of it was read just now. */
  digest(end: number): string | undefined {
    const from = Math.max(0, end - TAIL_BYTES)
    if (from < this.#beforeAt || end > this.#lastAt + this.#last.length) return undefined
    const last = this.#last.subarray(Math.max(0, from - this.#lastAt), Math.max(0, end - this.#lastAt))
    if (from >= this.#lastAt) return digestOf(last)
    return digestOf(Buffer.concat([this.#before.subarray(from - this.#beforeAt, end - this.#beforeAt), last]))
  }
}

/** What two ends are compared by. */
export function digestOf(bytes: Buffer): string {
  return Bun.hash(bytes).toString(36)
}
