import type { PendingMessage } from "../database/text-statements.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { patiently } from "../migrator/patiently.ts"
import type { Reconciler } from "../migrator/reconcile.ts"
import type { Position } from "../record/order.ts"
import { TrigramSet } from "../record/trigrams.ts"
import type { RecordFiles } from "../repository/file-catalog.ts"
import { ProblemLog } from "../repository/problem-log.ts"
import { readMessageDocument } from "./message-texts.ts"

const MESSAGES_AT_ONCE = 32
/** Trigrams put into the index in one transaction, of one message or more: some 4 ms of the event loop. */
const TRIGRAMS_AT_ONCE = 10_000
/** Letters whose trigrams are collected in one go, in UTF-16 units: some 2 ms. */
const LETTERS_AT_ONCE = 500_000
/** Pages of the full-text index merged in one transaction. */
const PAGES_MERGED = 16

export interface CatchUpOptions {
  readonly signal?: AbortSignal | undefined
  readonly onYield?: (() => Promise<void>) | undefined
}

/**
 * Puts the texts of all messages that changed into the full-text index, newest first, in bounded transactions. Killed at any
 * moment it goes on where it was: a message counts as done in the transaction that holds its texts.
 * @throws IndexFailure; the signal's reason
 */
export async function catchUp(
  within: Reconciler,
  files: RecordFiles,
  options: CatchUpOptions = {},
): Promise<number> {
  const slice = new TimeSlice(options.signal, options.onYield)
  const trigrams = new TrigramSet()
  let done = 0
  let refused = false
  const problems = new ProblemLog(({ code }) => {
    refused ||= code === "UNREADABLE"
  })
  for (let before: Position | undefined; ; ) {
    const after = before
    const page = await patiently(() =>
      within.index.read(({ texts }) => texts.pending(after, MESSAGES_AT_ONCE)),
    )
    let batch: { message: PendingMessage; tokens: string | undefined }[] = []
    let size = 0
    const commit = async (): Promise<void> => {
      const rows = batch
      batch = []
      size = 0
      await slice.turn()
      await patiently(() =>
        within.index.write(({ texts }) => {
          for (const { message, tokens } of rows) texts.put(message, tokens)
        }),
      )
      do await slice.turn()
      while (await patiently(() => within.index.write(({ texts }) => texts.mergeInserted(PAGES_MERGED))))
    }
    for (const message of page) {
      await slice.pass()
      refused = false
      const document = await readMessageDocument({ ...files, problems }, message.session, message.id)
      let hasTexts = false
      if (document)
        for await (const { folded } of document.texts) {
          hasTexts = true
          for (let at = 0; at < folded.length; at += LETTERS_AT_ONCE) {
            await slice.pass()
            trigrams.add(folded, at, at + LETTERS_AT_ONCE)
          }
        }
      const { size: more } = trigrams
      const tokens = trigrams.take()
      // What the system refused to read it may give the next time: until then searches look at the files.
      if (refused) continue
      if (batch.length > 0 && size + more > TRIGRAMS_AT_ONCE) await commit()
      batch.push({ message, tokens: hasTexts ? tokens : undefined })
      size += more
      done++
    }
    if (batch.length > 0) await commit()
    before = page.at(-1)
    if (!before || page.length < MESSAGES_AT_ONCE) return done
  }
}
