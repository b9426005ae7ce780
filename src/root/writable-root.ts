import type { Key } from "../record/key.ts"
import type { Root } from "./root.ts"

/** The one root that a store writes to, with the questions that writes ask of it. */
export interface WritableRoot extends Root {
  /** Whether there is a record under that key, readable or not, or one about to be written. If it cannot be looked at, it counts as there. */
  has(key: Key): Promise<boolean>
  /**
   * The project to write a session to: the named one if the session lies there, else another one where it lies; `undefined` if it lies
   * in none.
   * @throws StoreError `UNREADABLE` if it may lie where nobody can look, since a second copy could come of it; `EXHAUSTED`
   */
  folderToWrite(sessionID: string, named: string | undefined): Promise<string | undefined>
  /** The projects that hold a session of that id, in the order of `compareText`. @throws StoreError `EXHAUSTED` */
  projectsOf(sessionID: string): string[]
  /**
   * The path of a session's file, readable or not; `undefined` if there is none in any project.
   * @throws StoreError `UNREADABLE`, `EXHAUSTED` if that cannot be told
   */
  sessionFile(sessionID: string): string | undefined
  /** Yields the keys below a prefix, in the order of their segments. @throws the signal's reason */
  keys(prefix: Key, signal?: AbortSignal): AsyncGenerator<string[]>
}
