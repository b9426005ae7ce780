import { expect, test } from "bun:test"
import { cleanText, messageTexts, partTexts } from "../../src/record/search-text.ts"

const BASE64 = `${"aB3".repeat(300)}==`

test("base64, escape codes and NULs are taken out, written text is not", () => {
  expect(cleanText(`see ${BASE64} here`)).toBe("see  here")
  expect(cleanText(`${"x".repeat(100)}${BASE64}`)).toBe("")
  expect(cleanText(`before ${"aB3".repeat(170)} after`)).toContain("aB3aB3")
  expect(cleanText("x".repeat(2000))).toHaveLength(2000)
  expect(cleanText("\u{1b}[1;31mred\u{1b}[0m a\0b")).toBe("red ab")
  expect(cleanText(`![](data:image/png;base64,${"QUJD".repeat(30)}==) end`)).toBe("![]() end")
})

test("a long run of one letter is looked at once, not again from each of its letters", () => {
  expect(cleanText("x".repeat(1_000_000))).toHaveLength(1_000_000)
})

test("the same text in one part is there once, and metadata is not", () => {
  const state = { input: { command: "ls", again: ["ls"] }, output: "ls", metadata: { output: "hidden" } }
  expect(partTexts({ type: "tool", state })).toEqual(["ls"])
  expect(partTexts({ type: "step-start", snapshot: "abc" })).toEqual([])
  expect(partTexts({ type: "patch", files: ["a.ts", 5, { file: "b.ts" }] })).toEqual(["a.ts", "b.ts"])
  expect(messageTexts({ summary: { diffs: [{ file: "c.ts", before: "no" }] } })).toEqual(["c.ts"])
  expect(messageTexts({ summary: true })).toEqual([])
})
