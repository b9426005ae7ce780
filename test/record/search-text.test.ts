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

test("what follows a data URL on the next line stays, unless it is more of the same", () => {
  const line = "aB3d".repeat(19)
  const url = `data:image/png;base64,${line}`
  expect(cleanText(`see ${url}\nimportant words`)).toBe("see \nimportant words")
  expect(cleanText(`${url}\nimportant`)).toBe("\nimportant")
  const path = "/home/dev/projects/packages/opencode/src/session/index"
  expect(cleanText(`${url}\n${path} here`)).toBe(`\n${path} here`)
  expect(cleanText(`a ${url}\n${line}\r\n${line}\nQUI=\nPASSWORD=x b`)).toBe("a \nPASSWORD=x b")
  expect(cleanText(`${url}\nPASSWORD=\n`)).toBe("\nPASSWORD=\n")
})

test("a long run of one letter is looked at once, not again from each of its letters", () => {
  expect(cleanText("x".repeat(1_000_000))).toHaveLength(1_000_000)
})

test("the same text in one part is there once, and metadata is not", () => {
  const state = { input: { command: "ls", again: ["ls"] }, output: "ls", metadata: { output: "hidden" } }
  expect(partTexts({ type: "tool", state })).toEqual(["ls"])
  let deep: unknown = "deep"
  for (let depth = 0; depth < 5_000; depth++) deep = [{ deep }]
  const odd = { input: { a: ["one", { b: "two" }], deep }, raw: '{"half":', output: { text: "object" } }
  expect(partTexts({ type: "tool", state: odd })).toEqual(["one", "two", "deep", '{"half":', "object"])
  expect(partTexts({ type: "step-start", snapshot: "abc" })).toEqual([])
  expect(partTexts({ type: "patch", files: ["a.ts", 5, { file: "b.ts" }] })).toEqual(["a.ts", "b.ts"])
  expect(messageTexts({ summary: { diffs: [{ file: "c.ts", before: "no" }] } })).toEqual(["c.ts"])
  expect(messageTexts({ summary: true })).toEqual([])
})
