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

let segmenter: Intl.Segmenter | undefined

const MARK = /\p{M}/u
/** A letter with the marks that it may be composed with. */
const LETTER = /\P{M}\p{M}*|\p{M}+/gsu

/** Where each folded unit came from: the index in the text, for texts that folding makes longer or shorter. */
function origins(text: string): number[] {
  const from: number[] = []
  for (const { 0: letter, index } of text.matchAll(LETTER))
    for (let unit = fold(letter).length; unit > 0; unit--) from.push(index)
  from.push(text.length)
  return from
}

/** Where the letter ends that holds the last unit before `end`: a match may end amid what one letter was folded to. */
function endOf(map: readonly number[], end: number): number {
  let after = end
  while (after < map.length - 1 && map[after] === map[end - 1]) after++
  return map[after] ?? 0
}

/** Cuts a snippet out of a text around the first of the terms, at grapheme borders. */
export function cutSnippet(text: string, terms: readonly string[]): Snippet {
  const composed = text.toWellFormed().normalize("NFC")
  const folded = fold(composed)
  const places = terms.map((term) => folded.indexOf(term)).filter((place) => place >= 0)
  // Without marks a text only grows when it is folded; with them it may grow in one place and shrink in another.
  const isAligned = folded.length === composed.length && !MARK.test(composed)
  const map = isAligned ? undefined : origins(composed)
  const origin = (at: number): number => map?.[at] ?? Math.min(at, composed.length)
  const first = places.length === 0 ? 0 : origin(Math.min(...places))
  const { start, end } = border(composed, Math.max(0, first - BEFORE), first - BEFORE + LENGTH)
  const ranges: [number, number][] = []
  for (const term of terms)
    for (let at = folded.indexOf(term); at >= 0; at = folded.indexOf(term, at + term.length)) {
      const from = origin(at)
      if (from >= end) break
      const to = map ? endOf(map, at + term.length) : at + term.length
      if (from >= start && to <= end) ranges.push([from - start, to - start])
    }
  return { snippet: composed.slice(start, end), ranges: merge(ranges) }
}

/** Widens a stretch to where graphemes begin and end. */
function border(text: string, from: number, to: number): { start: number; end: number } {
  // In ASCII every letter is a grapheme of its own, but for CR LF.
  if (PLAIN.test(text.slice(from, to + 1))) return { start: from, end: Math.min(to, text.length) }
  // Graphemes are looked for from a little before; one as long as that is cut.
  const base = Math.max(0, from - BEFORE)
  let start = base === 0 && from === 0 ? 0 : -1
  let end = text.length
  // Made when it is first needed: that takes 3 ms.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })
  for (const { index } of segmenter.segment(text.slice(base, to + LENGTH))) {
    if (start < 0 && base + index >= from) start = base + index
    if (base + index >= to) {
      end = base + index
      break
    }
  }
  return { start: Math.max(start, 0), end: Math.max(end, start) }
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
