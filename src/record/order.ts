/** Where a record stands in a listing: by time (ms), then by id. */
export interface Position {
  readonly time: number
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

/** Sorts texts in place as `compareText` would: JavaScript's own order is the same, and much faster, where all are of U+FFFF at most. */
export function sortTexts(texts: string[]): string[] {
  return texts.some((text) => SURROGATE.test(text)) ? texts.sort(compareText) : texts.sort()
}

/** Orders by time, then by id, oldest first. */
export function comparePosition(a: Position, b: Position): number {
  return a.time === b.time ? compareText(a.id, b.id) : a.time - b.time
}
