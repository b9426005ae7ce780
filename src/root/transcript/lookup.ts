import type { JsonObject } from "../../record/extract.ts"
import type { Problem } from "../problem-log.ts"
import type { FileMark } from "./follow.ts"
import type { PlacedMessage } from "./record-bodies.ts"

/** A message and the files with its lines, as they were when the lines were found there. */
export interface LocatedMessage {
  readonly message: PlacedMessage
  readonly files: readonly FileMark[]
}

/**
 * Finds where records are in transcripts. Answers about one session or message are true of the files as they are now. `question` is the
 * same as in the range of a listing.
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
  /** What the last sweep could not look into: a record that is found nowhere may be in there. */
  refused(): readonly Problem[]
}
