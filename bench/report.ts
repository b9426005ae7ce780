import type { Sample } from "./measure.ts"

/** How good a measured value must be. */
export type Target = { readonly atMost: number } | { readonly atLeast: number } | undefined

export interface Row {
  readonly what: string
  readonly unit: string
  readonly target: Target
  /** The median over the rounds, and how far apart they were. */
  readonly measured: number
  readonly spread?: readonly [number, number]
  /** What else is worth knowing. */
  readonly note?: string
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}

/** A row from a sample; values without a target are told, not judged. */
export function rowOf(
  what: string,
  unit: string,
  sample: Sample | number,
  target?: Target,
  note?: string,
): Row {
  const numbers =
    typeof sample === "number"
      ? { measured: round(sample) }
      : { measured: round(sample.median), spread: [round(sample.min), round(sample.max)] as const }
  return { what, unit, target, ...numbers, ...(note === undefined ? {} : { note }) }
}

export function isReached({ target, measured }: Row): boolean | undefined {
  if (!target) return undefined
  return "atMost" in target ? measured <= target.atMost : measured >= target.atLeast
}

/** One line of JSON a row. */
export function printJson(size: string, rows: readonly Row[]): void {
  for (const row of rows) {
    const reached = isReached(row)
    console.log(JSON.stringify({ size, ...row, target: row.target ?? null, reached: reached ?? null }))
  }
}

/** A table in Markdown, as it stands in the README. */
export function printTable(rows: readonly Row[]): void {
  console.log("| what | target | measured | spread | reached |\n|---|---|---|---|---|")
  for (const row of rows) {
    const { what, unit, target, measured, spread, note } = row
    const wanted = !target ? "" : "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`
    const reached = isReached(row)
    const verdict = reached === undefined ? "" : reached ? "yes" : "no"
    const width = spread ? `${spread[0]} – ${spread[1]}` : ""
    console.log(
      `| ${what}${note ? ` (${note})` : ""} | ${wanted} | ${measured} ${unit} | ${width} | ${verdict} |`,
    )
  }
}
