import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import fc from "fast-check"
import { TrigramSet, trigramTokens } from "../../src/record/trigrams.ts"

function tokensOf(...texts: string[]): string[] {
  const set = new TrigramSet()
  for (const text of texts) set.add(text)
  const { size } = set
  const tokens = set.take().split(" ").filter(Boolean)
  expect(tokens).toHaveLength(size)
  return tokens
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."abAB \n\"*\0'漢字é🙂\u{80}\u{7ff}\u{feff}\u{ffff}"), maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
)

test("each trigram is one token, however often a text has it, and different texts share none across their border", () => {
  expect(tokensOf("abcabcabc")).toHaveLength(3)
  expect(tokensOf("ab", "cd")).toEqual([])
  expect(tokensOf("abc", "bcd")).toEqual(tokensOf("abcd"))
  expect(trigramTokens("ab")).toEqual([])
  expect(trigramTokens("🙂")).toEqual([])
})

test("what was taken is forgotten", () => {
  const set = new TrigramSet()
  set.add("abc 漢字漢")
  expect(set.take()).not.toBe("")
  expect([set.take(), set.size]).toEqual(["", 0])
  set.add("abc")
  expect(set.size).toBe(1)
})

test("a text taken in pieces has the trigrams of the whole", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (whole, step) => {
      const set = new TrigramSet()
      for (let at = 0; at < whole.length; at += step) set.add(whole, at, at + step)
      expect(set.take()).toBe(
        tokensOf(whole)
          .map((token) => `${token} `)
          .join(""),
      )
    }),
  )
})

test("SQLite takes every token as it is: each stretch of three letters and more is found, in any text", () => {
  const database = new Database(":memory:")
  database.run("create virtual table texts using fts5(tokens, content='', tokenize='ascii', detail='none')")
  const put = database.query("insert into texts (rowid, tokens) values (?, ?)")
  const find = database.query<{ rowid: number }, [string]>("select rowid from texts where texts match ?")
  let row = 0
  let looked = 0
  fc.assert(
    fc.property(text, fc.nat(60), fc.integer({ min: 3, max: 20 }), (whole, from, length) => {
      put.run(++row, tokensOf(whole).join(" "))
      const term = whole.slice(from, from + length)
      const tokens = trigramTokens(term)
      expect(tokens.length > 0).toBe(term.length >= 3)
      if (tokens.length === 0) return
      looked++
      const rows = find.all(tokens.map((token) => `"${token}"`).join(" AND ")).map(({ rowid }) => rowid)
      expect(rows).toContain(row)
    }),
    { numRuns: 500 },
  )
  expect(looked).toBeGreaterThan(50)
  const all = [..."abcdefghijklmnopqrstuvwxyz0123456789 _-.,:;/()"].flatMap((a, _, letters) =>
    letters.map((b) => `${a}${b}${a}`),
  )
  expect(new Set(all.flatMap(trigramTokens)).size).toBe(new Set(all).size)
  database.close()
})
