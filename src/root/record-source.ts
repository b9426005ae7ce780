import { StoreError } from "../errors.ts"
import type { JsonObject } from "../record/extract.ts"
import type { Key } from "../record/key.ts"
import type { CollectionKind } from "../record/kind.ts"
import type { Problem } from "./problem-log.ts"

/** A callback for a record that cannot be read. */
export type Tell = (problem: Problem) => void

/** A place that could not be looked into while looking for a record. The record may lie there. */
export interface Unseen extends Problem {
  /** Whether we have no permission to look, which will stay so; otherwise the system only failed to this time. */
  readonly closed?: boolean
  /** The system's error. */
  readonly cause?: unknown
}

/** The error for a record that was not found, although it may lie where nobody could look. */
export function unseenError({ path, code, message, cause }: Unseen): StoreError {
  return new StoreError(code, `It cannot be looked for everywhere: ${message}`, {
    path,
    cause,
    hint: "It may be there. Check `sessiondex verify` and the folder's permissions.",
  })
}

/** A message with its parts in order; no parts if they were not asked for. */
export interface WholeMessage {
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/**
 * Reads the bodies of a root's records. A record's `folder` is its owner: the project of a session, the session of a message, the
 * message of a part. Every body comes with its own id and its owner's.
 *
 * What cannot be looked at is a reported problem or an error, never taken for absent. If the process or the system is only out of
 * descriptors or memory, a call is retried for a while without holding the event loop; then it fails with StoreError `EXHAUSTED`.
 */
export interface RecordSource {
  /** The owners that have records of a kind, in the order of `compareText`; what cannot be listed is reported. */
  folders(kind: CollectionKind): Promise<readonly string[]>
  /**
   * The ids in a folder, readable or not: parts in the order they were made, other kinds in the order of `compareText`.
   * @param tell also told of what cannot be listed
   */
  ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]>
  /** The names that are counted in a folder: its ids, and the names of files that are not UTF-8 and so have no id. */
  names(kind: CollectionKind, folder: string): Promise<readonly string[]>
  /**
   * The folders that hold a record of that id, readable or not, in the order of `compareText`.
   * @param tell also told of what cannot be looked into: the record may lie there
   * @param question as `Range.question`
   */
  foldersOf(
    kind: CollectionKind,
    id: string,
    tell?: (unseen: Unseen) => void,
    question?: object,
  ): Promise<readonly string[]>
  /**
   * Whether there is a record of that id, readable or not. If the folder cannot be looked into, that is reported, and the answer is
   * `false`.
   * @param question as `Range.question`
   */
  holds(kind: CollectionKind, folder: string, id: string, question?: object): Promise<boolean>
  /**
   * Bodies for a list, one for each id; `undefined` for a record that is gone or that cannot be read, which is reported.
   * @param tell also told of what cannot be read
   * @param question as `Range.question`
   */
  read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]>
  /**
   * A message, with its parts if they are wanted, all from one moment; for going through a conversation. `undefined` as in `read`. In a
   * root without this method the message and its parts are read one after another.
   * @param question as `Range.question`
   * @throws StoreError if nothing of the root can be read, since a conversation with gaps would look whole
   */
  message?(
    sessionID: string,
    id: string,
    withParts: boolean,
    question?: object,
  ): Promise<WholeMessage | undefined>
  /**
   * One body by its id, `undefined` if there is no such record.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`
   */
  get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined>
  /** The ids of a kind without owners' folders (`project`, `todo`, `session_diff`, …), in the order of `compareText`. */
  plainIds(kind: string): Promise<readonly string[]>
  /** One object of such a kind, for a list; `undefined` as in `read`. */
  readPlain(kind: string, id: string): Promise<JsonObject | undefined>
  /**
   * The value under any key, such as `["todo", session]`.
   * @throws StoreError `NOT_FOUND`; as `get`
   */
  value(key: Key): Promise<unknown>
  /**
   * Yields a record's JSON text in pieces, whatever its size.
   * @throws StoreError `NOT_FOUND`, `UNREADABLE`, `NOT_A_FILE`; the signal's reason
   */
  text(key: Key, signal?: AbortSignal): AsyncGenerator<string>
  /**
   * An opaque text that changes whenever one of these records does; `undefined` if changes cannot be told.
   * @throws StoreError `UNREADABLE`, `NOT_A_FILE`; the signal's reason
   */
  version(keys: readonly Key[], signal?: AbortSignal): Promise<string | undefined>
  /** Where a record lies, for people: a path, or a place within a file or database. */
  locate(key: Key): string
}
