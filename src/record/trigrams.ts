/** The length of a trigram, in UTF-16 units. */
export const TRIGRAM = 3

/** How many trigrams of ASCII letters there are: seven bits a letter. */
const ASCII_TRIGRAMS = 1 << 21
const ASCII_END = 0x80
/** The letters that take two bytes in UTF-8: U+0080 to U+07FF. */
const TWO_BYTES = 0x80
const TWO_BYTES_COUNT = 0x780
const SPACE = 0x20
/** How many UTF-16 units there are. */
const UNITS = 0x10000
const NONE = new Uint8Array()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
/** Put behind the last letter of a text, so that every one or two letters begin a trigram, also at its end. */
const END = 0
/** Private-use letters that stand for surrogates and ASCII, which cannot be in a token. Real ones at worst give a false candidate. */
const PRIVATE_SURROGATES = 0xe000
const PRIVATE_ASCII = 0xe800
const FIRST_SURROGATE = 0xd800
const LAST_SURROGATE = 0xdfff
const INITIAL_CODES = 1 << 12
/** The bytes of an ASCII trigram's token: two letters of two bytes each, and a space. */
const ASCII_TOKEN_BYTES = 5

function letterOf(unit: number): number {
  if (unit < ASCII_END) return PRIVATE_ASCII + unit
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE
    ? PRIVATE_SURROGATES + unit - FIRST_SURROGATE
    : unit
}

/**
 * Collects the set of trigrams of texts, and spells each as one token for a full-text index that keeps no positions. What a text
 * repeats costs nothing there, however long it is. A token has two letters for an ASCII trigram and three for any other. None of
 * them is ASCII, so a tokenizer that splits at ASCII punctuation and folds only ASCII leaves tokens as they are.
 */
export class TrigramSet {
  readonly #ascii = new Uint32Array(ASCII_TRIGRAMS / 32)
  /** The ASCII trigrams, in the order they were added. */
  #codes = new Uint32Array(INITIAL_CODES)
  #count = 0
  readonly #others = new Set<number>()

  /** How many trigrams were collected. */
  get size(): number {
    return this.#count + this.#others.size
  }

  /**
   * Adds the trigrams of a text that begin at `from` or later and before `to`; by default all. Two ends are added behind the last
   * letter.
   */
  add(text: string, from = 0, to: number = text.length): void {
    this.addTerm(text, from, to)
    const last = text.length - 1
    if (to <= last || last < 0) return
    if (last > 0) this.#addAny(text.charCodeAt(last - 1), text.charCodeAt(last), END)
    this.#addAny(text.charCodeAt(last), END, END)
  }

  /** Adds the trigrams of a term, behind which any letter may follow, so without ends. */
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
          this.#addCode(code)
        }
      } else this.#others.add((a * UNITS + b) * UNITS + c)
      a = b
      b = c
    }
  }

  #addAny(a: number, b: number, c: number): void {
    if ((a | b | c) >= ASCII_END) {
      this.#others.add((a * UNITS + b) * UNITS + c)
      return
    }
    const code = (a << 14) | (b << 7) | c
    const word = this.#ascii[code >>> 5] ?? 0
    if ((word & (1 << (code & 31))) !== 0) return
    this.#ascii[code >>> 5] = word | (1 << (code & 31))
    this.#addCode(code)
  }

  #addCode(code: number): void {
    if (this.#count === this.#codes.length) this.#grow()
    this.#codes[this.#count++] = code
  }

  /** Returns the tokens as UTF-8, each followed by a space, and clears the set. */
  take(): Uint8Array {
    const others = this.#takeOthers()
    const count = this.#count
    const codes = this.#codes
    const ascii = this.#ascii
    const tokens = new Uint8Array(count * ASCII_TOKEN_BYTES + others.length)
    let used = 0
    for (let at = 0; at < count; at++) {
      const code = codes[at] ?? 0
      // Only the bits that were set: the whole array is a quarter of a megabyte.
      ascii[code >>> 5] = 0
      const high = Math.floor(code / TWO_BYTES_COUNT)
      const first = TWO_BYTES + high
      const second = TWO_BYTES + code - high * TWO_BYTES_COUNT
      tokens[used] = 0xc0 | (first >> 6)
      tokens[used + 1] = 0x80 | (first & 0x3f)
      tokens[used + 2] = 0xc0 | (second >> 6)
      tokens[used + 3] = 0x80 | (second & 0x3f)
      tokens[used + 4] = SPACE
      used += ASCII_TOKEN_BYTES
    }
    tokens.set(others, used)
    this.#count = 0
    if (codes.length > INITIAL_CODES) this.#codes = new Uint32Array(INITIAL_CODES)
    return tokens
  }

  #takeOthers(): Uint8Array {
    if (this.#others.size === 0) return NONE
    let text = ""
    for (const code of this.#others) {
      const rest = Math.floor(code / UNITS)
      const units = [Math.floor(rest / UNITS), rest % UNITS, code % UNITS]
      text += `${String.fromCharCode(...units.map(letterOf))} `
    }
    this.#others.clear()
    return Buffer.from(text)
  }

  #grow(): void {
    const more = new Uint32Array(this.#codes.length * 2)
    more.set(this.#codes)
    this.#codes = more
  }
}

/** Splits what `TrigramSet.take` returned into tokens. */
export function tokensIn(tokens: Uint8Array): string[] {
  return decoder.decode(tokens).split(" ").filter(Boolean)
}

const ofTerms = new TrigramSet()

/** The tokens of a term's trigrams, each once; none if the term is too short to have one. */
export function trigramTokens(term: string): string[] {
  ofTerms.addTerm(term)
  return tokensIn(ofTerms.take())
}

/** Whole tokens, and beginnings of tokens. */
export interface ShortTokens {
  readonly tokens: readonly string[]
  readonly prefixes: readonly string[]
}

/**
 * What to look up for a term of one or two letters: every text with it has one of these tokens, or a token with one of these
 * beginnings. For two ASCII letters all tokens are named, since a token's beginning says only what the first letter is.
 */
export function shortTokens(term: string): ShortTokens {
  const units = Array.from({ length: term.length }, (_, at) => term.charCodeAt(at))
  const prefixes = [String.fromCharCode(...units.map(letterOf))]
  const [a = 0, b] = units
  if (units.some((unit) => unit >= ASCII_END)) return { tokens: [], prefixes }
  if (b !== undefined) {
    for (let c = 0; c < ASCII_END; c++) ofTerms.addTerm(String.fromCharCode(a, b, c))
    return { tokens: tokensIn(ofTerms.take()), prefixes }
  }
  const highOf = (code: number): number => TWO_BYTES + Math.floor(code / TWO_BYTES_COUNT)
  for (let high = highOf(a << 14); high <= highOf(((a + 1) << 14) - 1); high++)
    prefixes.push(String.fromCharCode(high))
  return { tokens: [], prefixes }
}
