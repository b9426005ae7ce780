import type { PendingMessage } from "../../database/text-statements.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { Position } from "../../record/order.ts"
import { TimeSlice } from "../../time-slice.ts"
import { mergeTexts } from "./merge-texts.ts"
import { type ReadDocument, TokenReader } from "./message-tokens.ts"

const MESSAGES_AT_ONCE = 32
/** Trigrams put into the index in one transaction, of one message or more: some 4 ms of the event loop. */
const TRIGRAMS_AT_ONCE = 12_000
/** Transactions that insert between two merges; there is nothing to merge before. */
const INSERTIONS_BETWEEN_MERGES = 8
/** Where so large a share of the index is new, and so many messages, it is merged into one piece. */
const LARGE_SHARE = 0.25
const MANY_MESSAGES = 1_000

export interface CatchUpOptions {
  readonly signal?: AbortSignal | undefined
  readonly onYield?: (() => Promise<void>) | undefined
  /** Told which messages are read next, in their order: for who can read many at once. */
  readonly expect?: ((messages: readonly PendingMessage[]) => void) | undefined
}

/**
 * Puts the texts of all messages that changed into the full-text index, newest first, in bounded transactions. Killed at any
 * moment it goes on where it was: a message counts as done in the transaction that holds its texts.
 * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
 */
export async function catchUp(
  within: Pick<Reconciler, "index">,
  read: ReadDocument,
  options: CatchUpOptions = {},
): Promise<number> {
  const slice = new TimeSlice(options.signal, options.onYield)
  const reader = new TokenReader(read, slice)
  let insertions = 0
  let done = 0
  for (let before: Position | undefined; ; ) {
    const after = before
    const page = await patiently(() =>
      within.index.read(({ texts }) => texts.pending(after, MESSAGES_AT_ONCE)),
    )
    options.expect?.(page)
    let batch: { message: PendingMessage; tokens: string | undefined }[] = []
    let size = 0
    const commit = async (): Promise<void> => {
      const rows = batch
      batch = []
      size = 0
      await slice.turn()
      await patiently(() => within.index.write(({ texts }) => texts.put(rows)))
      if (++insertions % INSERTIONS_BETWEEN_MERGES === 0) await mergeTexts(within.index, slice, "what is due")
    }
    for (const message of page) {
      const read = await reader.read(message.session, message.id)
      // Until it lets itself be read searches look at the files.
      if (!read) continue
      if (batch.length > 0 && size + read.size > TRIGRAMS_AT_ONCE) await commit()
      batch.push({ message, tokens: read.tokens })
      size += read.size
      done++
    }
    if (batch.length > 0) await commit()
    before = page.at(-1)
    if (before && page.length === MESSAGES_AT_ONCE) continue
    if (insertions > 0) await mergeTexts(within.index, slice, "what is due")
    if (done >= MANY_MESSAGES) {
      const all = await patiently(() => within.index.read(({ texts }) => texts.count()))
      if (done >= all * LARGE_SHARE) await mergeTexts(within.index, slice, "all")
    }
    return done
  }
}
