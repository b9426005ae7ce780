import type { PendingMessage } from "../../database/text-statements.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { Position } from "../../record/order.ts"
import { TimeSlice } from "../../time-slice.ts"
import { type ReadDocument, TokenReader } from "./message-tokens.ts"
import { AT_EASE, TextInsertions, UNHURRIED } from "./text-insertions.ts"

export interface CatchUpOptions {
  readonly signal?: AbortSignal | undefined
  /** Lets other work run between slices. Without it the work is unhurried: the caller waits for all of it. */
  readonly onYield?: (() => Promise<void>) | undefined
  /** Called with the messages that are read next, in order, for a reader that can read many at once. */
  readonly expect?: ((messages: readonly PendingMessage[]) => void) | undefined
  /** Called with how many messages are done, and how many there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** The insertions to go on with, if a walk has put texts before. */
  readonly insertions?: TextInsertions | undefined
}

/**
 * Puts the texts of all pending messages into the full-text index, newest first, in bounded transactions. After a kill it goes on where
 * it was, since a message is marked as done in the transaction that puts its texts. Returns how many were done.
 * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
 */
export async function catchUp(
  within: Pick<Reconciler, "index">,
  read: ReadDocument,
  options: CatchUpOptions = {},
): Promise<number> {
  const slice = new TimeSlice(options.signal, options.onYield)
  const reader = new TokenReader(read, slice)
  const {
    expect,
    onProgress,
    insertions = new TextInsertions(within.index, slice, options.onYield ? AT_EASE : UNHURRIED),
  } = options
  const { messages: atOnce, trigrams } = insertions.pace
  let done = 0
  const total = onProgress ? await patiently(() => within.index.read(({ texts }) => texts.countPending())) : 0
  for (let before: Position | undefined; ; ) {
    const after = before
    const page = await patiently(() => within.index.read(({ texts }) => texts.pending(after, atOnce)))
    expect?.(page)
    let batch: { message: PendingMessage; tokens: Uint8Array | undefined }[] = []
    let size = 0
    const commit = async (): Promise<void> => {
      const rows = batch
      batch = []
      size = 0
      await insertions.put(rows.length, (texts) => texts.put(rows))
    }
    for (const message of page) {
      const read = await reader.read(message.session, message.id)
      // It stays pending until it can be read, so searches read its files.
      if (!read) continue
      if (batch.length > 0 && size + read.size > trigrams) await commit()
      batch.push({ message, tokens: read.tokens })
      size += read.size
      done++
    }
    if (batch.length > 0) await commit()
    if (page.length > 0) onProgress?.(done, Math.max(done, total))
    before = page.at(-1)
    if (before && page.length === atOnce) continue
    await insertions.end()
    return done
  }
}
