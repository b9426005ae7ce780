import type { BareMessage } from "../database/text-statements.ts"
import type { FieldsResult } from "../file/fields-reader.ts"
import { fold } from "../record/fold.ts"
import { partTexts } from "../record/search-text.ts"
import type { TrigramSet } from "../record/trigrams.ts"

/** The tokens of a message's parts, collected while the parts were read for their rows. */
export interface PartsRead extends BareMessage {
  /** How many tokens there are. */
  readonly size: number
}

/** Takes the tokens of parts while their rows are put, so that the parts need not be read again for searching. */
export interface PartTextIntake {
  /** Holds the trigrams of one message at a time. */
  readonly trigrams: TrigramSet
  /** Takes the tokens of messages whose parts' rows are committed. @throws IndexFailure; the signal's reason */
  take(messages: readonly PartsRead[]): Promise<void>
}

/** Collects the trigrams of one message's parts, as each part is read. */
export class PartTexts {
  readonly #trigrams: TrigramSet
  #isWhole = true
  #hasTexts = false

  constructor(trigrams: TrigramSet) {
    this.#trigrams = trigrams
  }

  /** Adds a part. If only fields were read of it, or it could not be read, the message has to be read again for its texts. */
  add(result: FieldsResult): void {
    this.#isWhole &&= "text" in result
    if (!this.#isWhole || !("text" in result)) return
    for (const text of partTexts(result.body)) {
      this.#hasTexts = true
      this.#trigrams.add(fold(text))
    }
  }

  /** Returns what was collected; `undefined` if not all parts were read. Call it in any case, since it clears the trigrams. */
  take(): Pick<PartsRead, "tokens" | "size"> | undefined {
    const { size } = this.#trigrams
    const tokens = this.#trigrams.take()
    return this.#isWhole ? { tokens: this.#hasTexts ? tokens : undefined, size } : undefined
  }
}
