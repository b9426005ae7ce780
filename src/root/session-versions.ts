import type { Endable } from "./upkeep.ts"

/** A session of a root, and the project folder it lies in. */
export interface SessionPlace {
  readonly project: string
  readonly id: string
}

/**
 * Tells cheaply which sessions may have changed, so that a caller that keeps copies of them need not read the others.
 */
export interface SessionVersions {
  /**
   * Looks for changes everywhere. What `of` tells afterwards is from a moment after this call.
   * @throws the signal's reason
   */
  refresh(options: Endable): Promise<void>
  /**
   * For each of these sessions an opaque text that changes whenever the session, any of its messages and parts, its todos or its diff
   * (`todo`, `session_diff`) changes; `undefined` if changes cannot be told. Ask for it before reading the session, not after.
   * @throws StoreError `EXHAUSTED`; the signal's reason
   */
  of(sessions: readonly SessionPlace[], options: Endable): Promise<readonly (string | undefined)[]>
}
