import { TrigramSet } from "../../record/trigrams.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { ProblemLog } from "../problem-log.ts"
import type { RecordFiles } from "./file-catalog.ts"
import { type MessageDocument, readMessageDocument } from "./message-texts.ts"

/** Letters whose trigrams are collected in one go, in UTF-16 units: some 2 ms. */
const LETTERS_AT_ONCE = 500_000

/** What the full-text index is to hold of a message. */
export interface MessageTokens {
  /** As `TrigramSet` spells them, parted by spaces; `undefined` for a message without texts, or one that cannot be read. */
  readonly tokens: string | undefined
  /** How many there are. */
  readonly size: number
}

/** Reads messages as the full-text index is to hold them, in slices. */
export class TokenReader {
  readonly #files: RecordFiles
  readonly #slice: TimeSlice
  readonly #trigrams = new TrigramSet()
  #refused = false

  constructor(files: RecordFiles, slice: TimeSlice) {
    const problems = new ProblemLog(({ code }) => {
      this.#refused ||= code === "UNREADABLE"
    })
    this.#files = { ...files, problems }
    this.#slice = slice
  }

  /** `undefined` where the system refused to read some of it: it may give that the next time. @throws the slice's signal's reason */
  async read(session: string, id: string): Promise<MessageTokens | undefined> {
    await this.#slice.pass()
    this.#refused = false
    const document = await readMessageDocument(this.#files, session, id)
    const hasTexts = document !== undefined && (await this.#collect(document))
    const { size } = this.#trigrams
    const tokens = this.#trigrams.take()
    return this.#refused ? undefined : { tokens: hasTexts ? tokens : undefined, size }
  }

  /** Collects the trigrams of a message's texts; tells whether it has any text. */
  async #collect({ texts }: MessageDocument): Promise<boolean> {
    let any = false
    for await (const { folded } of texts) {
      any = true
      for (let at = 0; at < folded.length; at += LETTERS_AT_ONCE) {
        await this.#slice.pass()
        this.#trigrams.add(folded, at, at + LETTERS_AT_ONCE)
      }
    }
    return any
  }
}
