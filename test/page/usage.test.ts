import { expect, test } from "bun:test"
import { ceiling, chart, leading, readUsage, stretchOf, sumsBy, type UsageRow } from "../../page/usage.ts"

function row(day: string, model: string, cost: number): UsageRow {
  return { day, model, source: "", messages: 1, fresh: 10, cached: 5, output: 2, cost }
}

test("bars go from the first day to the last without gaps, and hold everything", () => {
  const rows = [row("2026-01-01", "a", 1), row("2026-01-03", "b", 2), row("2026-01-03", "a", 4)]
  const { bars, totals } = chart(rows, "2026-01-01", "2026-01-04", ["a", "b"], ({ model, cost }) =>
    model === "a" ? [cost] : [0, cost],
  )
  expect(bars).toEqual([
    { day: "2026-01-01", days: 1, values: [1, 0] },
    { day: "2026-01-02", days: 1, values: [0, 0] },
    { day: "2026-01-03", days: 1, values: [4, 2] },
    { day: "2026-01-04", days: 1, values: [0, 0] },
  ])
  expect(totals).toEqual([5, 2])
})

test("a long time has wider bars, not more of them", () => {
  const rows = [row("2020-01-01", "a", 1), row("2026-12-31", "a", 2)]
  const { bars, totals } = chart(rows, "2020-01-01", "2026-12-31", ["cost"], ({ cost }) => [cost])
  expect(bars.length).toBeLessThanOrEqual(92)
  expect(bars[0]?.values).toEqual([1])
  expect(bars.at(-1)?.values).toEqual([2])
  expect(totals).toEqual([3])
})

test("the stretch, the models that matter, a round top", () => {
  const rows = [row("2026-03-01", "a", 1), row("2026-05-01", "b", 2), row("2026-05-01", "c", 0)]
  expect(stretchOf(rows, 30)).toEqual({ from: "2026-04-02", to: "2026-05-01" })
  expect(stretchOf(rows, undefined)).toEqual({ from: "2026-03-01", to: "2026-05-01" })
  expect(stretchOf([], 30)).toBeUndefined()
  expect(leading(rows, 2)).toEqual(["b", "a"])
  expect([0, 0.7, 1, 43, 260].map(ceiling)).toEqual([1, 1, 1, 50, 500])
})

test("a row of the answer, and what is none", () => {
  expect(
    readUsage({
      day: "2026-01-01",
      model: null,
      messages: 2,
      input: 1,
      cacheWrite: 2,
      cacheRead: 3,
      output: 4,
      reasoning: 5,
      cost: 6,
    }),
  ).toEqual({
    day: "2026-01-01",
    model: "",
    source: "",
    messages: 2,
    fresh: 3,
    cached: 3,
    output: 9,
    cost: 6,
  })
  for (const day of [undefined, "", "2026-1-1", "2026-13-01", 5]) expect(readUsage({ day })).toBeUndefined()
})

test("one absurd day neither hides the others nor makes thousands of bars", () => {
  const now = Date.parse("2026-05-02T12:00Z")
  const rows = [row("0001-01-01", "a", 1), row("2026-05-01", "b", 2), row("9998-05-01", "c", 1)]
  expect(stretchOf(rows, 30, now)).toEqual({ from: "2026-04-02", to: "2026-05-01" })
  expect(stretchOf(rows.slice(2), 30, now)).toEqual({ from: "9998-04-02", to: "9998-05-01" })
  const all = stretchOf(rows, undefined, now)
  expect(all).toEqual({ from: "0001-01-01", to: "9998-05-01" })
  const { bars, totals } = chart(rows, "0001-01-01", "9998-05-01", ["cost"], ({ cost }) => [cost])
  expect(bars.length).toBeLessThanOrEqual(92)
  expect(totals).toEqual([4])
  expect(stretchOf([row("0000-01-05", "a", 1)], 30, now)).toEqual({ from: "0000-01-01", to: "0000-01-05" })
})

test("copies of answers are told of where there are some", () => {
  const body = { day: "2026-01-01", model: "m", messages: 2 }
  expect(readUsage({ ...body, copies: 3 })?.copies).toBe(3)
  for (const copies of [0, undefined, "3"]) expect(readUsage({ ...body, copies })?.copies).toBeUndefined()
})

test("sums by source: what people asked and what was answered, the dearest first", () => {
  const of = (source: string, model: string, cost: number) => ({ ...row("2026-01-01", model, cost), source })
  expect(
    sumsBy([of("a", "", 0), of("b", "m", 3), of("a", "m", 1), of("a", "n", 1)], ({ source }) => source),
  ).toEqual([
    { key: "b", prompts: 0, answers: 1, fresh: 10, cached: 5, output: 2, cost: 3 },
    { key: "a", prompts: 1, answers: 2, fresh: 30, cached: 15, output: 6, cost: 2 },
  ])
})
