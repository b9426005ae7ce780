import { expect, test } from "bun:test"
import { fold } from "../../src/record/fold.ts"

test("what is folded stays the same when it is folded again, for every letter with and without marks", () => {
  const odd: string[] = []
  for (let code = 0; code < 0x11_0000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const letter = String.fromCodePoint(code)
    for (const text of [letter, `${letter}\u{30c}`, `${letter}\u{301}\u{307}`])
      if (fold(fold(text)) !== fold(text)) odd.push(text)
  }
  expect(odd).toEqual([])
})

test("letters that are composed in one case alone are found in both", () => {
  expect(fold("J\u{30c}")).toBe(fold("\u{1f0}"))
  expect(fold("ΣΊΣΥΦΟΣ")).toBe(fold("σίσυφος"))
})
