import type { FileSystem } from "../../file/system.ts"

/**
 * What is compared of the end of what was read, in bytes: of most files everything. In the middle of a larger one a change is seen by
 * its times, unless the file has grown by the same look.
 */
export const TAIL_BYTES = 256 * 1024

/** The last bytes before a place in a file. */
export function tailOf(fs: FileSystem, descriptor: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.min(TAIL_BYTES, end))
  const length = fs.readAt(descriptor, bytes, end - bytes.length)
  return bytes.subarray(0, length)
}

/** The end of what was just read of a file, so that it need not be read again for its digest. */
export class Tail {
  #before: Buffer = Buffer.alloc(0)
  #last: Buffer
  /** Where they lie. */
  #beforeAt: number
  #lastAt: number

  /** @param from where reading begins @param before what lies right before that, as far as it is at hand */
  constructor(from: number, before: Buffer = Buffer.alloc(0)) {
    this.#last = before
    this.#lastAt = from - before.length
    this.#beforeAt = this.#lastAt
  }

  /** Takes in the next piece as long as it is good. */
  push(piece: Buffer): void {
    this.#before = this.#last
    this.#beforeAt = this.#lastAt
    this.#lastAt += this.#last.length
    this.#last = piece
  }

  /** The digest of what `tailOf` gives; `undefined` where not all of it was read just now. */
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
