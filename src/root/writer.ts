import type { Key } from "../record/key.ts"
import type { Problem } from "./problem-log.ts"

/** Changes a record: alters the draft it is given, or returns a value to replace it. Synchronous. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that only alters its draft returns nothing
export type Update<T> = (draft: T) => T | void

/** How to write a record. */
export interface WriteOptions {
  /**
   * For a record that is rewritten again and again while a model streams: write at most one version in this many ms. The promise of
   * the first version resolves when it is on the disk, those of later ones at once. Every reader of this store sees the newest
   * version, and `flush()`, `close()` and the end of the process write it. A killed process loses the versions of up to this many ms.
   */
  readonly coalesce?: number | undefined
  /**
   * With `coalesce`: overwrite what another program has made of the record since this store last wrote or read it. By default that is
   * a `CONFLICT`: the file stays as it is, and the version is set aside.
   */
  readonly onConflict?: "replace" | undefined
}

/** A record that may be moved meanwhile, so its place is looked for under the write lock. */
export interface Sought {
  readonly kind: string
  /** Finds the record's place. What it throws, the write throws. */
  find(): Promise<Key>
}

/** How many records a removal removed, and what it left because it could not be read. */
export interface Removal {
  sessions: number
  messages: number
  parts: number
  /** Todo, diff and share files. */
  sideFiles: number
  readonly left: Problem[]
}

/** Options of a call that can be aborted. */
interface Endable {
  readonly signal?: AbortSignal | undefined
}

/** Changes the records of the root that a store writes to. A place that was found before is looked for again under the write lock. */
export interface Writer {
  /** Checks that the store can be written to, without looking at any file. @throws StoreError `READ_ONLY`, `CLOSED` */
  mustBeWritable(): void
  /**
   * Writes a record. Resolves when it is on the disk, or as `coalesce` says.
   * @throws StoreError `READ_ONLY`, `INVALID_KEY`, `INVALID_RECORD`, `CONFLICT`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`, `CLOSED`; TypeError
   */
  write(at: Key | Sought, value: unknown, options?: WriteOptions): Promise<void>
  /** Changes a record atomically. @throws as `write`; StoreError `NOT_FOUND`, `CORRUPT`, `TOO_LARGE`; what `change` throws */
  update<T>(at: Key | Sought, change: Update<T>): Promise<T>
  /** Removes one record and nothing below it. Returns whether there was one. @throws as `write` */
  remove(key: Key): Promise<boolean>
  /**
   * Writes a session's own record if no project has one. Returns its path, and in `present` the path of the one that was already there.
   * @throws as `write`; StoreError `UNREADABLE` if it cannot be told whether there is one
   */
  writeLost(
    sessionID: string,
    projectID: string,
    body: unknown,
  ): Promise<{ path: string; present: string | undefined }>
  /**
   * Removes a session: first its children, then all that belongs to it, its own record last.
   * @param childrenOf returns the ids of a session's children
   * @throws as `remove`; the signal's reason
   */
  removeSession(
    sessionID: string,
    childrenOf: (id: string) => Promise<readonly string[]>,
    options: Endable,
  ): Promise<Removal>
  /**
   * Removes a message and its parts. The parts stay if another session has a message with the same id.
   * @param find looks for the message under the write lock; `undefined` if there is none
   * @throws as `remove`; what `find` throws; the signal's reason
   */
  removeMessage(
    find: () => Promise<{ readonly sessionID: string; readonly id: string } | undefined>,
    options: Endable,
  ): Promise<Removal>
  /**
   * Moves every copy of a session to a project, the newest first. Returns whether there was one to move.
   * @param newest returns the project of the newest copy; called under the write lock
   * @throws as `write`; StoreError `CONFLICT` if an older copy differs from the newest
   */
  moveSession(
    sessionID: string,
    projectID: string,
    newest: () => Promise<string | undefined>,
  ): Promise<boolean>
}

/** A removal that has not removed anything yet. */
export function nothingRemoved(): Removal {
  return { sessions: 0, messages: 0, parts: 0, sideFiles: 0, left: [] }
}
