const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75
/** `[` and `{`, `]` and `}`, once this bit is set. */
const BRACE_BIT = 0x20
const OPENING = 0x7b
const CLOSING = 0x7d
/** Where an escape stands: outside, right after its backslash, or before so many hexadecimal digits. */
const NO_ESCAPE = 0
const AFTER_BACKSLASH = -1
const UNICODE_DIGITS = 4
/** What is kept of the inside of a string, in bytes; more than any field the index needs. */
const KEPT_BYTES = 4 * 1024
/** Arrays and objects within so many others are emptied; the fields the index needs lie in one or two. */
const KEPT_DEPTH = 64

/**
 * Leaves out of JSON text that passes in pieces the insides of very long strings and of what is nested very deep, so that little is
 * kept of a field whatever is in it. Text that was valid JSON stays so; whether it was is for `JsonCheck` to say.
 */
export class AbridgingFilter {
  #inString = false
  #escape = NO_ESCAPE
  /** Bytes of the present string so far. */
  #length = 0
  /** How many arrays and objects are open. */
  #depth = 0
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
      if (this.#isPlain(byte)) continue
      const skipped = this.#skipping
      // What begins to be left out ends before this byte, or behind an opening bracket.
      const end = this.#inString ? this.#inside(byte, at) : this.#outside(byte, at)
      if (this.#skipping === skipped) continue
      if (this.#skipping) yield piece.subarray(start, end)
      else start = at
    }
    if (!this.#skipping) yield piece.subarray(start)
  }

  /** Most bytes change nothing but the length of the string that they are in. */
  #isPlain(byte: number): boolean {
    if (!this.#inString)
      return byte !== QUOTE && (byte | BRACE_BIT) !== OPENING && (byte | BRACE_BIT) !== CLOSING
    if (byte === QUOTE || byte === BACKSLASH || this.#escape !== NO_ESCAPE) return false
    if (!this.#skipping && this.#length >= KEPT_BYTES) return false
    this.#length++
    return true
  }

  #outside(byte: number, at: number): number {
    if (byte === QUOTE) {
      this.#inString = true
      this.#length = 0
    } else if ((byte | BRACE_BIT) === OPENING) {
      this.#depth++
      if (this.#depth > KEPT_DEPTH) this.#skipping = true
    } else if ((byte | BRACE_BIT) === CLOSING) {
      if (this.#depth === KEPT_DEPTH + 1) this.#skipping = false
      this.#depth--
    }
    return at + 1
  }

  #inside(byte: number, at: number): number {
    if (this.#escape === NO_ESCAPE && byte === QUOTE) {
      this.#inString = false
      this.#skipping = this.#depth > KEPT_DEPTH
      return at
    }
    if (this.#mayCut(byte)) this.#skipping = true
    this.#step(byte)
    return at
  }

  #step(byte: number): void {
    this.#length++
    if (this.#escape === NO_ESCAPE) this.#escape = byte === BACKSLASH ? AFTER_BACKSLASH : NO_ESCAPE
    else if (this.#escape === AFTER_BACKSLASH) this.#escape = byte === LETTER_U ? UNICODE_DIGITS : NO_ESCAPE
    else this.#escape--
  }
}
