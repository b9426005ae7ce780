import { TrigramSet } from "../../record/trigrams.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { ProblemLog } from "../problem-log.ts"
import type { MessageDocument } from "../text-source.ts"
import type { RecordFiles } from "./file-catalog.ts"
import { readMessageDocument } from "./message-texts.ts"

/** How much text is turned into trigrams in one step, in UTF-16 units; that takes some 2 ms. */
const LETTERS_AT_ONCE = 500_000

/** The tokens of a message for the full-text index. */
export interface MessageTokens {
  /** The tokens, as `TrigramSet` makes them; `undefined` for a message without texts, or one that cannot be read. */
  readonly tokens: Uint8Array | undefined
  /** How many tokens there are. */
  readonly size: number
}

/**
 * Reads a message to be indexed; `undefined` if it is gone or cannot be read.
 * @param refused called if the system refused to read some of it
 */
export type ReadDocument = (
  session: string,
  id: string,
  refused: () => void,
) => Promise<MessageDocument | undefined>

/** Reads messages from their files. */
export function fileDocuments(files: RecordFiles): ReadDocument {
  return (session, id, refused) => {
    const problems = new ProblemLog(({ code }) => {
      if (code === "UNREADABLE") refused()
    })
    return readMessageDocument({ ...files, problems }, session, id)
  }
}

/** Reads messages and makes their tokens, in slices. */
export class TokenReader {
  readonly #read: ReadDocument
  readonly #slice: TimeSlice
  readonly #trigrams = new TrigramSet()

  constructor(read: ReadDocument, slice: TimeSlice) {
    this.#read = read
    this.#slice = slice
  }

  /**
   * Reads a message; `undefined` if the system refused to read some of it, which may work the next time.
   * @throws StoreError `EXHAUSTED`; the slice's signal's reason
   */
  async read(session: string, id: string): Promise<MessageTokens | undefined> {
    await this.#slice.pass()
    let wasRefused = false
    const document = await this.#read(session, id, () => {
      wasRefused = true
    })
    const hasTexts = document !== undefined && (await this.#collect(document))
    const { size } = this.#trigrams
    const tokens = this.#trigrams.take()
    return wasRefused ? undefined : { tokens: hasTexts ? tokens : undefined, size }
  }

  /** Collects the trigrams of a message's texts. Returns whether it has any text. */
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
