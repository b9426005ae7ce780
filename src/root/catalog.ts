import type { Position } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"

/** Where a session comes from, of a root that holds those of several agents and machines. */
export interface SessionOrigin {
  /** Which agent wrote it. */
  readonly source: string
  /** What people call the machine whose copy is read, and those that have one too. */
  readonly machine: string
  readonly alsoOn: readonly string[]
}

/** A session's place in a listing: its time, or value, by the listing's order, its id, and the folder it lies in. */
export interface SessionEntry extends Position {
  readonly project: string
  /** The body's text where it was asked for and the catalog has it at hand. */
  readonly body?: string | undefined
  /** Where the root holds sessions of several agents and machines. */
  readonly from?: SessionOrigin | undefined
}

/** A stretch of a listing. */
export interface Range {
  /** Begin behind this position, in the direction of the listing. */
  readonly after?: Position | undefined
  readonly limit?: number | undefined
  /**
   * Whether bodies of sessions are wanted with their places: of few entries, since they are held all at once; `"some"`, of any number, as far
   * as what is read later would no longer be of the listing's moment, and little is held.
   */
  readonly bodies?: boolean | "some" | undefined
  /** Questions about the same records that share this object are answered from one look at the files, unless something changes. */
  readonly moment?: object | undefined
  /**
   * The question that this is a step of. What was read to prove a file whose stamp proves nothing yet is not read again for another step of
   * the same question: only until the stamp proves it, and while the file looks as it did.
   */
  readonly question?: object | undefined
  readonly signal?: AbortSignal | undefined
}

/** The copy of a session that counts in one root: that of the newest `time.updated`, among equals that of the last project. */
export interface SessionCopy {
  readonly project: string
  readonly updated: number
}

/**
 * What there is in a root, and in which order. A listing equals what lies there at one moment between its call and its answer.
 * The waist is this narrow so that the repositories are written once, whatever a history is kept in.
 */
export interface Catalog {
  /**
   * Readable sessions in order; `where` and `by` of the query, which are about declared fields, are asked of the roots of JSON files
   * alone, and are answered for others from the bodies. Where no project is named, of several copies of one id only the newest.
   */
  sessions(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>>
  /** How many sessions `sessions` would give. */
  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number>
  /**
   * Which of these sessions lie here, in that project or any, readable: what decides, where several roots have one, from
   * which it is read.
   */
  copies(
    ids: readonly string[],
    projectID: string | undefined,
    range: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>>
  /** Readable messages of a session in order of creation, in bounded runs. */
  messages(sessionID: string, direction: "asc" | "desc", range: Range): AsyncGenerator<readonly Position[]>
  /** Messages of a session by name, readable or not. */
  countMessages(sessionID: string): Promise<number>
  /** Of these messages those with parts in which more than one step may end: all but those that are known to have none such. */
  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>>
  /** A folder in which a record of that id may lie, where that can be told at once; the caller looks whether it does. */
  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined>
}
