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

/** A full-text table of messages, and what it is made from. */
export interface TextsToCompare {
  readonly index: SqliteIndex
  readonly read: ReadDocument
  /** Called with the messages that are read next, in order. */
  readonly expect?: (messages: readonly IndexedMessage[]) => void
  /** Whether stamps prove that a message and its parts have not changed since their rows were put. */
  readonly isVouchedFor: (message: IndexedMessage) => Promise<boolean>
  readonly locate: (message: IndexedMessage) => string
}

/** The texts of messages in JSON files. */
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
 * Finds where the full-text table of messages differs from the messages: messages whose terms are not those of their texts, although they
 * are not pending and stamps prove them unchanged; and documents that belong to no message. If others change the index meanwhile, what
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
  // A message that no stamp proves will be read and put again anyway.
  for (const message of found.wrong.values())
    if (await texts.isVouchedFor(message)) differences.push({ path: texts.locate(message), kind: "wrong" })
  if (found.areStrays) differences.push({ path: index.health().path ?? "", kind: "integrity" })
  return differences
}

interface Found {
  /** The messages that differ, by their rows. */
  readonly wrong: ReadonlyMap<number, IndexedMessage>
  /** Whether there are documents that belong to no message. */
  readonly areStrays: boolean
}

/** Compares the full-text table with the messages: reads the table once, and then the messages. */
class Look {
  readonly #texts: TextsToCompare
  readonly #reader: TokenReader
  readonly #slice: TimeSlice

  constructor(texts: TextsToCompare, slice: TimeSlice) {
    this.#texts = texts
    this.#reader = new TokenReader(texts.read, slice)
    this.#slice = slice
  }

  /** @param suspects the messages to read; all if `undefined` */
  async at(suspects: ReadonlyMap<number, unknown> | undefined): Promise<Found> {
    const { index } = this.#texts
    const sums = await termSums(index, "texts", this.#slice)
    const wrong = new Map<number, IndexedMessage>()
    for await (const message of this.#messages()) {
      const sum = message.document === null ? 0 : (sums.get(message.document) ?? 0)
      if (message.document !== null) sums.delete(message.document)
      if (suspects && !suspects.has(message.row)) continue
      // A pending message is read by every search, so it cannot be wrong.
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
    // A document must not have an id from before its message's second: a search goes back in time and would pass it.
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
