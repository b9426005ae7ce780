import type { PartsRead, PartTextIntake } from "../../migrator/part-texts.ts"
import { TrigramSet } from "../../record/trigrams.ts"
import type { TextInsertions } from "./text-insertions.ts"

/** How many messages one transaction puts at most, however short they are. */
const MESSAGES_AT_ONCE = 1_024

/**
 * Puts texts of messages into the full-text index while a walk reads their parts for the rows. Messages with texts of their own, and those
 * whose parts already had rows, are left to the catch-up.
 */
export class PartIntake implements PartTextIntake {
  readonly trigrams = new TrigramSet()
  readonly insertions: TextInsertions
  #waiting: PartsRead[] = []
  #size = 0
  #elapsed = 0

  constructor(insertions: TextInsertions) {
    this.insertions = insertions
  }

  /** How long putting them took, in ms. */
  get elapsedMs(): number {
    return this.#elapsed
  }

  async take(messages: readonly PartsRead[]): Promise<void> {
    for (const message of messages) {
      const isMuch = this.#size + message.size > this.insertions.pace.trigrams
      if ((isMuch && this.#waiting.length > 0) || this.#waiting.length === MESSAGES_AT_ONCE)
        await this.flush()
      this.#waiting.push(message)
      this.#size += message.size
    }
  }

  /** Puts what is still waiting. @throws as `take` */
  async flush(): Promise<void> {
    const messages = this.#waiting
    this.#waiting = []
    this.#size = 0
    if (messages.length === 0) return
    const began = performance.now()
    await this.insertions.put(messages.length, (texts) => texts.putParts(messages))
    this.#elapsed += performance.now() - began
  }
}
