import type { SqliteIndex } from "../../database/sqlite-index.ts"
import type { ContainerReading, StateInPieces } from "../../database/transcript-statements.ts"
import type { Fold, TranscriptAgent } from "./agent.ts"
import { type Checkpoint, precedes, type Resumed } from "./checkpoint.ts"
import { type FoundContainer, keyOf } from "./container.ts"
import type { FileMark } from "./follow.ts"
import type { HeldSession } from "./held.ts"
import { jsonPieces } from "./json-pieces.ts"

/** Kept in memory at most, and how large their states are in all, in bytes of JSON: they take some three times as much. */
const MAX_FOLDS = 8
const MAX_BYTES = 32 * 1024 * 1024
/** A state is written down when so much was read since, in bytes: who goes on from it reads no more than that again. */
const WRITTEN_EVERY = 256 * 1024

/** What the rows of a container say, and the reading that they were put by. */
export interface SaidRows extends ContainerReading {
  readonly database: string | undefined
  /** Those that are read from this container. */
  readonly sessions: readonly HeldSession[]
}

/** A fold to go on with. */
export interface KeptFold extends Resumed {
  /** Up to where the container was read for the state that is written down. */
  readonly written: number
  /** How large its state is as JSON, at the most. */
  readonly size: number
  /** What the container's rows say, where that is at hand. */
  readonly rows?: SaidRows | undefined
}

/**
 * Folds to go on with: of the containers that were added to last they are kept in memory, so that what is added next costs what is added;
 * of others their states are read from the index.
 */
export class KeptFolds {
  readonly #index: SqliteIndex
  readonly #agent: TranscriptAgent
  readonly #live = new Map<string, KeptFold>()
  #bytes = 0

  constructor(index: SqliteIndex, agent: TranscriptAgent) {
    this.#index = index
    this.#agent = agent
  }

  /**
   * Gives a fold away, since it is another one as soon as it is gone on with.
   * @param row the container's
   * @param mark how far it was read
   * @throws IndexFailure
   */
  async take(container: FoundContainer, row: number, mark: FileMark): Promise<KeptFold | undefined> {
    const key = keyOf(container)
    const live = this.#live.get(key)
    this.#drop(key)
    if (live && precedes(live.checkpoint, mark)) return live
    const kept = await this.#index.read(({ transcripts }) => transcripts.state(row))
    const name = container.files.at(-1)?.name
    if (!kept || !name) return undefined
    const checkpoint = JSON.parse(kept.checkpoint) as Checkpoint
    const fold = this.#agent.fold(name, JSON.parse(kept.state))
    return { fold, checkpoint, written: checkpoint.read, size: kept.state.length }
  }

  /** Keeps a fold whose container's rows are put. */
  keep(container: FoundContainer, kept: KeptFold): void {
    const key = keyOf(container)
    this.#drop(key)
    this.#live.set(key, kept)
    this.#bytes += kept.size
    for (const oldest of this.#live.keys()) {
      if (this.#live.size <= MAX_FOLDS && this.#bytes <= MAX_BYTES) return
      this.#drop(oldest)
    }
  }

  /** Knows that the rows that were put by one reading are as good by another one, which found nothing new. */
  renew(container: FoundContainer, of: ContainerReading, { marks, sides }: ContainerReading): void {
    const key = keyOf(container)
    const kept = this.#live.get(key)
    if (kept?.rows && areOf(kept.rows, of))
      this.#live.set(key, { ...kept, rows: { ...kept.rows, marks, sides } })
  }

  #drop(key: string): void {
    this.#bytes -= this.#live.get(key)?.size ?? 0
    this.#live.delete(key)
  }
}

/** Whether rows were put by that reading. */
export function areOf(rows: ContainerReading, { marks, sides }: ContainerReading): boolean {
  return rows.marks === marks && rows.sides === sides
}

/** Whether the state of a fold has to be written down. */
export function isDue({ read }: Checkpoint, from: KeptFold | undefined): boolean {
  return !from || read - from.written >= WRITTEN_EVERY
}

/** A fold as it is written down, and how large that was. */
export interface WrittenState extends StateInPieces {
  readonly size: number
}

/** A fold to be written down before another line is added to it. */
export function stateOf(
  fold: Fold,
  checkpoint: Checkpoint,
  onWritten: (letters: number) => void,
): WrittenState {
  let size = 0
  return {
    checkpoint: JSON.stringify(checkpoint),
    get size() {
      return size
    },
    *pieces() {
      size = 0
      for (const piece of jsonPieces(fold.state())) {
        size += piece.length
        yield piece
        onWritten(piece.length)
      }
    },
  }
}
