const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75
/** Where an escape stands: outside, right after its backslash, or before so many hexadecimal digits. */
const NO_ESCAPE = 0
const AFTER_BACKSLASH = -1
const UNICODE_DIGITS = 4
/** What is kept of the inside of a string, in bytes; more than any field the index needs. */
const KEPT_BYTES = 4 * 1024

/**
 * Cuts the insides of very long strings short in JSON text that passes in pieces, so that a tokenizer, which keeps each
 * string whole, stays within bounds. Text that was valid JSON stays so.
 */
export class LongStringFilter {
  #inString = false
  #escape = NO_ESCAPE
  /** Bytes of the present string so far. */
  #length = 0
  #skipping = false

  /** Only between two characters: neither an escape nor a character of several bytes is cut in two. */
  #mayCut(byte: number): boolean {
    return this.#length >= KEPT_BYTES && this.#escape === NO_ESCAPE && (byte & 0xc0) !== 0x80
  }

  /** The parts of a piece that are to be passed on, in order. */
  *pass(piece: Uint8Array): Generator<Uint8Array> {
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0
      if (!this.#inString) {
        if (byte !== QUOTE) continue
        this.#inString = true
        this.#length = 0
      } else if (this.#escape === NO_ESCAPE && byte === QUOTE) {
        this.#inString = false
        if (this.#skipping) start = at
        this.#skipping = false
      } else {
        if (!this.#skipping && this.#mayCut(byte)) {
          this.#skipping = true
          yield piece.subarray(start, at)
        }
        this.#step(byte)
      }
    }
    if (!this.#skipping) yield piece.subarray(start)
  }

  #step(byte: number): void {
    this.#length++
    if (this.#escape === NO_ESCAPE) this.#escape = byte === BACKSLASH ? AFTER_BACKSLASH : NO_ESCAPE
    else if (this.#escape === AFTER_BACKSLASH) this.#escape = byte === LETTER_U ? UNICODE_DIGITS : NO_ESCAPE
    else this.#escape--
  }
}
