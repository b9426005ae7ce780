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

/** Transcripts that are read for an answer before their rows are put, at most, and of how many bytes in all. */
const MAX_READ = 128
const MAX_BYTES = 16 * 1024 * 1024
/** How many are read before it is asked again whether these are enough. */
const READ_AT_ONCE = 8

/** A session, and the container that it is read from. */
interface Copy {
  readonly session: HeldSession
  readonly container: FoundContainer
}

/**
 * The newest sessions of a place that nobody has indexed, by what its newest transcripts say, before there is an index: opening that and
 * putting rows takes longer than reading them. The rows are put right after.
 */
export class EarlyPages {
  readonly #index: TranscriptIndex
  readonly #onRefused: (refused: readonly Problem[]) => void
  readonly #logger: Logger
  /** What was looked at for questions about one moment. */
  readonly #sweeps = new WeakMap<object, Sweep>()
  #putting: Promise<void> = Promise.resolve()
  /** Whether rows could not be put. */
  #isInVain = false

  /** @param onRefused told what could not be looked into by a look at everything */
  constructor(index: TranscriptIndex, onRefused: (refused: readonly Problem[]) => void, logger: Logger) {
    this.#index = index
    this.#onRefused = onRefused
    this.#logger = logger
  }

  /** What a question of the same moment was answered from. */
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
      // Nothing in a file counts as later than the file.
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

  /** Waits until the rows of what was read are put. */
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
        // What has no rows yet is settled for the next question.
        this.#isInVain = true
        // An index tells of its own failures.
        if (error instanceof IndexFailure) return
        const { place } = this.#index.transcripts
        this.#logger.warn(`What was read in ${place} for a first page could not be indexed`, error)
      }
    }
    this.#putting = put()
  }
}

/** Whether a copy of a session counts, beside another one. */
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
