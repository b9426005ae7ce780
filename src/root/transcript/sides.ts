import type { FileMark } from "./follow.ts"

/** No dependence on anything beside a container's own files, as JSON. */
export const NO_SIDES = "[]"
/** What the name of a session that a container goes on from begins with among its sides. */
export const BASE = "base:"
/** What a container depends on by the lengths of its lines: bounds on them under which it reads the same. */
export const LENGTHS = "lengths:"
/** Lines up to this length are read under any bound that is worth having, in bytes. */
const SHORT = 64 * 1024

type Lengths = Pick<FileMark, "longest" | "refused">

/** What a container depends on by the lengths of its lines; `undefined` where all are short. */
export function lengthsOf(marks: readonly FileMark[]): string | undefined {
  const longest = Math.max(0, ...marks.map((mark) => mark.longest))
  const tooLong = marks.flatMap((mark) => mark.refused ?? [])
  if (longest <= SHORT && tooLong.length === 0) return undefined
  const refused = tooLong.length === 0 ? undefined : Math.min(...tooLong)
  return JSON.stringify({ longest, refused } satisfies Lengths)
}

/** Whether under a bound the same lines are too large as when these lengths were noted. */
export function isWithin(lengths: string, maxLineBytes: number): boolean {
  const { longest, refused } = JSON.parse(lengths) as Lengths
  return longest <= maxLineBytes && (refused === undefined || refused > maxLineBytes)
}

/** Whether a container, by its sides as they are kept, depends on nothing but its own files. */
export function isAlone(sides: string): boolean {
  if (sides === NO_SIDES) return true
  return (JSON.parse(sides) as [name: string, look: string][]).every(([name]) => name === LENGTHS)
}
