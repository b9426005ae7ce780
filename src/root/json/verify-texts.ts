import type { IndexedMessage } from "../../database/full-text-statements.ts"
import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { IDS_A_SECOND, secondOf } from "../../database/text-statements.ts"
import { recordPath } from "../../file/layout.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import { sumOf, termSums } from "../../migrator/term-sums.ts"
import { isVouchedFor } from "../../migrator/vouched.ts"
import { tokensIn } from "../../record/trigrams.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { Difference } from "../verify-result.ts"
import type { RecordFiles } from "./file-catalog.ts"
import { fileDocuments, type ReadDocument, TokenReader } from "./message-tokens.ts"

const MESSAGES_AT_ONCE = 500
const MAX_LOOKS = 3

/** A full-text table of messages, and what it is made of. */
export interface TextsToCompare {
  readonly index: SqliteIndex
  readonly read: ReadDocument
  /** Told which messages are read next, in their order. */
  readonly expect?: (messages: readonly IndexedMessage[]) => void
  /** Whether stamps say of a message that nothing of it has changed since its texts were put. */
  readonly isVouchedFor: (message: IndexedMessage) => Promise<boolean>
  readonly locate: (message: IndexedMessage) => string
}

/** The texts of messages that are files. */
export function fileTexts(within: Reconciler, files: RecordFiles): TextsToCompare {
  return {
    index: within.index,
    read: fileDocuments(files),
    isVouchedFor: async ({ session, id }) =>
      (await isVouchedFor(within, { kind: "message", folder: session })) &&
      (await isVouchedFor(within, { kind: "part", folder: id })),
    locate: ({ session, id }) => recordPath(within.directory, { kind: "message", folder: session }, id),
  }
}

/**
 * Where the full-text table of messages differs from what they say: a message that is not found by just what its texts say, though
 * neither its mark nor a stamp says that they are still to be put; documents of no message. While others change the index, what
 * differs is looked at again, up to three times.
 * @throws IndexFailure; the slice's signal's reason
 */
export async function textDifferences(texts: TextsToCompare, slice: TimeSlice): Promise<Difference[]> {
  const { index } = texts
  const version = (): Promise<string> => patiently(() => index.read(({ texts }) => texts.version()))
  const look = new Look(texts, slice)
  let found: Found | undefined
  for (let looks = 1; ; looks++) {
    const before = await version()
    found = await look.at(found?.wrong)
    const isWrong = found.wrong.size > 0 || found.areStrays
    if (!isWrong || looks === MAX_LOOKS || (await version()) === before) break
  }
  const differences: Difference[] = []
  // Where no stamp vouches for it, its texts are put anew all the same.
  for (const message of found.wrong.values())
    if (await texts.isVouchedFor(message)) differences.push({ path: texts.locate(message), kind: "wrong" })
  if (found.areStrays) differences.push({ path: index.health().path ?? "", kind: "integrity" })
  return differences
}

interface Found {
  /** By their rows. */
  readonly wrong: ReadonlyMap<number, IndexedMessage>
  /** Whether there are terms of documents that no message has. */
  readonly areStrays: boolean
}

/** Goes through the full-text table once, and then through the messages. */
class Look {
  readonly #texts: TextsToCompare
  readonly #reader: TokenReader
  readonly #slice: TimeSlice

  constructor(texts: TextsToCompare, slice: TimeSlice) {
    this.#texts = texts
    this.#reader = new TokenReader(texts.read, slice)
    this.#slice = slice
  }

  /** @param suspects the only messages to be read, where not all are */
  async at(suspects: ReadonlyMap<number, unknown> | undefined): Promise<Found> {
    const { index } = this.#texts
    const sums = await termSums(index, "texts", this.#slice)
    const wrong = new Map<number, IndexedMessage>()
    for await (const message of this.#messages()) {
      const sum = message.document === null ? 0 : (sums.get(message.document) ?? 0)
      if (message.document !== null) sums.delete(message.document)
      if (suspects && !suspects.has(message.row)) continue
      // What waits for its texts is looked into by every search.
      if (message.pending === 0 && !(await this.#isRight(message, sum))) wrong.set(message.row, message)
    }
    const left = [...sums.keys()]
    const strays =
      left.length > 0 && (await patiently(() => index.read(({ fullText }) => fullText.notDocuments(left))))
    return { wrong, areStrays: strays && strays.length > 0 }
  }

  async #isRight({ session, id, document, created }: IndexedMessage, sum: number): Promise<boolean> {
    const read = await this.#reader.read(session, id)
    if (!read) return true
    if (read.tokens === undefined || document === null) return read.tokens === undefined && document === null
    // A search that has passed a second does not come back to it.
    if (Math.floor(document / IDS_A_SECOND) < secondOf(created)) return false
    return sum === sumOf(new Set(tokensIn(read.tokens)))
  }

  async *#messages(): AsyncGenerator<IndexedMessage> {
    for (let after = 0; ; ) {
      const page = await patiently(() =>
        this.#texts.index.read(({ fullText }) => fullText.messages(after, MESSAGES_AT_ONCE)),
      )
      this.#texts.expect?.(page)
      yield* page
      const last = page.at(-1)
      if (!last || page.length < MESSAGES_AT_ONCE) return
      after = last.row
    }
  }
}
