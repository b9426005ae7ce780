const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
/** With this bit set `[` becomes `{`, and `]` becomes `}`. */
const BRACE_BIT = 0x20
const OPENING = 0x7b
const CLOSING = 0x7d

/**
 * Cuts the values of some top-level fields out of a JSON object that passes in pieces, and keeps nothing else. It does not check that
 * it is JSON. If a field occurs twice, the last value counts, as in `JSON.parse`.
 */
export class FieldCutter {
  /** The fields found so far. */
  readonly body: Record<string, unknown> = {}
  readonly #wanted: ReadonlySet<string>
  #depth = 0
  #inString = false
  #isEscaped = false
  /** The field whose value is being read; `undefined` while a name is. */
  #field: string | undefined
  /** Whether the current bytes are kept: those of a name, or of a wanted field's value. */
  #keeps = false
  #kept: Uint8Array[] = []

  constructor(wanted: Iterable<string>) {
    this.#wanted = new Set(wanted)
  }

  write(piece: Uint8Array): void {
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#inString = false
        continue
      }
      if (byte === QUOTE) this.#inString = true
      else if ((byte | BRACE_BIT) === OPENING) {
        if (++this.#depth > 1) continue
        this.#keeps = byte === OPENING
        start = at + 1
      } else if (((byte | BRACE_BIT) === CLOSING && --this.#depth === 0) || this.#parts(byte)) {
        this.#keep(piece.subarray(start, at))
        this.#end(byte)
        start = at + 1
      }
    }
    this.#keep(piece.subarray(start))
  }

  /** Whether a byte separates a name or a value of the outermost object from the next. */
  #parts(byte: number): boolean {
    return this.#depth === 1 && (this.#field === undefined ? byte === COLON : byte === COMMA)
  }

  #keep(bytes: Uint8Array): void {
    // Copied, since the piece's memory may be reused for the next one.
    if (this.#keeps && bytes.length > 0) this.#kept.push(bytes.slice())
  }

  #end(byte: number): void {
    const text = this.#keeps ? Buffer.concat(this.#kept).toString("utf8") : ""
    this.#kept = []
    if (byte === COLON) {
      this.#field = String(JSON.parse(text))
      this.#keeps = this.#wanted.has(this.#field)
      return
    }
    if (this.#field !== undefined && this.#keeps) this.body[this.#field] = JSON.parse(text)
    this.#field = undefined
    this.#keeps = this.#depth === 1
  }
}
