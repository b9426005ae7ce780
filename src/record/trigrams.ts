/** Terms are looked up by stretches of so many UTF-16 units. */
export const TRIGRAM = 3

/** Trigrams of ASCII letters: seven bits each. */
const ASCII_TRIGRAMS = 1 << 21
const ASCII_END = 0x80
/** The letters that take two bytes in UTF-8: U+0080 to U+07FF. */
const TWO_BYTES = 0x80
const TWO_BYTES_COUNT = 0x780
const SPACE = 0x20
/** Where letters that would not be one of a token by themselves go; what lies there already is at worst taken for them. */
const PRIVATE_SURROGATES = 0xe000
const PRIVATE_ASCII = 0xe800
const FIRST_SURROGATE = 0xd800
const LAST_SURROGATE = 0xdfff
const INITIAL_UNITS = 1 << 14

const decoder = new TextDecoder("utf-16le", { ignoreBOM: true })

function letterOf(unit: number): number {
  if (unit < ASCII_END) return PRIVATE_ASCII + unit
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE
    ? PRIVATE_SURROGATES + unit - FIRST_SURROGATE
    : unit
}

/**
 * Collects the different trigrams of texts, and spells each as one token for a full-text index that keeps no positions: what
 * a text repeats costs nothing there, however long it is. A token has two letters for a trigram of ASCII and three for any other,
 * none of them ASCII, so that a tokenizer which parts words at ASCII's punctuation and folds ASCII alone takes it as it is.
 */
export class TrigramSet {
  readonly #ascii = new Uint32Array(ASCII_TRIGRAMS / 32)
  readonly #others = new Set<number>()
  #units = new Uint16Array(INITIAL_UNITS)
  #used = 0
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** Adds the trigrams of a text, by default all of them, otherwise those that begin from one place on and before another. */
  add(text: string, from = 0, to: number = text.length): void {
    const end = Math.min(text.length, to + TRIGRAM - 1)
    const ascii = this.#ascii
    let a = text.charCodeAt(from)
    let b = text.charCodeAt(from + 1)
    for (let at = from + 2; at < end; at++) {
      const c = text.charCodeAt(at)
      if ((a | b | c) < ASCII_END) {
        const code = (a << 14) | (b << 7) | c
        const word = ascii[code >>> 5] ?? 0
        const bit = 1 << (code & 31)
        if ((word & bit) === 0) {
          ascii[code >>> 5] = word | bit
          this.#addAscii(code)
        }
      } else this.#addOther(a, b, c)
      a = b
      b = c
    }
  }

  /** Gives the tokens, parted by spaces, and forgets them. */
  take(): string {
    const tokens = decoder.decode(this.#units.subarray(0, this.#used))
    this.#ascii.fill(0)
    this.#others.clear()
    this.#used = 0
    this.#size = 0
    if (this.#units.length > INITIAL_UNITS) this.#units = new Uint16Array(INITIAL_UNITS)
    return tokens
  }

  #addOther(a: number, b: number, c: number): void {
    const code = (a * 0x10000 + b) * 0x10000 + c
    if (this.#others.has(code)) return
    this.#others.add(code)
    const units = this.#withRoom()
    units[this.#used++] = letterOf(a)
    units[this.#used++] = letterOf(b)
    units[this.#used++] = letterOf(c)
    units[this.#used++] = SPACE
  }

  #addAscii(code: number): void {
    const units = this.#withRoom()
    const high = Math.floor(code / TWO_BYTES_COUNT)
    units[this.#used++] = TWO_BYTES + high
    units[this.#used++] = TWO_BYTES + code - high * TWO_BYTES_COUNT
    units[this.#used++] = SPACE
  }

  /** The letters so far, with room for one more token. */
  #withRoom(): Uint16Array {
    this.#size++
    if (this.#used + TRIGRAM < this.#units.length) return this.#units
    const more = new Uint16Array(this.#units.length * 2)
    more.set(this.#units)
    this.#units = more
    return more
  }
}

const ofTerms = new TrigramSet()

/** The tokens of a term's trigrams, each once; none for one that is too short to be looked up. */
export function trigramTokens(term: string): string[] {
  ofTerms.add(term)
  return ofTerms.take().split(" ").filter(Boolean)
}
