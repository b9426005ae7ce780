const NUL = 0x00
const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** The field whose elements are taken for lines. */
const LIST = "messages"

/** An element's bytes and where they lie. */
export interface RawElement {
  /** Of its first byte in the file. */
  readonly offset: number
  readonly length: number
  /** Of the line that it begins in, from 1 on. */
  readonly number: number
  /** Good until the next element is asked for; `undefined` for one that is longer than may be read. */
  readonly bytes: Buffer | undefined
}

/** Where the reader stands; `between` is among the elements of the list, `lost` behind a place that cannot be JSON. */
type State = "before" | "name" | "value" | "between" | "element" | "lost" | "after"

/**
 * Cuts the pieces of a file that is one JSON object into the elements of its `messages`, and keeps its other fields. Memory is
 * bounded by the longest element that may be read. It looks only for where things begin and end: whether an element is JSON shows
 * when it is parsed.
 *
 * A file that is cut short gives the elements that are whole. From damage on, which shows by a NUL or a line break within a string,
 * it looks for a line that begins as far in as the field before it, or twice as far, as elements do: agents lay such files out in
 * lines (`JSON.stringify` with an indent).
 */
export class ObjectSplitter {
  readonly #maxBytes: number
  #state: State = "before"
  #isInList = false
  #isInString = false
  #isEscaped = false
  /** Objects and arrays that are open in the value or element. */
  #depth = 0
  /** Of the first byte of the piece. */
  #offset = 0
  #line = 1
  /** Blanks since the line began; below 0 where something else has come. */
  #indent = 0
  #fieldIndent = -1
  /** What is being kept: its place, below 0 for nothing; its line; its bytes in earlier pieces. */
  #start = -1
  #startLine = 0
  #held: Buffer[] = []
  #heldBytes = 0
  readonly #fields: string[] = []
  #fieldBytes = 0
  #isList = false
  #ready: RawElement | undefined
  #isDamaged = false
  #isFollowed = false

  /** @param maxBytes of an element; of all other fields together */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Yields the elements that end in a piece. */
  *push(piece: Buffer): Generator<RawElement> {
    for (let at = 0; at < piece.length; ) {
      if (this.#isInString) {
        at = this.#throughString(piece, at)
        continue
      }
      const byte = piece[at] ?? NUL
      const isDone = this.#step(piece, at, byte)
      if (this.#ready) {
        yield this.#ready
        this.#ready = undefined
      }
      if (!isDone) continue
      this.#pass(byte)
      at++
    }
    if (this.#start >= 0) this.#hold(this.#kept(piece, piece.length))
    this.#offset += piece.length
  }

  /** After the last piece: an element that is not whole; `undefined` where there is none. */
  rest(): RawElement | undefined {
    return this.#isInList && this.#start >= 0 ? this.#take(Buffer.alloc(0), 0) : undefined
  }

  /** After the last piece: the object's text without the list; without fields that are not whole, damaged, or too long together. */
  get header(): string {
    return `{${this.#fields.join(",")}}`
  }

  /** After the last piece: what is wrong with the object, but for its elements. */
  get fault(): string | undefined {
    if (this.#state === "before") return "It holds no JSON object"
    if (this.#isDamaged) return "It is damaged"
    if (this.#state !== "after") return "It is not whole"
    return this.#isFollowed ? "Something follows its end" : undefined
  }

  /** Looks at a byte outside strings. @returns false where it is to be looked at again, now in another state */
  #step(piece: Buffer, at: number, byte: number): boolean {
    switch (this.#state) {
      case "before":
        if (byte === OPEN_BRACE) this.#state = "name"
        return true
      case "name":
        return this.#inName(piece, at, byte)
      case "value":
        return this.#inValue(piece, at, byte)
      case "between":
        return this.#betweenElements(at, byte)
      case "element":
        return this.#inElement(piece, at, byte)
      case "lost":
        return this.#whereLost(piece, at, byte)
      case "after":
        this.#isFollowed ||= !isBlank(byte)
        return true
    }
  }

  #inName(piece: Buffer, at: number, byte: number): boolean {
    if (byte === NUL) this.#lose()
    else if (byte === CLOSE_BRACE) this.#state = "after"
    else if (byte === QUOTE) {
      if (this.#start < 0) {
        this.#begin(at)
        this.#fieldIndent = this.#indent
      }
      this.#isInString = true
    } else if (byte === COLON && this.#start >= 0) {
      this.#isList = parsed(Buffer.concat([...this.#held, this.#kept(piece, at)])) === LIST
      this.#state = "value"
    }
    return true
  }

  #inValue(piece: Buffer, at: number, byte: number): boolean {
    if (byte === NUL) this.#lose()
    else if (this.#depth > 0) this.#nest(byte)
    else if (byte === OPEN_BRACKET && this.#isList) {
      this.#drop()
      this.#isInList = true
      this.#state = "between"
    } else if (byte === COMMA || byte === CLOSE_BRACE) {
      this.#keepField(this.#take(piece, at))
      this.#state = byte === COMMA ? "name" : "after"
    } else this.#nest(byte)
    return true
  }

  #betweenElements(at: number, byte: number): boolean {
    if (byte === CLOSE_BRACKET) {
      this.#isInList = false
      this.#state = "name"
    } else if (!isBlank(byte) && byte !== COMMA) {
      this.#begin(at)
      this.#state = "element"
      if (byte === NUL) this.#lose()
      else this.#nest(byte)
    }
    return true
  }

  #inElement(piece: Buffer, at: number, byte: number): boolean {
    const isEnd = this.#depth === 0 && (isBlank(byte) || byte === COMMA || byte === CLOSE_BRACKET)
    if (isEnd) {
      this.#ready = this.#take(piece, at)
      this.#state = "between"
      return false
    }
    if (byte === NUL) this.#lose()
    else if (this.#depth > 0) {
      this.#nest(byte)
      if (this.#depth > 0 || this.#isInString) return true
      this.#ready = this.#take(piece, at + 1)
      this.#state = "between"
    } else this.#nest(byte)
    return true
  }

  #whereLost(piece: Buffer, at: number, byte: number): boolean {
    const isElement = this.#isInList && byte === OPEN_BRACE && this.#indent === 2 * this.#fieldIndent
    const isField = byte === QUOTE && this.#indent === this.#fieldIndent
    const isEnd = this.#isInList && byte === CLOSE_BRACKET && this.#indent === this.#fieldIndent
    if (this.#indent <= 0 || !(isElement || isField || isEnd)) return true
    if (this.#isInList && this.#start >= 0) this.#ready = this.#take(piece, at)
    else this.#drop()
    this.#depth = 0
    if (isField) this.#isInList = false
    this.#state = isField ? "name" : "between"
    return false
  }

  /** Goes on to the end of a string, or of the piece. @returns where the next byte lies */
  #throughString(piece: Buffer, from: number): number {
    this.#indent = -1
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at] ?? NUL
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === BACKSLASH) this.#isEscaped = true
      else if (byte === QUOTE) {
        this.#isInString = false
        return at + 1
      }
      if (byte === NUL || byte === NEWLINE) {
        this.#isInString = false
        this.#isEscaped = false
        this.#lose()
        return at
      }
    }
    return piece.length
  }

  /** Strings, objects and arrays that begin or end. */
  #nest(byte: number): void {
    if (byte === QUOTE) this.#isInString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth = Math.max(0, this.#depth - 1)
  }

  #pass(byte: number): void {
    if (byte === NEWLINE) {
      this.#line++
      this.#indent = 0
    } else if (byte !== SPACE && byte !== TAB) this.#indent = -1
    else if (this.#indent >= 0) this.#indent++
  }

  #lose(): void {
    // Of an element it shows when that is parsed.
    if (!this.#isInList) {
      this.#isDamaged = true
      this.#drop()
    }
    this.#state = "lost"
  }

  #keepField({ bytes, length }: RawElement): void {
    this.#fieldBytes += length
    const text = bytes?.toString().trimEnd() ?? ""
    if (this.#fieldBytes > this.#maxBytes || parsed(`{${text}}`) === undefined) this.#isDamaged = true
    else if (!this.#isList) this.#fields.push(text)
  }

  #begin(at: number): void {
    this.#start = this.#offset + at
    this.#startLine = this.#line
    this.#depth = 0
  }

  /** What a piece has of what is being kept. */
  #kept(piece: Buffer, end: number): Buffer {
    return piece.subarray(Math.max(0, this.#start - this.#offset), end)
  }

  #hold(bytes: Buffer): void {
    this.#heldBytes += bytes.length
    if (this.#heldBytes > this.#maxBytes) this.#held = []
    else this.#held.push(Buffer.from(bytes))
  }

  #take(piece: Buffer, end: number): RawElement {
    const last = this.#kept(piece, end)
    const length = this.#heldBytes + last.length
    const isLong = length > this.#maxBytes
    const bytes = this.#held.length === 0 ? last : Buffer.concat([...this.#held, last])
    const element = {
      offset: this.#start,
      length,
      number: this.#startLine,
      bytes: isLong ? undefined : bytes,
    }
    this.#drop()
    return element
  }

  #drop(): void {
    this.#start = -1
    this.#held = []
    this.#heldBytes = 0
    this.#depth = 0
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB
}

function parsed(text: string | Buffer): unknown {
  try {
    return JSON.parse(text.toString())
  } catch {
    return undefined
  }
}
