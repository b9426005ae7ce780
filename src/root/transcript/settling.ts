import type { ContainerReading } from "../../database/transcript-statements.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { StoreChange } from "../change.ts"
import type { ContainerAt, FoundContainer } from "./container.ts"
import type { Collector } from "./garbage.ts"
import type { HeldSession } from "./held.ts"
import type { KeptLines } from "./kept-lines.ts"
import type { Sweep } from "./transcripts.ts"

/** A container whose rows are not known to equal its files. */
export interface Unsettled {
  readonly container: FoundContainer
  readonly row: number | undefined
}

/** What a sweep found, and what of it is not settled. */
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

/** The look of a container's files under which its rows equal them, and the reading that wrote the rows. */
export interface SettledReading extends ContainerReading {
  readonly look: Buffer
}

/** What came of settling a container. */
export interface Outcome {
  /** Whether another container has to be settled again, because it holds a session that this one lost. */
  readonly hasDoubted: boolean
  /** `undefined` where it could not be read. */
  readonly reached: SettledReading | undefined
  /** Whether it lay there no more when it was to be read; its rows are as they were. Only another look at everything tells where it is. */
  readonly isGone: boolean
}

/** Hears of changes to rows, whoever caused them. */
export interface RowListener {
  /** A record differed from its row, which is written now. `isNew` if the container had no rows before. */
  changed(container: ContainerAt, change: StoreChange, isNew: boolean): void
  /** A container's rows were written, under these marks. */
  put(container: ContainerAt, marks: string, isNew: boolean): void
}

/** What was read of a container whose rows are written now. */
export interface Reading {
  readonly sessions: readonly HeldSession[]
  /** The `pending` of the rows of its messages that changed. */
  readonly mark: number
  readonly lines: KeptLines
}

/** Takes what is read while its lines are at hand. */
export interface Intake extends Collector {
  take(reading: Reading): Promise<void>
}

/** How a container is settled. */
export interface SettleOneOptions {
  readonly slice: TimeSlice
  /** Whether to wait while another process keeps the index busy. Otherwise the caller, for whom somebody waits, reads the files. */
  readonly patient?: boolean | undefined
  readonly intake?: Intake | undefined
}

/** How several containers are settled. */
export interface SettleAllOptions extends SettleOneOptions {
  readonly onSettled?: ((one: Unsettled) => void) | undefined
}
