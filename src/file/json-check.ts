const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** Bytes below this must be escaped in a string. */
const SPACE = 0x20
const LITERALS: ReadonlyMap<number, Buffer> = new Map(
  ["true", "false", "null"].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
)
const ESCAPED: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'))
const LETTER_U = 0x75
const UNICODE_DIGITS = 4
const INITIAL_WORDS = 4

/** What may come next. */
const Expect = {
  Value: 0,
  /** After an opening bracket: a value or the closing bracket. */
  FirstValue: 1,
  FirstKey: 2,
  Key: 3,
  Colon: 4,
  /** After a value: a comma, a closing bracket, or the end. */
  Next: 5,
  InString: 6,
  Escape: 7,
  UnicodeDigit: 8,
  /** Within `true`, `false`, `null`. */
  Literal: 9,
  /** Within a number, named after the last byte. */
  Minus: 10,
  LeadingZero: 11,
  Digits: 12,
  Point: 13,
  Fraction: 14,
  Exponent: 15,
  ExponentSign: 16,
  ExponentDigits: 17,
  /** It is not JSON. */
  Nothing: 18,
} as const
type Expect = (typeof Expect)[keyof typeof Expect]

/**
 * Checks whether bytes that pass in pieces are JSON. It accepts exactly what `JSON.parse` accepts of the decoded text, so bytes that
 * are not UTF-8 may occur in strings only. It keeps one bit for each open bracket and nothing else.
 */
export class JsonCheck {
  #expect: Expect = Expect.Value
  #depth = 0
  /** The open brackets, the outermost first: one bit each, set for an object. */
  #open = new Uint32Array(INITIAL_WORDS)
  #isKey = false
  #unicodeDigits = 0
  #literal: Uint8Array = new Uint8Array()
  /** How many bytes of the literal have passed. */
  #at = 0

  /** Takes a piece. Returns whether the whole can still be JSON. */
  write(piece: Uint8Array): boolean {
    for (let at = 0; at < piece.length; at++) {
      if (this.#expect === Expect.InString) {
        // Most bytes of a long record are inside strings, so this loop has to be tight.
        let byte = piece[at] ?? 0
        while (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH && ++at < piece.length)
          byte = piece[at] ?? 0
        if (at === piece.length) break
      }
      this.#expect = this.#after(piece[at] ?? 0)
      if (this.#expect === Expect.Nothing) return false
    }
    return true
  }

  /** Whether everything taken so far is one JSON value. */
  get isWhole(): boolean {
    return this.#depth === 0 && (this.#expect === Expect.Next || this.#endsNumber())
  }

  #after(byte: number): Expect {
    switch (this.#expect) {
      case Expect.InString:
        if (byte === QUOTE) return this.#isKey ? Expect.Colon : Expect.Next
        return byte === BACKSLASH ? Expect.Escape : byte >= SPACE ? Expect.InString : Expect.Nothing
      case Expect.Escape:
        this.#unicodeDigits = UNICODE_DIGITS
        return byte === LETTER_U ? Expect.UnicodeDigit : ESCAPED.has(byte) ? Expect.InString : Expect.Nothing
      case Expect.UnicodeDigit:
        if (!isHexDigit(byte)) return Expect.Nothing
        return --this.#unicodeDigits === 0 ? Expect.InString : Expect.UnicodeDigit
      case Expect.Literal:
        if (byte !== this.#literal[this.#at]) return Expect.Nothing
        return ++this.#at === this.#literal.length ? Expect.Next : Expect.Literal
      default:
        break
    }
    if (this.#isInNumber()) {
      const next = this.#inNumber(byte)
      if (next !== Expect.Next) return next
      this.#expect = Expect.Next
    }
    return isWhiteSpace(byte) ? this.#expect : this.#between(byte)
  }

  /** Between two tokens. */
  #between(byte: number): Expect {
    switch (this.#expect) {
      case Expect.Value:
        return this.#value(byte)
      case Expect.FirstValue:
        return byte === CLOSE_ARRAY ? this.#close(false) : this.#value(byte)
      case Expect.FirstKey:
        return byte === CLOSE_OBJECT ? this.#close(true) : this.#string(byte, true)
      case Expect.Key:
        return this.#string(byte, true)
      case Expect.Colon:
        return byte === COLON ? Expect.Value : Expect.Nothing
      case Expect.Next:
        if (byte === COMMA && this.#depth > 0) return this.#isInObject() ? Expect.Key : Expect.Value
        if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) return this.#close(byte === CLOSE_OBJECT)
        return Expect.Nothing
      default:
        return Expect.Nothing
    }
  }

  #value(byte: number): Expect {
    if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) return this.#begin(byte === OPEN_OBJECT)
    if (byte === MINUS) return Expect.Minus
    if (byte === ZERO) return Expect.LeadingZero
    if (isDigit(byte)) return Expect.Digits
    const literal = LITERALS.get(byte)
    if (!literal) return this.#string(byte, false)
    this.#literal = literal
    this.#at = 1
    return Expect.Literal
  }

  #string(byte: number, isKey: boolean): Expect {
    this.#isKey = isKey
    return byte === QUOTE ? Expect.InString : Expect.Nothing
  }

  #begin(isObject: boolean): Expect {
    const word = this.#depth >>> 5
    if (word === this.#open.length) {
      const more = new Uint32Array(this.#open.length * 2)
      more.set(this.#open)
      this.#open = more
    }
    const bit = 1 << (this.#depth & 31)
    const bits = this.#open[word] ?? 0
    this.#open[word] = isObject ? bits | bit : bits & ~bit
    this.#depth++
    return isObject ? Expect.FirstKey : Expect.FirstValue
  }

  #close(isObject: boolean): Expect {
    if (this.#depth === 0 || this.#isInObject() !== isObject) return Expect.Nothing
    this.#depth--
    return Expect.Next
  }

  #isInObject(): boolean {
    const last = this.#depth - 1
    return (((this.#open[last >>> 5] ?? 0) >>> (last & 31)) & 1) === 1
  }

  #isInNumber(): boolean {
    return this.#expect >= Expect.Minus && this.#expect <= Expect.ExponentDigits
  }

  /** Whether a number may end here. */
  #endsNumber(): boolean {
    const { LeadingZero, Digits, Fraction, ExponentDigits } = Expect
    return [LeadingZero, Digits, Fraction, ExponentDigits].some((last) => last === this.#expect)
  }

  /** What may follow a byte within a number; `Next` if the byte is not part of the number. */
  #inNumber(byte: number): Expect {
    const { Digits, Fraction, ExponentDigits } = Expect
    switch (this.#expect) {
      case Expect.Minus:
        return byte === ZERO ? Expect.LeadingZero : isDigit(byte) ? Digits : Expect.Nothing
      case Expect.Point:
        return isDigit(byte) ? Fraction : Expect.Nothing
      case Expect.Exponent:
        if (byte === PLUS || byte === MINUS) return Expect.ExponentSign
        return isDigit(byte) ? ExponentDigits : Expect.Nothing
      case Expect.ExponentSign:
        return isDigit(byte) ? ExponentDigits : Expect.Nothing
      default:
        break
    }
    if (isDigit(byte)) return this.#expect === Expect.LeadingZero ? Expect.Nothing : this.#expect
    if (this.#expect === ExponentDigits) return Expect.Next
    if (byte === 0x65 || byte === 0x45) return Expect.Exponent
    return byte === POINT && this.#expect !== Fraction ? Expect.Point : Expect.Next
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}

function isWhiteSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}
