import type { Key } from "../record/key.ts"
import type { Root } from "./root.ts"

/**
 * The root that a store writes to, of which it has one. What a write asks is answered at once, without a promise, so that it can be
 * taken before its call returns.
 */
export interface WritableRoot extends Root {
  /** Whether there is a record under that key, readable or not, written or about to be. What cannot be looked at is taken to be. */
  has(key: Key): Promise<boolean>
  /**
   * The project to write a session to: the one that is named where it lies there, else another where it lies; `undefined` where it
   * lies in none.
   * @throws StoreError `UNREADABLE` where it may lie where nobody can look: a second copy would come of it; `EXHAUSTED`
   */
  folderToWrite(sessionID: string, named: string | undefined): Promise<string | undefined>
  /** The projects that hold a session of that id, in the order of `compareText`. @throws StoreError `EXHAUSTED` */
  projectsOf(sessionID: string): string[]
  /**
   * The file of a session, readable or not; `undefined` where there is none in any project.
   * @throws StoreError `UNREADABLE`, `EXHAUSTED` where that cannot be told
   */
  sessionFile(sessionID: string): string | undefined
  /** Yields the keys below a prefix in the order of their segments; none where there are none. @throws the signal's reason */
  keys(prefix: Key, signal?: AbortSignal): AsyncGenerator<string[]>
}
