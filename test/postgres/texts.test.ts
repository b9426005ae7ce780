import { expect, test } from "bun:test"
import { storable } from "../../src/postgres/storable.ts"
import { gramsOf, LONGEST_TERM, textPieces } from "../../src/postgres/texts.ts"
import { fold } from "../../src/record/fold.ts"
import { Random } from "../support/random.ts"

test("a text that holds a term holds the term's grams", () => {
  const random = new Random(5)
  const letters = ["a", "b", " ", "1", "é", "漢", "字", "🙂", "👍", "ß", "\n", "\u0301"]
  for (let round = 0; round < 2_000; round++) {
    const text = fold(Array.from({ length: random.below(40) }, () => random.pick(letters)).join(""))
    const from = random.below(text.length + 1)
    const term = text.slice(from, from + random.below(8))
    // Half a letter is none, and no query has one.
    if (!term.isWellFormed()) continue
    const grams = new Set(gramsOf(text))
    expect({ text, term, missing: gramsOf(term).filter((gram) => !grams.has(gram)) }).toMatchObject({
      missing: [],
    })
  }
  expect(gramsOf("plain text 100%")).toEqual([])
  expect(gramsOf("a漢字b").sort()).toEqual(["a漢", "漢", "漢字", "字", "字b"].sort())
})

test("every term of a long text stands whole in one of its rows", () => {
  const word = (at: number) => `word${at} 漢字 🙂 `
  const text = Array.from({ length: 60_000 }, (_, at) => word(at)).join("")
  const pieces = [...textPieces(["first", text])]
  expect(pieces.length).toBeGreaterThan(2)
  expect(pieces.every(({ whole, folded }) => !whole && folded.isWellFormed())).toBe(true)
  for (let from = 0; from + LONGEST_TERM <= text.length; from += 97) {
    const term = text.slice(from, from + LONGEST_TERM)
    if (term.isWellFormed()) expect(pieces.some(({ folded }) => folded.includes(term))).toBe(true)
  }
})

test("short texts are one row, and what PostgreSQL cannot hold is not in it", () => {
  expect([...textPieces(["one", "two\0three\ud800"])]).toEqual([
    { piece: 0, whole: true, folded: "one\u0001twothree\ufffd", grams: ["\ufffd", "e\ufffd"] },
  ])
  expect([...textPieces([])]).toEqual([])
  expect(storable("a\0b")).toBe("ab")
})
