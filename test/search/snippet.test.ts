import { expect, test } from "bun:test"
import { fold } from "../../src/record/fold.ts"
import { cutSnippet } from "../../src/search/snippet.ts"

const cases: [text: string, term: string, marked: string][] = [
  // Found by a random test: the match ends amid what the second İ is folded to.
  ["İaaİaaa", "\u{307}aai", "İaaİ"],
  ["İaaİaaa", "aa", "aa"],
  ["x J\u{30c}y z", "J\u{30c}y", "J\u{30c}y"],
  // One letter grows and another shrinks: as long as before, and yet all moved.
  ["İ J\u{30c} here", "here", "here"],
  ["Straße ΣΑΣ", "σασ", "ΣΑΣ"],
]

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

test.each(cases)("in %j the match of %j is %j", (text, term, marked) => {
  const { snippet, ranges } = cutSnippet(text, [fold(term)])
  expect(ranges.slice(0, 1).map(([from, to]) => snippet.slice(from, to))).toEqual([marked])
})

test.each([
  ["an odd way into a row of flags", `${"🇩🇪".repeat(100)}a needle`],
  ["a flag before the match", `x${"🇩🇪".repeat(20)} needle ${"🇫🇷".repeat(80)}`],
  ["families", `ab ${"👨‍👩‍👧‍👦".repeat(60)} needle ${"👨‍👩‍👧‍👦".repeat(60)}`],
  ["Chinese", `${"漢字".repeat(300)} needle ${"e\u{301}漢".repeat(300)}`],
])("a snippet begins and ends at borders of graphemes: %s", (_, text) => {
  const { snippet, ranges } = cutSnippet(text, ["needle"])
  expect(ranges.map(([from, to]) => snippet.slice(from, to))).toEqual(["needle"])
  const composed = text.normalize("NFC")
  const begin = composed.indexOf(snippet)
  const borders = new Set([...graphemes.segment(composed)].map(({ index }) => index).concat(composed.length))
  expect([borders.has(begin), borders.has(begin + snippet.length)]).toEqual([true, true])
})

test("a grapheme without end is cut, and so is a match that is longer than the snippet", () => {
  expect(cutSnippet(`needle q${"\u{323}".repeat(100_000)} tail`, ["needle"]).snippet.length).toBeLessThan(500)
  const within = cutSnippet(`q${"\u{323}".repeat(10_000)} tail`, [`${"\u{323}".repeat(40)} tail`])
  expect(within.snippet.length).toBeLessThan(500)
  const long = "a phrase that goes on ".repeat(50)
  const { snippet, ranges } = cutSnippet(long, [fold(long)])
  expect(ranges).toEqual([[0, snippet.length]])
})

test("far into a text with marks and letters that grow, the match is marked where it stands", () => {
  const { snippet, ranges } = cutSnippet(`${"İ J\u{30c} q\u{307} 🙂 ".repeat(20_000)}NeedlE end`, ["needle"])
  expect(ranges.map(([from, to]) => snippet.slice(from, to))).toEqual(["NeedlE"])
})
