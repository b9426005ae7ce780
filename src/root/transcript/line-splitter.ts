const NEWLINE = 10

/** One line's bytes and where they lie. */
export interface RawLine {
  /** Its first byte in the file. */
  readonly offset: number
  readonly length: number
  /** Counted from 1. */
  readonly number: number
  /** Valid until the next line is asked for; `undefined` for a line over the limit. */
  readonly bytes: Buffer | undefined
}

/** Splits the pieces of a file into lines. Memory is bounded by the longest line that may be read. */
export class LineSplitter {
  readonly #maxBytes: number
  #offset: number
  #number: number
  #held: Buffer[] = []
  #heldBytes = 0

  /** @param offset where the first piece lies @param number of the line that begins there */
  constructor(offset: number, number: number, maxBytes: number) {
    this.#offset = offset
    this.#number = number
    this.#maxBytes = maxBytes
  }

  /** Yields the lines that end in a piece, without their line ends. */
  *push(piece: Buffer): Generator<RawLine> {
    let from = 0
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const line = this.#take(piece.subarray(from, end))
      from = end + 1
      this.#offset++
      yield line
    }
    const rest = piece.subarray(from)
    this.#heldBytes += rest.length
    if (rest.length > 0 && this.#heldBytes <= this.#maxBytes) this.#held.push(Buffer.from(rest))
    else if (this.#heldBytes > this.#maxBytes) this.#held = []
  }

  /** What follows the last line end; `undefined` where nothing does. */
  rest(): RawLine | undefined {
    return this.#heldBytes === 0 ? undefined : this.#take(Buffer.alloc(0))
  }

  #take(last: Buffer): RawLine {
    const length = this.#heldBytes + last.length
    const line = {
      offset: this.#offset,
      length,
      number: this.#number,
      bytes: length > this.#maxBytes ? undefined : this.#join(last),
    }
    this.#offset += length
    this.#number++
    this.#held = []
    this.#heldBytes = 0
    return line
  }

  #join(last: Buffer): Buffer {
    return this.#held.length === 0 ? last : Buffer.concat([...this.#held, last])
  }
}
