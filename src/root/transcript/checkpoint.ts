import type { Problem } from "../problem-log.ts"
import type { Fold } from "./agent.ts"

/** How far the last file of a container was read: whole lines. */
export interface Reached {
  /** Names the reading from the beginning that it was gone on with since; rows of before there were names have none. */
  readonly reading?: string | undefined
  /** Bytes that were read of it. */
  readonly read: number
  /** The number of the next line. */
  readonly line: number
  /** Whether what was read last lacks its line's end. */
  readonly isUnended: boolean
}

/** How far a fold has taken in its container: as far as it was read, or less. */
export interface Checkpoint extends Reached {
  /** How many of the container's problems were known by then. */
  readonly problems: number
}

/** A fold that can be gone on with from where it is. */
export interface Resumed {
  readonly fold: Fold
  readonly checkpoint: Checkpoint
}

/** The checkpoint of a fold that has taken in all that was read; `undefined` where nothing was. */
export function checkpointOf(
  marks: readonly Reached[],
  problems: readonly Problem[],
): Checkpoint | undefined {
  const mark = marks.at(-1)
  if (!mark) return undefined
  const { reading, read, line, isUnended } = mark
  return { reading, read, line, isUnended, problems: problems.length }
}

/** Whether what a fold has taken in is the beginning of what was read up to a mark, by the same reading. */
export function precedes({ reading, read }: Checkpoint, mark: Reached): boolean {
  return reading !== undefined && reading === mark.reading && read <= mark.read
}
