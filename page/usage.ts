import type { JsonObject } from "../src/record/extract.ts"
import { numberOf, textOf } from "./format.ts"

/** What was used on one day with one model; prompts of people have no model. */
export interface UsageRow {
  readonly day: string
  readonly model: string
  /** Whose history it is, as `codex`; empty where there is one alone. */
  readonly source: string
  readonly messages: number
  /** Tokens that were read anew, read from a cache, and written. */
  readonly fresh: number
  readonly cached: number
  readonly output: number
  readonly cost: number
  /** Answers that are left out since another session holds them too; absent where there are none. */
  readonly copies?: number
}

export function readUsage(body: JsonObject): UsageRow | undefined {
  const day = textOf(body.day)
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day))) return undefined
  const copies = numberOf(body.copies)
  return {
    day,
    model: textOf(body.model),
    source: textOf(body.source),
    messages: numberOf(body.messages),
    fresh: numberOf(body.input) + numberOf(body.cacheWrite),
    cached: numberOf(body.cacheRead),
    output: numberOf(body.output) + numberOf(body.reasoning),
    cost: numberOf(body.cost),
    ...(copies > 0 && { copies }),
  }
}

/** One bar of a chart: a day, or as many days as fit a long time into one picture. */
export interface Bar {
  /** The first day, `YYYY-MM-DD`. */
  readonly day: string
  readonly days: number
  /** The heights of its pieces, in the order of the chart's series. */
  readonly values: readonly number[]
}

export interface Chart {
  readonly series: readonly string[]
  readonly bars: readonly Bar[]
  /** The sum of each series. */
  readonly totals: readonly number[]
}

const DAY = 86_400_000
const MOST_BARS = 92
/** The first day that is written with ten letters. */
const FIRST = number("0000-01-01")

function number(day: string): number {
  return Math.floor(Date.parse(day) / DAY)
}

function name(number: number): string {
  return new Date(number * DAY).toISOString().slice(0, 10)
}

/**
 * Bars from the first day to the last, without gaps; days go together by weeks, then by four, and more where there are too many.
 * @param valuesOf what a row adds to which series
 */
export function chart(
  rows: readonly UsageRow[],
  from: string,
  to: string,
  series: readonly string[],
  valuesOf: (row: UsageRow) => readonly number[],
): Chart {
  const [first, last] = [number(from), number(to)]
  const span = last - first + 1
  const days = [1, 7, 28, 91].find((width) => span / width <= MOST_BARS) ?? Math.ceil(span / MOST_BARS)
  const heights: number[][] = []
  for (let day = first; day <= last; day += days) heights.push(series.map(() => 0))
  const totals = series.map(() => 0)
  for (const row of rows) {
    const bar = heights[Math.floor((number(row.day) - first) / days)]
    if (!bar) continue
    for (const [index, value] of valuesOf(row).entries()) {
      bar[index] = (bar[index] ?? 0) + value
      totals[index] = (totals[index] ?? 0) + value
    }
  }
  return {
    series,
    totals,
    bars: heights.map((values, index) => ({ day: name(first + index * days), days, values })),
  }
}

/** What rows of one model, or one source, come to together. */
export interface UsageSum extends Pick<UsageRow, "fresh" | "cached" | "output" | "cost"> {
  readonly key: string
  readonly prompts: number
  readonly answers: number
}

/** Sums of rows by a key: those that cost most first, then those with the most messages. */
export function sumsBy(rows: readonly UsageRow[], keyOf: (row: UsageRow) => string): UsageSum[] {
  const sums = new Map<string, UsageSum>()
  for (const row of rows) {
    const key = keyOf(row)
    const sum = sums.get(key) ?? {
      key,
      prompts: 0,
      answers: 0,
      fresh: 0,
      cached: 0,
      output: 0,
      cost: 0,
    }
    const isPrompt = row.model === ""
    sums.set(key, {
      key,
      prompts: sum.prompts + (isPrompt ? row.messages : 0),
      answers: sum.answers + (isPrompt ? 0 : row.messages),
      fresh: sum.fresh + row.fresh,
      cached: sum.cached + row.cached,
      output: sum.output + row.output,
      cost: sum.cost + row.cost,
    })
  }
  return [...sums.values()].sort((a, b) => b.cost - a.cost || b.prompts + b.answers - (a.prompts + a.answers))
}

/** The models that cost or were used most, at most so many; the others go together. */
export function leading(rows: readonly UsageRow[], most: number): string[] {
  const weight = new Map<string, number>()
  for (const { model, cost, fresh, cached, output } of rows)
    if (model !== "") weight.set(model, (weight.get(model) ?? 0) + cost + (fresh + cached + output) / 1e12)
  return [...weight]
    .sort((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([model]) => model)
}

/**
 * The span of days to show: `days` up to the newest one there is, or all. A day that is yet to come, as a wrong clock writes
 * it, is not the newest where there is another: it would leave nothing else to see.
 */
export function stretchOf(
  rows: readonly UsageRow[],
  days: number | undefined,
  now = Date.now(),
): { from: string; to: string } | undefined {
  const sorted = rows.map(({ day }) => day).sort()
  // Where it is a day later already than in London.
  const tomorrow = name(number(new Date(now).toISOString().slice(0, 10)) + 1)
  const first = sorted[0]
  const last =
    days === undefined ? sorted.at(-1) : (sorted.findLast((day) => day <= tomorrow) ?? sorted.at(-1))
  if (first === undefined || last === undefined) return undefined
  const from = Math.min(days === undefined ? number(first) : number(last) - days + 1, number(last) - 13)
  return { from: name(Math.max(from, FIRST)), to: last }
}

/** A round number at or above the highest bar. */
export function ceiling(value: number): number {
  if (value <= 0) return 1
  const magnitude = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= value) ?? 10) * magnitude
}
