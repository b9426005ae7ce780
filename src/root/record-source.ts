import { StoreError } from "../errors.ts"
import type { JsonObject } from "../record/extract.ts"
import type { Key } from "../record/key.ts"
import type { CollectionKind } from "../record/kind.ts"
import type { Problem } from "./problem-log.ts"

/** Told of a record that cannot be read, by one who asks for it. */
export type Tell = (problem: Problem) => void

/** A place that could not be looked into while a record was looked for: it may lie there. */
export interface Unseen extends Problem {
  /** Whether it is closed to us, which lasts, and not only refused just now. */
  readonly closed?: boolean
  /** What the system said. */
  readonly cause?: unknown
}

/** The error for a record that was found nowhere, though not everything could be looked at. */
export function unseenError({ path, code, message, cause }: Unseen): StoreError {
  return new StoreError(code, `It cannot be looked for everywhere: ${message}`, {
    path,
    cause,
    hint: "It may be there. Check `sessiondex verify` and the folder's permissions.",
  })
}

/** A message with its parts, in their order; none where they were not asked for. */
export interface WholeMessage {
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/**
 * The bodies of a root's records. A record's `folder` is its owner: the project of a session, the session of a message, the
 * message of a part. Every body that is given bears its own id and its owner's. Where something cannot be looked at, that is a
 * reported problem or an error, never an absence. Where that is so for the moment only, since the process or the system has nothing
 * left, it is tried again for a while, without holding the event loop; then every call fails with StoreError `EXHAUSTED`.
 */
export interface RecordSource {
  /** The owners that have records of a kind, in the order of `compareText`; what cannot be listed is reported. */
  folders(kind: CollectionKind): Promise<readonly string[]>
  /**
   * The ids in a folder, readable or not: those of parts in the order of a message, others in that of `compareText`.
   * @param tell told too of what cannot be listed
   */
  ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]>
  /** What counts go by: the ids of a folder, and the names of those files in it whose name is no text, so that they have no id. */
  names(kind: CollectionKind, folder: string): Promise<readonly string[]>
  /**
   * The folders that hold a record of that id, readable or not, in the order of `compareText`.
   * @param tell told of what cannot be looked into, which is reported too: the record may lie there
   * @param question that it is looked for, as in the range of a listing
   */
  foldersOf(
    kind: CollectionKind,
    id: string,
    tell?: (unseen: Unseen) => void,
    question?: object,
  ): Promise<readonly string[]>
  /**
   * Whether there is a record of that id, readable or not; a folder that cannot be looked into is reported, and not said to hold it.
   * @param question that it is looked for, as in the range of a listing
   */
  holds(kind: CollectionKind, folder: string, id: string, question?: object): Promise<boolean>
  /**
   * Bodies for a list, one for each id; `undefined` for what is gone, and, with a reported problem, for what cannot be read.
   * @param tell told too of what cannot be read
   * @param question that they are read for, as in the range of a listing
   */
  read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]>
  /**
   * A message of a conversation that is gone through, with its parts where they are wanted, all as they were at one moment; `undefined` as
   * `read` gives it. Roots without it are asked for one after another.
   * @param question that it is read for, as in the range of a listing
   * @throws StoreError where nothing of the root can be read: a conversation with gaps would look whole
   */
  message?(
    sessionID: string,
    id: string,
    withParts: boolean,
    question?: object,
  ): Promise<WholeMessage | undefined>
  /**
   * A body asked for by name, `undefined` where there is none.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`
   */
  get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined>
  /** The ids of what lies in no owner's folder (`project`, `todo`, `session_diff`, …), in the order of `compareText`. */
  plainIds(kind: string): Promise<readonly string[]>
  /** An object that lies in no owner's folder, for a list; `undefined` as `read` gives it. */
  readPlain(kind: string, id: string): Promise<JsonObject | undefined>
  /**
   * The value under any key, as `["todo", session]`.
   * @throws StoreError `NOT_FOUND`, and as `get`
   */
  value(key: Key): Promise<unknown>
  /**
   * Yields a record's JSON text in pieces, whatever its size.
   * @throws StoreError `NOT_FOUND`, `UNREADABLE`, `NOT_A_FILE`; the signal's reason
   */
  text(key: Key, signal?: AbortSignal): AsyncGenerator<string>
  /**
   * An opaque text that is another one whenever one of these records is; `undefined` where that cannot be told.
   * @throws StoreError `UNREADABLE`, `NOT_A_FILE`; the signal's reason
   */
  version(keys: readonly Key[], signal?: AbortSignal): Promise<string | undefined>
  /** Where a record lies, for people: a path, or a place within one. */
  locate(key: Key): string
}
