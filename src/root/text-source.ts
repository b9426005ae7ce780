import type { Position } from "../record/order.ts"
import type { ParsedQuery } from "../record/search-query.ts"

/** One text of a message, as it is shown and as it is compared. */
export interface MessageText {
  /** `undefined` for what stands in the message itself. */
  readonly partID: string | undefined
  readonly type: string | null
  readonly tool: string | null
  readonly text: string
  readonly folded: string
}

/** What a message says now. */
export interface MessageDocument {
  readonly created: number
  readonly role: string | null
  /** Its own texts, then those of its parts in their order, each part read when its texts are asked for. */
  readonly texts: AsyncGenerator<MessageText>
}

/** A message that may hold what is searched for. */
export interface Candidate extends Position {
  readonly session: string
  /** Which agent wrote the session, of a root that holds those of several. */
  readonly source?: string | undefined
}

/** What a message must be to be a candidate; who cannot tell leaves it out of account. */
export interface CandidateFilter {
  readonly session?: string | undefined
  readonly role?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Only sessions of these agents, of a root that holds those of several. */
  readonly sources?: readonly string[] | undefined
}

/** What of a root's texts can be searched at the moment. */
export interface TextLook {
  /** Whether nothing is missing in it. */
  readonly whole: boolean
  /**
   * Yields every message that may hold what is wanted, newest first (`time`, then id, then session, all descending). Each is looked
   * at again, so there may be too many, but, where the look is whole, never too few.
   * @throws the signal's reason
   */
  candidates(query: ParsedQuery, filter: CandidateFilter, signal?: AbortSignal): AsyncGenerator<Candidate>
  /** A candidate's message, as `TextSource.document`: where several are read at once for less. */
  document?(sessionID: string, messageID: string): Promise<MessageDocument | undefined>
}

/** What a search goes through. */
export interface TextSource {
  /** What of it can be searched. */
  readonly mode: "all" | "titles" | "off"
  /**
   * What can be searched now.
   * @param mayLack be content with an index that lacks something yet, if it can be used at all
   * @param since what was found since then, ms of `performance.now()`, need not be looked at once more
   */
  look(mayLack: boolean, since?: number): Promise<TextLook>
  /** Looks at everything that changed; what cannot be indexed is read by the search itself. @throws the signal's reason */
  refresh(signal?: AbortSignal): Promise<void>
  /** Resolves when a look lacks nothing that is not slow to be had otherwise. @throws the signal's reason */
  makeWhole(signal: AbortSignal): Promise<void>
  /** Sees to the same in the background, where that is wanted. */
  makeWholeLater(): Promise<void>
  /** A message as it is now; `undefined` where it cannot be read. Parts that cannot be read are reported. */
  document(sessionID: string, messageID: string): Promise<MessageDocument | undefined>
}
