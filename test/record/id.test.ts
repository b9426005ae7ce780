import { expect, test } from "bun:test"
import { readdirSync } from "node:fs"
import { createId, idTime } from "../../src/index.ts"
import { treePath } from "../support/temp.ts"

const NOW = Date.UTC(2026, 10, 22, 12)

test("new ids have the scheme's form, never repeat, and sort as they were made; sessions the other way round", () => {
  for (const [kind, prefix] of [
    ["session", "ses"],
    ["message", "msg"],
    ["part", "prt"],
  ] as const) {
    const ids = Array.from({ length: 2000 }, (_, i) => createId(kind, NOW + Math.floor(i / 100)))
    expect(ids.every((id) => new RegExp(`^${prefix}_[0-9a-f]{12}[0-9A-Za-z]{14}$`).test(id))).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.toSorted()).toEqual(kind === "session" ? ids.toReversed() : ids)
  }
})

test("an id tells the millisecond it was made in", () => {
  for (const kind of ["session", "message", "part"] as const)
    expect(idTime(createId(kind, NOW), NOW + 5000)).toBe(NOW)
  expect(idTime("ses_handmade")).toBeUndefined()
  expect(idTime("")).toBeUndefined()
})

test("ids of releases tell the times in their bodies", async () => {
  const tree = `${treePath("opencode-1.1.65/storage")}/message`
  let seen = 0
  for (const session of readdirSync(tree))
    for (const file of readdirSync(`${tree}/${session}`)) {
      const { id, time } = await Bun.file(`${tree}/${session}/${file}`).json()
      expect(Math.abs((idTime(id, time.created) ?? 0) - time.created)).toBeLessThan(1000)
      seen++
    }
  expect(seen).toBe(40)
})

test("the wrap of 2026-08-14T11:19:55Z is known: near it, ids on both sides tell the right time", () => {
  const wrap = Date.UTC(2026, 7, 14, 11, 19, 55)
  const before = createId("message", wrap - 60_000)
  const after = createId("message", wrap + 60_000)
  expect(after < before).toBe(true)
  expect(idTime(before, wrap)).toBe(wrap - 60_000)
  expect(idTime(after, wrap)).toBe(wrap + 60_000)
  const first = Date.UTC(2024, 5, 10, 2, 35, 18)
  expect(idTime(createId("part", first + 5000), first)).toBe(first + 5000)
})
