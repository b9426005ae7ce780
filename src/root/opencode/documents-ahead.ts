import { wholeDocument } from "../document.ts"
import type { MessageDocument } from "../text-source.ts"
import { groupedDocument } from "./grouped-parts.ts"
import type { MessageName, WholeMessage } from "./message-run.ts"
import type { OpencodeReader } from "./reader.ts"

/** How many bytes of messages are read together; that takes some ms of the event loop. */
const RUN_BYTES = 512 * 1024

/** Reads messages that are asked for in a known order, several in one snapshot; larger ones in groups of their parts. */
export class DocumentsAhead {
  readonly #reader: OpencodeReader
  #expected: readonly MessageName[] = []
  #run = new Map<string, WholeMessage>()

  constructor(reader: OpencodeReader) {
    this.#reader = reader
  }

  /** Says which messages will be asked for next, in order. Forgets what was read before. */
  expect(messages: readonly MessageName[]): void {
    this.#expected = messages
    this.#run = new Map()
  }

  /** A message, read after it was expected; `undefined` if it cannot be read. @throws StoreError if the database cannot be read */
  async document(session: string, id: string): Promise<MessageDocument | undefined> {
    const message = this.#run.get(keyOf({ session, id })) ?? (await this.#readOn(session, id))
    if (!message) return groupedDocument(this.#reader, session, id)
    return message.info && wholeDocument(message.info, message.parts)
  }

  async #readOn(session: string, id: string): Promise<WholeMessage | undefined> {
    const at = this.#expected.findIndex((name) => name.session === session && name.id === id)
    if (at < 0) return undefined
    const run = await this.#reader.messageRun(this.#expected.slice(at), RUN_BYTES)
    this.#run = new Map(run.map((message) => [keyOf(message), message]))
    return run[0]
  }
}

function keyOf({ session, id }: MessageName): string {
  return `${session}/${id}`
}
