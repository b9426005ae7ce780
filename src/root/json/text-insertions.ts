import type { SqliteIndex } from "../../database/sqlite-index.ts"
import type { TextStatements } from "../../database/text-statements.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { mergeTexts } from "./merge-texts.ts"

/** How much of the full-text index is written in one transaction. */
export interface TextPace {
  /** Trigrams that are put, of one message or more. */
  readonly trigrams: number
  /** Messages that are looked for, read and put at a time, however short they are. */
  readonly messages: number
  /** Pages that are merged. */
  readonly pages: number
  /** Transactions that insert between two looks for what is to be merged: fewer than `crisismerge`, at which FTS5 merges by itself. */
  readonly between: number
}

/** Where others want to get on meanwhile: some 4 ms of the event loop. */
export const AT_EASE: TextPace = { trigrams: 12_000, messages: 64, pages: 8, between: 8 }
/**
 * Where the caller waits for all of it: some 40 ms, less than others wait to get into the index. Larger pieces are merged less often,
 * and many at a time, each of which was half of the work.
 */
export const UNHURRIED: TextPace = { trigrams: 400_000, messages: 1_024, pages: 256, between: 48 }

/** Where so large a share of the index is new, and so many messages, it is merged into one piece. */
const LARGE_SHARE = 0.25
const MANY_MESSAGES = 1_000

/** Puts texts into the full-text index, and merges what that leaves. */
export class TextInsertions {
  readonly pace: TextPace
  readonly #index: SqliteIndex
  readonly #slice: TimeSlice
  #insertions = 0
  #messages = 0

  constructor(index: SqliteIndex, slice: TimeSlice, pace: TextPace) {
    this.#index = index
    this.#slice = slice
    this.pace = pace
  }

  /** Puts so many messages in one transaction. @throws IndexFailure; the slice's signal's reason */
  async put(messages: number, put: (texts: TextStatements) => void): Promise<void> {
    await this.#slice.turn()
    await patiently(() => this.#index.write(({ texts }) => put(texts)))
    this.#messages += messages
    if (++this.#insertions % this.pace.between === 0) await this.#merge("what is due")
  }

  /** Merges what is left to be merged. @throws as `put` */
  async end(): Promise<void> {
    // What is due is among all, and would be written twice.
    if (this.#insertions > 0) await this.#merge((await this.#isLargeShare()) ? "all" : "what is due")
  }

  async #isLargeShare(): Promise<boolean> {
    if (this.#messages < MANY_MESSAGES) return false
    const all = await patiently(() => this.#index.read(({ texts }) => texts.count()))
    return this.#messages >= all * LARGE_SHARE
  }

  #merge(what: "what is due" | "all"): Promise<void> {
    return mergeTexts(this.#index, this.#slice, what, this.pace.pages)
  }
}
