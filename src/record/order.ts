/** Where a record stands in a listing: by time (ms), or by the value of a field, then by id. */
export interface Position {
  /** Or the number a listing goes by; 0 where that is a text. */
  readonly time: number
  /** The text a listing goes by, where it goes by one. */
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

/** Sorts texts in place as `compareText` would: JavaScript's own order is the same, and much faster, where all are of U+FFFF at most. */
export function sortTexts(texts: string[]): string[] {
  return texts.some((text) => SURROGATE.test(text)) ? texts.sort(compareText) : texts.sort()
}

/** Orders by time or value, then by id, oldest or least first. */
export function comparePosition(a: Position, b: Position): number {
  if (a.time !== b.time) return a.time - b.time
  return a.text === b.text ? compareText(a.id, b.id) : compareText(a.text ?? "", b.text ?? "")
}
