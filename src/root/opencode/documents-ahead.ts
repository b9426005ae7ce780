import { wholeDocument } from "../document.ts"
import type { MessageDocument } from "../text-source.ts"
import { groupedDocument } from "./grouped-parts.ts"
import type { MessageName, WholeMessage } from "./message-run.ts"
import type { OpencodeReader } from "./reader.ts"

/** Messages are read together as long as they take no more than this, in bytes: some ms of the event loop. */
const RUN_BYTES = 512 * 1024

/** Reads messages that are asked for in a known order, so many in one snapshot; larger ones by groups of their parts. */
export class DocumentsAhead {
  readonly #reader: OpencodeReader
  #expected: readonly MessageName[] = []
  #run = new Map<string, WholeMessage>()

  constructor(reader: OpencodeReader) {
    this.#reader = reader
  }

  /** Says which messages will be asked for next, in their order. What was read before is forgotten. */
  expect(messages: readonly MessageName[]): void {
    this.#expected = messages
    this.#run = new Map()
  }

  /** A message as it was after it was expected; `undefined` where it cannot be read. @throws StoreError where the database cannot be read */
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
