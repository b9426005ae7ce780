import { wholeDocument } from "../document.ts"
import type { Candidate, MessageDocument } from "../text-source.ts"
import type { FoundContainer } from "./container.ts"
import type { Settled } from "./settled.ts"
import type { LocatedRead, TranscriptRecords } from "./transcript-records.ts"

/** At most this many candidates of one session are read together, and at most this many bytes of their lines: a search may need only the first. */
const READ_AT_ONCE = 16
const RUN_BYTES = 64 * 1024
/** Sessions whose messages are kept. */
const MAX_RUNS = 8

/** Messages of one session that were read together. */
interface Run {
  /** As long as this is unchanged, so are the messages. */
  readonly container: FoundContainer
  readonly messages: Map<string, LocatedRead | undefined>
}

/**
 * Reads the candidates of one search. With a message it reads the next candidates of the same session, so that the file is looked up
 * and opened once. It keeps them only as long as stamps prove that the session's files have not changed.
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

  /** Sets the candidates that come next, in order. */
  expect(candidates: readonly Candidate[]): void {
    this.#expected = candidates
  }

  /** A message as it is now; `undefined` where it is gone or cannot be read, which is reported. @throws StoreError `EXHAUSTED` */
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
    // If the container was found changed meanwhile, part of this may have been read before the change.
    if (container && read && this.#settled.foundAs(session) === container) {
      const [oldest] = this.#runs.keys()
      if (oldest !== undefined && this.#runs.size >= MAX_RUNS) this.#runs.delete(oldest)
      const messages = new Map(read.map((message, at) => [ids[at] ?? "", message]))
      this.#runs.set(session, { container, messages })
    }
    return read?.[0]
  }

  /** The ids of that candidate and of the next ones of its session. */
  #next(session: string, id: string): string[] {
    const ids = this.#expected.flatMap((one) => (one.session === session ? [one.id] : []))
    const at = ids.indexOf(id)
    return at < 0 ? [id] : ids.slice(at, at + READ_AT_ONCE)
  }
}
