import type { JsonObject } from "../../record/extract.ts"
import type { Problem } from "../problem-log.ts"
import type { FileMark } from "./follow.ts"
import type { PlacedMessage } from "./record-bodies.ts"

/** A message, and the files that its lines lie in, as they were when they were found there. */
export interface LocatedMessage {
  readonly message: PlacedMessage
  readonly files: readonly FileMark[]
}

/**
 * Where records lie in transcripts. What is asked of one session or message is so by the files as they are
 * now; each `question` is as in the range of a listing.
 */
export interface Lookup {
  /** The projects that sessions are of, the sessions that have messages, or all messages: in the order of `compareText`. */
  folders(kind: "session" | "message"): Promise<readonly string[]>
  /** The sessions of a project, or the messages of a session, in the order of `compareText`. */
  ids(kind: "session" | "message", folder: string): Promise<readonly string[]>
  /** The project of a session, or the sessions that hold a message of that id, in the order of `compareText`. */
  foldersOf(kind: "session" | "message", id: string, question?: object): Promise<readonly string[]>
  /** Bodies of sessions of a project. */
  sessions(
    project: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]>
  /** Messages of a session. */
  messages(
    session: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (LocatedMessage | undefined)[]>
  /** What could not be looked into when everything was looked at last: what is found nowhere may lie there. */
  refused(): readonly Problem[]
}
