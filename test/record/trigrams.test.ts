import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import fc from "fast-check"
import { shortTextExpression } from "../../src/database/trigram.ts"
import { TrigramSet, tokensIn, trigramTokens } from "../../src/record/trigrams.ts"

function tokensOf(...texts: string[]): string[] {
  const set = new TrigramSet()
  for (const text of texts) set.add(text)
  const { size } = set
  const tokens = tokensIn(set.take())
  expect(tokens).toHaveLength(size)
  return tokens
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."abAB \n\"*\0'漢字é🙂\u{80}\u{7ff}\u{feff}\u{ffff}"), maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
)

test("each trigram is one token, however often a text has it, and different texts share none across their border", () => {
  // Two more stand for the end of a text.
  expect(tokensOf("abcabcabc")).toHaveLength(3 + 2)
  expect(tokensOf("a", "")).toHaveLength(1)
  expect(tokensOf("ab", "cd")).toEqual([...tokensOf("ab"), ...tokensOf("cd")])
  expect(trigramTokens("abcd").filter((token) => tokensOf("ab", "cd").includes(token))).toEqual([])
  expect(trigramTokens("abcd").filter((token) => !tokensOf("abc", "bcd").includes(token))).toEqual([])
  expect(trigramTokens("ab")).toEqual([])
  expect(trigramTokens("🙂")).toEqual([])
})

test("what was taken is forgotten", () => {
  const set = new TrigramSet()
  set.add("abc 漢字漢")
  expect(set.take()).not.toHaveLength(0)
  expect([set.take(), set.size]).toEqual([new Uint8Array(), 0])
  set.add("abc")
  expect(set.size).toBe(3)
})

test("a text taken in pieces has the trigrams of the whole", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (whole, step) => {
      const set = new TrigramSet()
      for (let at = 0; at < whole.length; at += step) set.add(whole, at, at + step)
      expect(Buffer.from(set.take()).toString()).toBe(
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
  const put = database.query<void, [number, Uint8Array]>("insert into texts (rowid, tokens) values (?, ?)")
  const find = database.query<{ rowid: number }, [string]>("select rowid from texts where texts match ?")
  let row = 0
  let looked = 0
  fc.assert(
    fc.property(text, fc.nat(60), fc.integer({ min: 3, max: 20 }), (whole, from, length) => {
      const set = new TrigramSet()
      set.add(whole)
      put.run(++row, set.take())
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

test("each stretch of one or two letters is found wherever it lies, and nothing else but for what looks like it to the index", () => {
  const database = new Database(":memory:")
  database.run("create virtual table texts using fts5(tokens, content='', tokenize='ascii', detail='none')")
  const put = database.query("insert into texts (rowid, tokens) values (?, ?)")
  const find = database.query<{ rowid: number }, [string]>("select rowid from texts where texts match ?")
  const texts = new Map<number, string>()
  const found = (...terms: string[]): number[] =>
    find.all(shortTextExpression(terms) ?? "").map(({ rowid }) => rowid)
  const add = (whole: string): number => {
    const row = texts.size + 1
    texts.set(row, whole)
    put.run(row, tokensOf(whole).join(" "))
    return row
  }
  fc.assert(
    fc.property(text, fc.nat(60), fc.integer({ min: 1, max: 2 }), (whole, from, length) => {
      const row = add(whole)
      const term = whole.slice(from, from + length)
      if (term !== "") expect(found(term)).toContain(row)
      const last = whole.slice(-length)
      if (last !== "") expect(found(last, last)).toContain(row)
    }),
    { numRuns: 200 },
  )
  for (const whole of ["ab", "éab", "xab", "abx", "abé", "a", "ba", "搜索", "x搜索", "🙂", "a🙂"]) add(whole)
  for (const term of ["ab", "qz", "a", "索", "搜索", "é", "🙂"]) {
    const having = [...texts].filter(([, whole]) => whole.includes(term)).map(([row]) => row)
    expect(found(term)).toEqual(expect.arrayContaining(having))
    // Exact where a term's tokens are named one by one.
    if (term.length === 2 && /^[\0-\x7f]+$/.test(term)) expect(found(term)).toEqual(having)
  }
  database.close()
})
