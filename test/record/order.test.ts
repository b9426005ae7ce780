import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import fc from "fast-check"
import { compareText, sortTexts } from "../../src/record/order.ts"

test("text is ordered as SQLite orders it", () => {
  const database = new Database(":memory:")
  const query = database.query<{ less: number }, [string, string]>("select ?1 < ?2 as less")
  const text = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed() && !value.includes("\0"))
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(compareText(a, b) < 0).toBe(query.get(a, b)?.less === 1)
      expect(Math.sign(compareText(a, b))).toBe(-Math.sign(compareText(b, a)) + 0)
    }),
    {
      numRuns: 2000,
      examples: [
        ["\u{ffff}", "\u{1f642}"],
        ["a", "aa"],
        ["\u{e000}", "\u{10000}"],
      ],
    },
  )
})

test("texts are sorted as they compare, those beyond U+FFFF too", () => {
  const texts = fc.array(fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()))
  fc.assert(
    fc.property(texts, (some) => {
      expect(sortTexts([...some])).toEqual(some.toSorted(compareText))
    }),
    { examples: [[["\u{1f642}", "\u{ffff}", "a"]], [["b", "a", "\u{ffff}"]]] },
  )
})
