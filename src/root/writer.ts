import type { Key } from "../record/key.ts"
import type { Problem } from "./problem-log.ts"

/** Changes a record: alters the draft it is given, or returns what is to stand in its place. Synchronous. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that only alters its draft returns nothing
export type Update<T> = (draft: T) => T | void

/** How to write a record. */
export interface WriteOptions {
  /**
   * For a record that is rewritten again and again while a model streams: write at most one version in so many ms. The
   * promise resolves at once but for the first of them; every reader of this store sees the newest version, and
   * `flush()`, `close()` and the end of the process put it on the disk. A process that is killed loses up to so many ms.
   */
  readonly coalesce?: number | undefined
  /**
   * With `coalesce`: go over what another program has made of the record since this store last wrote or read it. By default
   * that is a `CONFLICT`, the file stays as it is, and the version is set aside.
   */
  readonly onConflict?: "replace" | undefined
}

/** A record that may be moved meanwhile, so that its place is found when nobody else can write. */
export interface Sought {
  readonly kind: string
  /** What it throws is what the write throws. */
  find(): Promise<Key>
}

/** What a removal took away, and what it left because it could not be read. */
export interface Removal {
  sessions: number
  messages: number
  parts: number
  /** Todo, diff and share files. */
  sideFiles: number
  readonly left: Problem[]
}

/** A call that can be ended. */
interface Endable {
  readonly signal?: AbortSignal | undefined
}

/** What changes the records of the root that a store writes to. Whatever finds a place looks for it again under the write lock. */
export interface Writer {
  /** Checks that the store can be written to, before anything is looked at. @throws StoreError `READ_ONLY`, `CLOSED` */
  mustBeWritable(): void
  /** Puts a body in a record's place. @throws StoreError `READ_ONLY`, `INVALID_KEY`, `INVALID_RECORD`, `CONFLICT`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `CLOSED`; TypeError */
  write(at: Key | Sought, value: unknown, options?: WriteOptions): Promise<void>
  /** Changes a record atomically. @throws as `write`; StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`; what `change` throws */
  update<T>(at: Key | Sought, change: Update<T>): Promise<T>
  /** Removes one record and nothing below it; tells whether there was one. @throws as `write` */
  remove(key: Key): Promise<boolean>
  /**
   * Writes a session's own record where there is none of it in any project; gives where it lies, or the path of the one that is there.
   * @throws as `write`; StoreError `UNREADABLE` where it cannot be told whether there is one
   */
  writeLost(
    sessionID: string,
    projectID: string,
    body: unknown,
  ): Promise<{ path: string; present: string | undefined }>
  /**
   * Removes a session with all that belongs to it, its own record last, and before it its children.
   * @param childrenOf gives the ids of a session's children
   * @throws as `remove`; the signal's reason
   */
  removeSession(
    sessionID: string,
    childrenOf: (id: string) => Promise<readonly string[]>,
    options: Endable,
  ): Promise<Removal>
  /**
   * Removes a message and its parts, which stay where another session has the message too.
   * @param find looks for it, under the write lock; `undefined` where there is none
   * @throws as `remove`; what `find` throws; the signal's reason
   */
  removeMessage(
    find: () => Promise<{ readonly sessionID: string; readonly id: string } | undefined>,
    options: Endable,
  ): Promise<Removal>
  /**
   * Moves every copy of a session to a project, the newest first; tells whether there was one to be moved.
   * @param newest gives the project of the copy that counts, under the write lock
   * @throws as `write`; StoreError `CONFLICT` where an older copy differs from it
   */
  moveSession(
    sessionID: string,
    projectID: string,
    newest: () => Promise<string | undefined>,
  ): Promise<boolean>
}

/** A removal that has taken nothing yet. */
export function nothingRemoved(): Removal {
  return { sessions: 0, messages: 0, parts: 0, sideFiles: 0, left: [] }
}
