import { wholeDocument } from "../document.ts"
import type { MessageDocument } from "../text-source.ts"
import type { LocatedRead, TranscriptRecords } from "./transcript-records.ts"

/** Messages that are read together have at most this many bytes of lines: some ms of the event loop. */
const RUN_BYTES = 512 * 1024
/** The most messages that are read together. */
const RUN_MESSAGES = 64

/** The identity of a message. */
interface MessageName {
  readonly session: string
  readonly id: string
}

/** Reads messages that will be asked for in a known order, several of one session at once, so that its file is looked up and opened once. */
export class DocumentsAhead {
  readonly #records: TranscriptRecords
  readonly #onRead: (read: LocatedRead) => Promise<void>
  #expected: readonly MessageName[] = []
  #run = new Map<string, LocatedRead | undefined>()

  /** @param onRead called with each message that is asked for and can be read */
  constructor(records: TranscriptRecords, onRead: (read: LocatedRead) => Promise<void>) {
    this.#records = records
    this.#onRead = onRead
  }

  /** Sets the messages that will be asked for next, in order, and forgets what was read before. */
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
