import type { Position } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"

/** Where a session comes from, in a root that holds sessions of several agents and machines. */
export interface SessionOrigin {
  /** Which agent wrote it. */
  readonly source: string
  /** The name of the machine whose copy is read. */
  readonly machine: string
  /** The names of the other machines that have a copy. */
  readonly alsoOn: readonly string[]
}

/** A session's position in a listing, and the project folder it lies in. */
export interface SessionEntry extends Position {
  readonly project: string
  /** The body's text, if it was asked for and the catalog has it at hand. */
  readonly body?: string | undefined
  /** Set if the root holds sessions of several agents and machines. */
  readonly from?: SessionOrigin | undefined
}

/** Which part of a listing is asked for, and how. */
export interface Range {
  /** Begin after this position, in the direction of the listing (exclusive). */
  readonly after?: Position | undefined
  readonly limit?: number | undefined
  /**
   * Whether the bodies of sessions are wanted too. `true` is for few entries, since all bodies are held at once. `"some"` is for any
   * number: the catalog gives bodies only if one read later could be from another moment than the listing, and only as many as
   * take little memory.
   */
  readonly bodies?: boolean | "some" | undefined
  /** Questions that share this object are answered from one look at the files, unless something changes in between. */
  readonly moment?: object | undefined
  /**
   * Identifies the question that this call is a step of. A file whose stamp is not proven yet is read to check it; steps of the same
   * question share that check, until the stamp is proven and as long as the file's stat stays the same.
   */
  readonly question?: object | undefined
  readonly signal?: AbortSignal | undefined
}

/** The copy of a session that counts in one root: the one with the newest `time.updated`; among equals, in the last project by name. */
export interface SessionCopy {
  readonly project: string
  readonly updated: number
}

/**
 * Lists what there is in a root, in order. A listing equals what lies there at one moment between the call and its answer.
 * The interface is narrow so that the repositories are written once, whatever a history is kept in.
 */
export interface Catalog {
  /**
   * Readable sessions in the query's order. If no project is named, only the newest of several copies of one id. Only roots of JSON
   * files are asked with `where` and `by` (declared fields); for other roots `fieldsByReading` answers them from the bodies.
   */
  sessions(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>>
  /** How many sessions `sessions` would list. */
  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number>
  /**
   * The copies of those of these sessions that are readable here, in that project or, if it is `undefined`, in any. If several roots have a
   * session, this decides from which it is read.
   */
  copies(
    ids: readonly string[],
    projectID: string | undefined,
    range: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>>
  /** Yields the readable messages of a session in order of creation, in runs of bounded length. */
  messages(sessionID: string, direction: "asc" | "desc", range: Range): AsyncGenerator<readonly Position[]>
  /** How many messages a session has by their names, readable or not. */
  countMessages(sessionID: string): Promise<number>
  /** Those of these messages in whose parts more than one step may end: all except those that are known to have one at most. */
  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>>
  /** The folder in which a record of that id probably lies, if that is known at once. The caller has to check. */
  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined>
}
