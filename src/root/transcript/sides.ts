import type { FileMark } from "./follow.ts"

/** The sides of a container without any, as JSON. */
export const NO_SIDES = "[]"
/** The prefix of a base session's name among sides. */
export const BASE = "base:"
/** The name of the side that stands for line lengths: the limits on them under which the container reads the same. */
export const LENGTHS = "lengths:"
/** Lines up to this many bytes are read under every reasonable limit. */
const SHORT = 64 * 1024

type Lengths = Pick<FileMark, "longest" | "refused">

/** The side for line lengths; `undefined` if all lines are short. */
export function lengthsOf(marks: readonly FileMark[]): string | undefined {
  const longest = Math.max(0, ...marks.map((mark) => mark.longest))
  const tooLong = marks.flatMap((mark) => mark.refused ?? [])
  if (longest <= SHORT && tooLong.length === 0) return undefined
  const refused = tooLong.length === 0 ? undefined : Math.min(...tooLong)
  return JSON.stringify({ longest, refused } satisfies Lengths)
}

/** Whether the same lines are too large under a limit as when these lengths were noted. */
export function isWithin(lengths: string, maxLineBytes: number): boolean {
  const { longest, refused } = JSON.parse(lengths) as Lengths
  return longest <= maxLineBytes && (refused === undefined || refused > maxLineBytes)
}

/** Whether a container with these sides depends on its own files alone. */
export function isAlone(sides: string): boolean {
  if (sides === NO_SIDES) return true
  return (JSON.parse(sides) as [name: string, look: string][]).every(([name]) => name === LENGTHS)
}
