/** Terms are looked up by stretches of so many UTF-16 units. */
export const TRIGRAM = 3

/** Trigrams of ASCII letters: seven bits each. */
const ASCII_TRIGRAMS = 1 << 21
const ASCII_END = 0x80
/** The letters that take two bytes in UTF-8: U+0080 to U+07FF. */
const TWO_BYTES = 0x80
const TWO_BYTES_COUNT = 0x780
const SPACE = 0x20
/** What stands behind the last letter of a text, so that a stretch of one or two letters begins a trigram wherever it lies. */
const END = 0
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

  /**
   * Adds the trigrams of a text, by default all of them, otherwise those that begin from one place on and before another; behind its last
   * letter it has two more of no letter.
   */
  add(text: string, from = 0, to: number = text.length): void {
    this.addTerm(text, from, to)
    const last = text.length - 1
    if (to <= last || last < 0) return
    if (last > 0) this.#addAny(text.charCodeAt(last - 1), text.charCodeAt(last), END)
    this.#addAny(text.charCodeAt(last), END, END)
  }

  /** Adds the trigrams of what any letter may stand behind. */
  addTerm(text: string, from = 0, to: number = text.length): void {
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

  #addAny(a: number, b: number, c: number): void {
    this.addTerm(String.fromCharCode(a, b, c))
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
  ofTerms.addTerm(term)
  return ofTerms.take().split(" ").filter(Boolean)
}

/** Tokens, and what tokens begin with. */
export interface ShortTokens {
  readonly tokens: readonly string[]
  readonly prefixes: readonly string[]
}

/**
 * For a term of one or two letters: every text with it has one of these tokens, or one with such a beginning. Those of ASCII trigrams are
 * named where the term has two letters, since what they begin with tells of the first letter alone.
 */
export function shortTokens(term: string): ShortTokens {
  const units = Array.from({ length: term.length }, (_, at) => term.charCodeAt(at))
  const prefixes = [String.fromCharCode(...units.map(letterOf))]
  const [a = 0, b] = units
  if (units.some((unit) => unit >= ASCII_END)) return { tokens: [], prefixes }
  if (b !== undefined) {
    for (let c = 0; c < ASCII_END; c++) ofTerms.addTerm(String.fromCharCode(a, b, c))
    return { tokens: ofTerms.take().split(" ").filter(Boolean), prefixes }
  }
  const highOf = (code: number): number => TWO_BYTES + Math.floor(code / TWO_BYTES_COUNT)
  for (let high = highOf(a << 14); high <= highOf(((a + 1) << 14) - 1); high++)
    prefixes.push(String.fromCharCode(high))
  return { tokens: [], prefixes }
}
