import type { Problem } from "../problem-log.ts"
import type { Fold } from "./agent.ts"

/** How far the last file of a container was read, in whole lines. */
export interface Reached {
  /** The name of the reading from the beginning that this one continues; old rows have none. */
  readonly reading?: string | undefined
  /** Bytes read. */
  readonly read: number
  /** The number of the next line. */
  readonly line: number
  /** Whether the last line that was read lacks its line end. */
  readonly isUnended: boolean
}

/** How much of its container a fold has taken in: all that was read, or less. */
export interface Checkpoint extends Reached {
  /** How many of the container's problems were known at that point. */
  readonly problems: number
}

/** A fold and the place from which it can continue. */
export interface Resumed {
  readonly fold: Fold
  readonly checkpoint: Checkpoint
}

/** The checkpoint of a fold that has taken in all that was read; `undefined` where nothing was read. */
export function checkpointOf(
  marks: readonly Reached[],
  problems: readonly Problem[],
): Checkpoint | undefined {
  const mark = marks.at(-1)
  if (!mark) return undefined
  const { reading, read, line, isUnended } = mark
  return { reading, read, line, isUnended, problems: problems.length }
}

/** Whether a fold has taken in a beginning of what the same reading has read up to a mark. */
export function precedes({ reading, read }: Checkpoint, mark: Reached): boolean {
  return reading !== undefined && reading === mark.reading && read <= mark.read
}
