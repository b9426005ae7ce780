import type { ReadMessage } from "../../database/text-statements.ts"
import { fold } from "../../record/fold.ts"
import { messageTexts, partTexts } from "../../record/search-text.ts"
import { TrigramSet } from "../../record/trigrams.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { type TextInsertions, UNHURRIED } from "../json/text-insertions.ts"
import type { TranscriptAgent } from "./agent.ts"
import { Garbage } from "./garbage.ts"
import type { Intake, Reading } from "./settling.ts"

/** The most messages that are put in one transaction. */
const MESSAGES_AT_ONCE = 512
/**
 * Puts the texts of messages into the full-text index while their lines are at hand. A message whose lines were not all kept is left to
 * the catch-up that follows.
 */
export class TextIntake implements Intake {
  readonly #agent: TranscriptAgent
  readonly #insertions: TextInsertions
  readonly #slice: TimeSlice
  readonly #trigrams = new TrigramSet()
  #waiting: ReadMessage[] = []
  #size = 0
  readonly #garbage: Garbage | undefined

  constructor(agent: TranscriptAgent, insertions: TextInsertions, slice: TimeSlice) {
    this.#agent = agent
    this.#insertions = insertions
    this.#slice = slice
    // Work that lets others run has nobody waiting for it.
    if (insertions.pace === UNHURRIED) this.#garbage = new Garbage()
  }

  left(bytes: number): void {
    this.#garbage?.left(bytes)
  }

  stepped(bytes: number): void {
    this.#garbage?.stepped(bytes)
  }

  /** @throws IndexFailure; the slice's signal's reason */
  async take({ sessions, mark, lines }: Reading): Promise<void> {
    const { trigrams } = this.#insertions.pace
    for (const { id: session, messages } of sessions)
      for (const message of messages) {
        const values = lines.values(message.outlined.spans)
        if (!values) continue
        const turn = this.#slice.pass()
        if (turn) await turn
        // Order and ids of parts do not matter: the set of trigrams is the same.
        const { info, parts } = this.#agent.message(message.outlined, values)
        let any = false
        for (const text of [...messageTexts(info), ...parts.flatMap(partTexts)]) {
          any = true
          this.#trigrams.add(fold(text))
        }
        const { size } = this.#trigrams
        const tokens = this.#trigrams.take()
        if (this.#waiting.length > 0 && this.#size + size > trigrams) await this.flush()
        const { id, created: time } = message
        this.#waiting.push({
          session,
          id,
          time,
          mark,
          parts: parts.length,
          tokens: any ? tokens : undefined,
        })
        this.#size += size
        if (this.#waiting.length >= MESSAGES_AT_ONCE) await this.flush()
      }
  }

  /** Puts what was taken in last. @throws as `take` */
  async flush(): Promise<void> {
    const messages = this.#waiting
    this.#waiting = []
    this.#size = 0
    if (messages.length > 0) await this.#insertions.put(messages.length, (texts) => texts.putRead(messages))
  }
}
