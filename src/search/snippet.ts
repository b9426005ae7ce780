import { fold } from "../record/fold.ts"

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII but for the carriage return is meant
const PLAIN = /^[\u0000-\u000c\u000e-\u007f]*$/
/** How much of the text stands before the match and in all, in UTF-16 units, about. */
const BEFORE = 60
const LENGTH = 200

/** A stretch of text around a match, and where in it the terms stand: pairs of begin and end. */
export interface Snippet {
  readonly snippet: string
  readonly ranges: readonly (readonly [number, number])[]
}

/** Folded at a time on the way to a match, in UTF-16 units. */
const CHUNK = 4_096
/** How far back a place is looked for where a grapheme begins for certain, in UTF-16 units. */
const LOOK_BACK = 1_000

let segmenter: Intl.Segmenter | undefined

const MARK = /\p{M}/u
/** A letter with the marks that it may be composed with. */
const LETTER = /\P{M}\p{M}*|\p{M}+/gsu

/** Where folded units came from, from a place before a match to one behind its snippet. */
interface Origins {
  /** Where the letter of a folded unit begins. */
  begin(unit: number): number
  /** Where the letter ends that holds the last unit before `unit`: a match may end amid what one letter was folded to. */
  end(unit: number): number
}

/** What folding leaves as long as it was, unit by unit. */
const ALIGNED: Origins = { begin: (unit) => unit, end: (unit) => unit }

/** The first place from `at` on where a letter begins that is no mark: folding goes through the text piece by piece there. */
function letterFrom(text: string, at: number): number {
  let place = at
  while (place < text.length && (isLowSurrogate(text, place) || MARK.test(letterAt(text, place)))) place++
  return Math.min(place, text.length)
}

function letterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0)
}

function isLowSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00
}

/** Of a text that folding makes longer or shorter, where the units around one came from. A long text is not mapped whole. */
function originsAround(text: string, unit: number): Origins {
  let base = 0
  let units = 0
  let next = letterFrom(text, CHUNK)
  for (; next < text.length; next = letterFrom(text, next + CHUNK)) {
    const length = fold(text.slice(base, next)).length
    if (units + length > unit) break
    units += length
    base = next
  }
  const map: number[] = []
  const limit = letterFrom(text, next + 2 * LENGTH)
  for (const { 0: letter, index } of text.slice(base, limit).matchAll(LETTER))
    for (let left = fold(letter).length; left > 0; left--) map.push(base + index)
  const begin = (at: number): number => map[at - units] ?? limit
  return {
    begin,
    end: (at) => {
      let after = at
      while (after - units < map.length && begin(after) === begin(at - 1)) after++
      return begin(after)
    },
  }
}

/** Cuts a snippet out of a text around the first of the terms, at grapheme borders. */
export function cutSnippet(text: string, terms: readonly string[]): Snippet {
  const composed = text.toWellFormed().normalize("NFC")
  const folded = fold(composed)
  const places = terms.map((term) => folded.indexOf(term)).filter((place) => place >= 0)
  const unit = places.length === 0 ? 0 : Math.min(...places)
  // Without marks a text only grows when it is folded; with them it may grow in one place and shrink in another.
  const isAligned = folded.length === composed.length && !MARK.test(composed)
  const origins = isAligned ? ALIGNED : originsAround(composed, unit)
  const first = origins.begin(unit)
  const { start, end } = border(composed, first)
  const ranges: [number, number][] = []
  for (const term of terms)
    for (let at = folded.indexOf(term); at >= 0; at = folded.indexOf(term, at + term.length)) {
      const from = origins.begin(at)
      if (from >= end) break
      // What goes on behind the snippet's end stands out up to there.
      ranges.push([from - start, Math.min(origins.end(at + term.length), end) - start])
    }
  return { snippet: composed.slice(start, end), ranges: merge(ranges) }
}

/** The stretch of a text around a match, widened to where graphemes begin and end. */
function border(text: string, first: number): { start: number; end: number } {
  const from = Math.max(0, first - BEFORE)
  const to = first - BEFORE + LENGTH
  // In ASCII every letter is a grapheme of its own, but for CR LF.
  if (PLAIN.test(text.slice(from, to + 1))) return { start: from, end: Math.min(to, text.length) }
  const base = certainBorder(text, from)
  let start = -1
  let end = -1
  // Made when it is first needed: that takes 3 ms.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })
  for (const { index } of segmenter.segment(text.slice(base, to + LENGTH))) {
    const at = base + index
    if (start < 0 && at >= from) start = at
    if (at >= to) {
      end = at
      break
    }
  }
  // A grapheme longer than all that is cut.
  if (start < 0 || start > first) start = isLowSurrogate(text, from) ? from - 1 : from
  if (end < 0) end = Math.min(to + LENGTH, text.length)
  return { start, end: isLowSurrogate(text, end) ? end - 1 : end }
}

/** A place before another where a grapheme begins whatever stands before it, unless that is too far away. */
function certainBorder(text: string, from: number): number {
  for (let at = from; at > Math.max(0, from - LOOK_BACK); at--)
    if (standsAlone(text.charCodeAt(at)) && standsAlone(text.charCodeAt(at - 1))) return at
  return Math.max(0, from - LOOK_BACK)
}

/** Printable ASCII, kana and Chinese characters: between two of them there is always a border. */
function standsAlone(code: number): boolean {
  return (
    (code >= 0x20 && code < 0x7f) || (code >= 0x3041 && code <= 0x3096) || (code >= 0x30a1 && code <= 0x9fff)
  )
}

function merge(ranges: [number, number][]): [number, number][] {
  const merged: [number, number][] = []
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}
