import type { Position } from "../record/order.ts"
import type { ParsedQuery } from "../record/search-query.ts"

/** One text of a message, as it is shown and as it is compared. */
export interface MessageText {
  /** `undefined` for a text of the message itself. */
  readonly partID: string | undefined
  readonly type: string | null
  readonly tool: string | null
  readonly text: string
  readonly folded: string
}

/** A message's texts, as they are now. */
export interface MessageDocument {
  readonly created: number
  readonly role: string | null
  /** Yields its own texts, then those of its parts in order; a part may be read only when its texts are asked for. */
  readonly texts: AsyncGenerator<MessageText>
}

/** A message that may match a search. */
export interface Candidate extends Position {
  readonly session: string
  /** Which agent wrote the session, if the root holds sessions of several. */
  readonly source?: string | undefined
}

/** Narrows the candidates of a search. A source that cannot tell one of these may ignore it. */
export interface CandidateFilter {
  readonly session?: string | undefined
  readonly role?: string | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Only sessions of these agents, if the root holds sessions of several. */
  readonly sources?: readonly string[] | undefined
}

/** What can be searched of a root's texts at the moment. */
export interface TextLook {
  /** Whether no text is missing. */
  readonly whole: boolean
  /**
   * Yields every message that may match, newest first (by `time`, then id, then session, all descending). The caller checks each, so
   * there may be too many; if the look is whole, there are never too few.
   * @throws the signal's reason
   */
  candidates(query: ParsedQuery, filter: CandidateFilter, signal?: AbortSignal): AsyncGenerator<Candidate>
  /** A candidate's message, as `TextSource.document`. Set if it is cheaper because several candidates are read at once. */
  document?(sessionID: string, messageID: string): Promise<MessageDocument | undefined>
}

/** What a search goes through. */
export interface TextSource {
  /** Which texts can be searched. */
  readonly mode: "all" | "titles" | "off"
  /**
   * What can be searched now.
   * @param mayLack accept an index that is not complete yet, if it can be used at all
   * @param since a time of `performance.now()`: files that were looked at after it need not be looked at again
   */
  look(mayLack: boolean, since?: number): Promise<TextLook>
  /** Brings the texts up to date with every change. What cannot be indexed is read by the search itself. @throws the signal's reason */
  refresh(signal?: AbortSignal): Promise<void>
  /** Resolves when looks are whole, or when waiting longer would not help, so that the search has to read. @throws the signal's reason */
  makeWhole(signal: AbortSignal): Promise<void>
  /** Does the same in the background, if background indexing is on. */
  makeWholeLater(): Promise<void>
  /** A message as it is now; `undefined` if it cannot be read. Parts that cannot be read are reported. */
  document(sessionID: string, messageID: string): Promise<MessageDocument | undefined>
}
