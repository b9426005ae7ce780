import type { SqliteIndex } from "../../database/sqlite-index.ts"
import type { ContainerReading, StateInPieces } from "../../database/transcript-statements.ts"
import type { Fold, TranscriptAgent } from "./agent.ts"
import { type Checkpoint, precedes, type Resumed } from "./checkpoint.ts"
import { type FoundContainer, keyOf } from "./container.ts"
import type { FileMark } from "./follow.ts"
import type { HeldSession } from "./held.ts"
import { jsonPieces } from "./json-pieces.ts"

/** The most folds that are kept in memory, and the size of their states as JSON, in bytes: in memory they take about three times as much. */
const MAX_FOLDS = 8
const MAX_BYTES = 32 * 1024 * 1024
/** A state is saved again after this many bytes: whoever resumes from it reads no more than that twice. */
const WRITTEN_EVERY = 256 * 1024

/** What the rows of a container say, and the reading that wrote them. */
export interface SaidRows extends ContainerReading {
  readonly database: string | undefined
  /** The sessions that are read from this container. */
  readonly sessions: readonly HeldSession[]
}

/** A fold that can be continued. */
export interface KeptFold extends Resumed {
  /** How far the container had been read when the state was saved. */
  readonly written: number
  /** An upper bound of its state's size as JSON. */
  readonly size: number
  /** What the container's rows say, if that is known. */
  readonly rows?: SaidRows | undefined
}

/**
 * The folds of containers, to continue them. Those of the containers that grew last stay in memory, so that the next append costs only
 * what was appended. The others are resumed from the states in the index.
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
   * Hands a fold over to the caller, who continues and so changes it.
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

  /** Keeps a fold after its container's rows were written. */
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

  /** Notes that a later reading found nothing new, so that rows of the earlier one count as rows of the later. */
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

/** Whether rows were written by that reading. */
export function areOf(rows: ContainerReading, { marks, sides }: ContainerReading): boolean {
  return rows.marks === marks && rows.sides === sides
}

/** Whether a fold's state has to be saved. */
export function isDue({ read }: Checkpoint, from: KeptFold | undefined): boolean {
  return !from || read - from.written >= WRITTEN_EVERY
}

/** A fold's state in pieces, and how large it was. */
export interface WrittenState extends StateInPieces {
  readonly size: number
}

/** The state of a fold, to be saved before another line is added. */
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
