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

test.each(cases)("in %j the match of %j is %j", (text, term, marked) => {
  const { snippet, ranges } = cutSnippet(text, [fold(term)])
  expect(ranges.slice(0, 1).map(([from, to]) => snippet.slice(from, to))).toEqual([marked])
})
