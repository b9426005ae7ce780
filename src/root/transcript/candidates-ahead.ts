import { wholeDocument } from "../document.ts"
import type { Candidate, MessageDocument } from "../text-source.ts"
import type { FoundContainer } from "./container.ts"
import type { Settled } from "./settled.ts"
import type { LocatedRead, TranscriptRecords } from "./transcript-records.ts"

/** Candidates of one session are read together, so many at most, as long as their lines take no more than this, in bytes: a search may need but the first. */
const READ_AT_ONCE = 16
const RUN_BYTES = 64 * 1024
/** Sessions of which such are held. */
const MAX_RUNS = 8

/** Messages of one session that were read together. */
interface Run {
  /** They are as they were read for as long as it is as it was found. */
  readonly container: FoundContainer
  readonly messages: Map<string, LocatedRead | undefined>
}

/**
 * Reads the messages that one search looks at: where a session's files can be known not to have changed, with it those that come next,
 * so that they are opened and looked for once for all.
 */
export class CandidatesAhead {
  readonly #settled: Settled
  readonly #records: TranscriptRecords
  #expected: readonly Candidate[] = []
  readonly #runs = new Map<string, Run>()

  constructor(settled: Settled, records: TranscriptRecords) {
    this.#settled = settled
    this.#records = records
  }

  /** Says which candidates come next, in their order. */
  expect(candidates: readonly Candidate[]): void {
    this.#expected = candidates
  }

  /** A message as it is now; `undefined`, which is reported where it cannot be read. @throws StoreError `EXHAUSTED` */
  async document(session: string, id: string): Promise<MessageDocument | undefined> {
    const message = this.#held(session, id) ?? (await this.#readOn(session, id))
    return message && wholeDocument(message.read.info, message.read.parts)
  }

  #held(session: string, id: string): LocatedRead | undefined {
    const run = this.#runs.get(session)
    const message = run?.messages.get(id)
    if (run && message && this.#settled.isAsFound(run.container)) return message
    this.#runs.delete(session)
    return undefined
  }

  async #readOn(session: string, id: string): Promise<LocatedRead | undefined> {
    const container = this.#settled.foundAs(session)
    const ids = container ? this.#next(session, id) : [id]
    const read = await this.#records.locatedQuietly(session, ids, RUN_BYTES)
    // What was found anew meanwhile may have been read in part before.
    if (container && read && this.#settled.foundAs(session) === container) {
      const [oldest] = this.#runs.keys()
      if (oldest !== undefined && this.#runs.size >= MAX_RUNS) this.#runs.delete(oldest)
      const messages = new Map(read.map((message, at) => [ids[at] ?? "", message]))
      this.#runs.set(session, { container, messages })
    }
    return read?.[0]
  }

  /** That candidate, and those of the same session that come after it. */
  #next(session: string, id: string): string[] {
    const ids = this.#expected.flatMap((one) => (one.session === session ? [one.id] : []))
    const at = ids.indexOf(id)
    return at < 0 ? [id] : ids.slice(at, at + READ_AT_ONCE)
  }
}
