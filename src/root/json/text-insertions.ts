import type { SqliteIndex } from "../../database/sqlite-index.ts"
import type { TextStatements } from "../../database/text-statements.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { mergeTexts } from "./merge-texts.ts"

/** How much of the full-text index one transaction writes. */
export interface TextPace {
  /** How many trigrams are put, of one message or more. */
  readonly trigrams: number
  /** How many messages are read and put at most, however short they are. */
  readonly messages: number
  /** How many pages are merged. */
  readonly pages: number
  /** How many inserting transactions are made between two merges: fewer than `crisismerge`, at which FTS5 merges by itself. */
  readonly between: number
}

/** For background work: a transaction takes some 4 ms of the event loop. */
export const AT_EASE: TextPace = { trigrams: 12_000, messages: 64, pages: 8, between: 8 }
/**
 * For work whose caller waits for all of it: a transaction takes some 40 ms, less than other processes wait for the index. Larger pieces
 * are merged less often and more at a time; with small ones merging was half of the work.
 */
export const UNHURRIED: TextPace = { trigrams: 400_000, messages: 1_024, pages: 256, between: 48 }

/** If at least this share of the index is new, and that is many messages, all of it is merged into one segment. */
const LARGE_SHARE = 0.25
const MANY_MESSAGES = 1_000

/** Puts texts into the full-text index, and merges the segments that this leaves. */
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

  /** Puts messages in one transaction. @param messages how many `put` puts @throws IndexFailure; the slice's signal's reason */
  async put(messages: number, put: (texts: TextStatements) => void): Promise<void> {
    await this.#slice.turn()
    await patiently(() => this.#index.write(({ texts }) => put(texts)))
    this.#messages += messages
    if (++this.#insertions % this.pace.between === 0) await this.#merge("what is due")
  }

  /** Merges what is left to merge. @throws as `put` */
  async end(): Promise<void> {
    // One or the other: merging all includes what is due, which would otherwise be written twice.
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
