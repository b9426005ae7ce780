import { IndexFailure } from "../../database/failure.ts"
import type { Logger } from "../../logger.ts"
import { sessionFields } from "../../record/extract.ts"
import type { SessionQuery } from "../../record/query.ts"
import { TimeSlice, yieldToEventLoop } from "../../time-slice.ts"
import type { Range, SessionEntry } from "../catalog.ts"
import type { Problem } from "../problem-log.ts"
import { type FoundSession, listedSessions } from "../scanned/scanned-catalog.ts"
import { compareContainers, type FoundContainer, modifiedAt } from "./container.ts"
import { type HeldSession, heldSessions } from "./held.ts"
import type { TranscriptIndex } from "./transcript-index.ts"
import type { Sweep } from "./transcripts.ts"

/** The most transcripts, and the most bytes of them, that are read for an answer before their rows are written. */
const MAX_READ = 128
const MAX_BYTES = 16 * 1024 * 1024
/** Transcripts that are read between two checks whether the page is complete. */
const READ_AT_ONCE = 8

/** A session and its container. */
interface Copy {
  readonly session: HeldSession
  readonly container: FoundContainer
}

/**
 * Answers the first page of a place that nobody has indexed by reading its newest transcripts, because that is faster than to create
 * the index and write their rows. The rows are written right after.
 */
export class EarlyPages {
  readonly #index: TranscriptIndex
  readonly #onRefused: (refused: readonly Problem[]) => void
  readonly #logger: Logger
  /** The sweep that questions about one moment share. */
  readonly #sweeps = new WeakMap<object, Sweep>()
  #putting: Promise<void> = Promise.resolve()
  /** Whether rows could not be written. */
  #isInVain = false

  /** @param onRefused called with the folders and files that a sweep could not look at */
  constructor(index: TranscriptIndex, onRefused: (refused: readonly Problem[]) => void, logger: Logger) {
    this.#index = index
    this.#onRefused = onRefused
    this.#logger = logger
  }

  /** The sweep that a question of the same moment was answered from. */
  sweepOf(moment: object | undefined): Sweep | undefined {
    return moment && this.#sweeps.get(moment)
  }

  /**
   * A listing's first sessions; `undefined` where there is an index, or too much would have to be read.
   * @throws StoreError `EXHAUSTED`; the signal's reason
   */
  async sessions(query: SessionQuery, range: Range): Promise<SessionEntry[] | undefined> {
    const { limit, after, signal, moment } = range
    const { order, direction, by, where } = query
    const isNewestFirst = order === "updated" && direction === "desc" && by === undefined && !where
    if (limit === undefined || after || !isNewestFirst || this.#isInVain || this.#index.index.isThere())
      return undefined
    const { transcripts } = this.#index
    const sweep = await transcripts.sweep(signal)
    this.#onRefused(sweep.refused)
    const newest = sweep.found
      .map((container) => ({ container, modified: modifiedAt(container) }))
      .sort((a, b) => b.modified - a.modified)
    const slice = new TimeSlice(signal)
    const copies = new Map<string, Copy>()
    const read: FoundContainer[] = []
    let bytes = 0
    for (;;) {
      const entries = entriesOf(copies, query, range)
      const next = newest[read.length]
      const last = entries[limit - 1]
      // No session counts as newer than its file.
      if (!next || (last && last.time > next.modified)) {
        if (moment) this.#sweeps.set(moment, sweep)
        this.#putLater(sweep, read)
        return entries.map((entry) => ({
          ...entry,
          body: JSON.stringify(copies.get(entry.id)?.session.body),
        }))
      }
      for (const { container } of newest.slice(read.length, read.length + READ_AT_ONCE)) {
        bytes += container.files.reduce((sum, { stat }) => sum + stat.size, 0)
        if (read.length >= MAX_READ || bytes > MAX_BYTES) return undefined
        const result = await transcripts.readContainer(container, sweep, undefined, slice)
        // It was moved since it was found, so others may have been.
        if (result.isGone) return undefined
        const sessions = heldSessions(container, result.read?.sessions ?? [])
        this.#index.expect(container, { result, sessions })
        read.push(container)
        for (const session of sessions)
          if (counts({ session, container }, copies.get(session.id)))
            copies.set(session.id, { session, container })
      }
    }
  }

  /** Waits until the rows of what was read are written. */
  async stop(): Promise<void> {
    await this.#putting
  }

  #putLater(sweep: Sweep, read: readonly FoundContainer[]): void {
    const before = this.#putting
    const put = async (): Promise<void> => {
      await before
      await yieldToEventLoop()
      try {
        const unsettled = read.map((container) => ({ container, row: undefined }))
        await this.#index.settleAll(
          { sweep, unsettled, unproven: new Map() },
          { slice: new TimeSlice(), patient: true },
        )
      } catch (error) {
        // The next question settles what has no rows yet.
        this.#isInVain = true
        // The index reports its own failures.
        if (error instanceof IndexFailure) return
        const { place } = this.#index.transcripts
        this.#logger.warn(`What was read in ${place} for a first page could not be indexed`, error)
      }
    }
    this.#putting = put()
  }
}

/** Whether this copy of a session counts more than the other one. */
function counts({ session, container }: Copy, other: Copy | undefined): boolean {
  if (!other || session.updated !== other.session.updated)
    return !other || session.updated > other.session.updated
  return compareContainers(container, other.container) >= 0
}

function entriesOf(copies: ReadonlyMap<string, Copy>, query: SessionQuery, range: Range): SessionEntry[] {
  const { projectID } = query
  const sessions: FoundSession[] = []
  for (const { session } of copies.values())
    if (projectID === undefined || session.project === projectID)
      sessions.push({ id: session.id, project: session.project, fields: sessionFields(session.body) })
  return listedSessions(sessions, query, range)
}
