const QUOTE = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75
/** With this bit set `[` becomes `{`, and `]` becomes `}`. */
const BRACE_BIT = 0x20
const OPENING = 0x7b
const CLOSING = 0x7d
/** The state of an escape: outside, right after the backslash, or the number of hexadecimal digits that are left. */
const NO_ESCAPE = 0
const AFTER_BACKSLASH = -1
const UNICODE_DIGITS = 4
/** How much of a string is kept, in bytes; more than the index needs of any field. */
const KEPT_BYTES = 4 * 1024
/** Arrays and objects nested deeper than this are emptied; the fields that the index needs lie one or two deep. */
const KEPT_DEPTH = 64

/**
 * Shortens JSON text that passes in pieces: it leaves out the rest of very long strings and the inside of what is nested very deep, so
 * that any field stays small. Valid JSON stays valid; whether it is valid `JsonCheck` tells.
 */
export class AbridgingFilter {
  #inString = false
  #escape = NO_ESCAPE
  /** Bytes of the current string so far. */
  #length = 0
  /** How many arrays and objects are open. */
  #depth = 0
  #skipping = false

  /** A string may be cut only between two characters, not within an escape or a character of several bytes. */
  #mayCut(byte: number): boolean {
    return this.#length >= KEPT_BYTES && this.#escape === NO_ESCAPE && (byte & 0xc0) !== 0x80
  }

  /** Yields the parts of a piece that are kept, in order. */
  *pass(piece: Uint8Array): Generator<Uint8Array> {
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0
      if (this.#isPlain(byte)) continue
      const skipped = this.#skipping
      // The kept part ends before this byte, or after it if it is an opening bracket.
      const end = this.#inString ? this.#inside(byte, at) : this.#outside(byte, at)
      if (this.#skipping === skipped) continue
      if (this.#skipping) yield piece.subarray(start, end)
      else start = at
    }
    if (!this.#skipping) yield piece.subarray(start)
  }

  /** Whether a byte changes nothing but the length of its string, as most bytes do. */
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
