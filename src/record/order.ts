/** Where a record stands in a listing: by its time (ms since 1970) or the value of a declared field, then by its id. */
export interface Position {
  /** The time. In a listing by a declared field, its number, or 0 if the value is a text. */
  readonly time: number
  /** In a listing by a declared field, the value if it is a text. */
  readonly text?: string | undefined
  readonly id: string
}

/**
 * Compares two strings by code point, as SQLite compares UTF-8 text; JavaScript's own `<` compares UTF-16 units and
 * differs for characters beyond U+FFFF.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xSurrogate = x >= 0xd800 && x <= 0xdfff
    const ySurrogate = y >= 0xd800 && y <= 0xdfff
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

const SURROGATE = /[\ud800-\udfff]/

/** Sorts texts in place by `compareText`. Without surrogates JavaScript's own order is the same, and much faster. */
export function sortTexts(texts: string[]): string[] {
  return texts.some((text) => SURROGATE.test(text)) ? texts.sort(compareText) : texts.sort()
}

/** Compares by time or value, then by id; the oldest or least comes first. */
export function comparePosition(a: Position, b: Position): number {
  if (a.time !== b.time) return a.time - b.time
  return a.text === b.text ? compareText(a.id, b.id) : compareText(a.text ?? "", b.text ?? "")
}
