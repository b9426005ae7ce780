import type { ContainerReading } from "../../database/transcript-statements.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { StoreChange } from "../change.ts"
import type { ContainerAt, FoundContainer } from "./container.ts"
import type { Collector } from "./garbage.ts"
import type { HeldSession } from "./held.ts"
import type { KeptLines } from "./kept-lines.ts"
import type { Sweep } from "./transcripts.ts"

/** A container whose rows do not equal its files, as far as is known. */
export interface Unsettled {
  readonly container: FoundContainer
  readonly row: number | undefined
}

/** What was found in a place, beside what the index knows of it. */
export interface Looked {
  readonly sweep: Sweep
  readonly unsettled: readonly Unsettled[]
  /** The version of the rows that it was compared with. */
  readonly version: string
  /**
   * Of what was settled since, though no look proves it yet: which reading its rows are of, in short; nothing for what could not be read.
   */
  readonly unproven: Map<FoundContainer, string | undefined>
}

/** Under which look of its files a container's rows equal them, and the reading that they are of. */
export interface SettledReading extends ContainerReading {
  readonly look: Buffer
}

/** What became of a container that was settled. */
export interface Outcome {
  /** Whether another container has to be settled anew, since it holds what this one held. */
  readonly hasDoubted: boolean
  /** `undefined` where it could not be read. */
  readonly reached: SettledReading | undefined
  /** Whether it lay there no more when it was to be read; its rows are as they were. Only another look at everything tells where it is. */
  readonly isGone: boolean
}

/** Hears what becomes of rows, whoever has them made equal to their files. */
export interface RowListener {
  /** Something is otherwise than rows said; now they say so too. `isNew` where the container had none. */
  changed(container: ContainerAt, change: StoreChange, isNew: boolean): void
  /** A container's rows were put, under these marks. */
  put(container: ContainerAt, marks: string, isNew: boolean): void
}

/** What was read of a container, once its rows are put. */
export interface Reading {
  readonly sessions: readonly HeldSession[]
  /** What the rows of its messages that changed have as `pending`. */
  readonly mark: number
  readonly lines: KeptLines
}

/** Who takes what is read, while its lines are at hand. */
export interface Intake extends Collector {
  take(reading: Reading): Promise<void>
}

/** How a container is settled. */
export interface SettleOneOptions {
  readonly slice: TimeSlice
  /** Whether to wait while another process keeps the index busy. Who has a caller that waits reads the files instead. */
  readonly patient?: boolean | undefined
  readonly intake?: Intake | undefined
}

/** How several containers are settled. */
export interface SettleAllOptions extends SettleOneOptions {
  readonly onSettled?: ((one: Unsettled) => void) | undefined
}
