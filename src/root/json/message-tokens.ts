import { TrigramSet } from "../../record/trigrams.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { ProblemLog } from "../problem-log.ts"
import type { MessageDocument } from "../text-source.ts"
import type { RecordFiles } from "./file-catalog.ts"
import { readMessageDocument } from "./message-texts.ts"

/** Letters whose trigrams are collected in one go, in UTF-16 units: some 2 ms. */
const LETTERS_AT_ONCE = 500_000

/** What the full-text index is to hold of a message. */
export interface MessageTokens {
  /** As `TrigramSet` gives them; `undefined` for a message without texts, or one that cannot be read. */
  readonly tokens: Uint8Array | undefined
  /** How many there are. */
  readonly size: number
}

/**
 * Reads a message to be indexed; `undefined` where there is none that can be read.
 * @param refused to be called where the system refused to read some of it
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

/** Reads messages as the full-text index is to hold them, in slices. */
export class TokenReader {
  readonly #read: ReadDocument
  readonly #slice: TimeSlice
  readonly #trigrams = new TrigramSet()

  constructor(read: ReadDocument, slice: TimeSlice) {
    this.#read = read
    this.#slice = slice
  }

  /**
   * `undefined` where the system refused to read some of it: it may give that the next time.
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
