import type { BareMessage } from "../database/text-statements.ts"
import type { FieldsResult } from "../file/fields-reader.ts"
import { fold } from "../record/fold.ts"
import { partTexts } from "../record/search-text.ts"
import type { TrigramSet } from "../record/trigrams.ts"

/** What the parts of a message are found by, as they were read for their rows. */
export interface PartsRead extends BareMessage {
  /** How many tokens that are. */
  readonly size: number
}

/** Takes what parts are found by while their rows are put, so that they need not be read once more. */
export interface PartTextIntake {
  /** Those of one message at a time. */
  readonly trigrams: TrigramSet
  /** @throws IndexFailure; the signal's reason */
  take(messages: readonly PartsRead[]): Promise<void>
}

/** Collects what the parts of one message are found by, each as it is read. */
export class PartTexts {
  readonly #trigrams: TrigramSet
  #isWhole = true
  #hasTexts = false

  constructor(trigrams: TrigramSet) {
    this.#trigrams = trigrams
  }

  /** Of a large part only fields are read here, and of what is wrong with one it is for whoever reads it once more to tell. */
  add(result: FieldsResult): void {
    this.#isWhole &&= "text" in result
    if (!this.#isWhole || !("text" in result)) return
    for (const text of partTexts(result.body)) {
      this.#hasTexts = true
      this.#trigrams.add(fold(text))
    }
  }

  /** Gives what was collected; `undefined` where not all parts were read. To be called in any case, before the next message's. */
  take(): Pick<PartsRead, "tokens" | "size"> | undefined {
    const { size } = this.#trigrams
    const tokens = this.#trigrams.take()
    return this.#isWhole ? { tokens: this.#hasTexts ? tokens : undefined, size } : undefined
  }
}
