import type { Position } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"

/** A session's place in a listing: its time by the listing's order, its id, and the folder it lies in. */
export interface SessionEntry extends Position {
  readonly project: string
  /** The body's text where it was asked for and the catalog has it at hand. */
  readonly body?: string | undefined
}

/** A stretch of a listing. */
export interface Range {
  /** Begin behind this position, in the direction of the listing. */
  readonly after?: Position | undefined
  readonly limit?: number | undefined
  /** Whether bodies of sessions are wanted with their places: of few entries, since they are held all at once. */
  readonly bodies?: boolean | undefined
  /** Questions about the same records that share this object are answered from one look at the files, unless something changes. */
  readonly moment?: object | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * What there is, and in which order: all that SQLite is asked for. There are two implementations, one on SQLite that is
 * fast and one on the files that is slow and always right; bodies come from the files whichever answers. The waist is
 * this narrow so that the repositories above are written once and the fallback can change over in mid-listing.
 */
export interface Catalog {
  /** Readable sessions in order; where no project is named, of several copies of one id only the newest. */
  sessions(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>>
  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number>
  /** Readable messages of a session in order of creation, in bounded runs. */
  messages(sessionID: string, direction: "asc" | "desc", range: Range): AsyncGenerator<readonly Position[]>
  /** Message files of a session by name, readable or not. */
  countMessages(sessionID: string): Promise<number>
  /** Of these messages those with parts in which more than one step may end: all but those that are known to have none such. */
  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>>
  /** A folder in which a record of that id may lie; the caller looks whether it does. */
  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined>
}
