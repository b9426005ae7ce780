import { wholeDocument } from "../document.ts"
import type { MessageDocument } from "../text-source.ts"
import type { LocatedRead, TranscriptRecords } from "./transcript-records.ts"

/** Messages are read together as long as their lines take no more than this, in bytes: some ms of the event loop. */
const RUN_BYTES = 512 * 1024
/** And so many at the most: where each of them lies is asked for. */
const RUN_MESSAGES = 64

/** Which message. */
interface MessageName {
  readonly session: string
  readonly id: string
}

/** Reads messages that are asked for in a known order, so many of one session at once: its file is looked at and opened once for all. */
export class DocumentsAhead {
  readonly #records: TranscriptRecords
  readonly #onRead: (read: LocatedRead) => Promise<void>
  #expected: readonly MessageName[] = []
  #run = new Map<string, LocatedRead | undefined>()

  /** @param onRead told of each message that is asked for and can be read */
  constructor(records: TranscriptRecords, onRead: (read: LocatedRead) => Promise<void>) {
    this.#records = records
    this.#onRead = onRead
  }

  /** Says which messages will be asked for next, in their order. What was read before is forgotten. */
  expect(messages: readonly MessageName[]): void {
    this.#expected = messages
    this.#run = new Map()
  }

  /**
   * A message as it was after it was expected; `undefined` where it is gone.
   * @param refused called where it cannot be read
   * @throws StoreError `EXHAUSTED`
   */
  async document(session: string, id: string, refused?: () => void): Promise<MessageDocument | undefined> {
    const key = keyOf({ session, id })
    if (!this.#run.has(key) && !(await this.#readOn(session, id))) {
      refused?.()
      return undefined
    }
    const message = this.#run.get(key)
    this.#run.delete(key)
    if (!message) return undefined
    await this.#onRead(message)
    return wholeDocument(message.read.info, message.read.parts)
  }

  async #readOn(session: string, id: string): Promise<boolean> {
    const at = this.#expected.findIndex((name) => name.session === session && name.id === id)
    const ids = at < 0 ? [id] : this.#idsOf(session, at)
    const run = await this.#records.locatedQuietly(session, ids, RUN_BYTES)
    for (const [at, message] of (run ?? []).entries())
      this.#run.set(keyOf({ session, id: ids[at] ?? "" }), message)
    return run !== undefined
  }

  /** The next messages of a session that are expected, from a place on. */
  #idsOf(session: string, from: number): string[] {
    const ids: string[] = []
    for (let at = from; at < this.#expected.length && ids.length < RUN_MESSAGES; at++) {
      const name = this.#expected[at]
      if (name?.session === session) ids.push(name.id)
    }
    return ids
  }
}

function keyOf({ session, id }: MessageName): string {
  return `${session}/${id}`
}
