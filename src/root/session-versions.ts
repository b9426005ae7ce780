import type { Endable } from "./upkeep.ts"

/** A session of a root, by the folder it lies in. */
export interface SessionPlace {
  readonly project: string
  readonly id: string
}

/**
 * Tells cheaply which sessions may have changed, so that who keeps copies of them need not read the others. A root without it is read.
 */
export interface SessionVersions {
  /**
   * Looks at everything that may have changed since: what `of` tells is of a moment after this call.
   * @throws the signal's reason
   */
  refresh(options: Endable): Promise<void>
  /**
   * For each of these sessions an opaque text that is another one whenever the session itself, any of its messages and parts, or what was
   * planned in it (`todo`, `session_diff`) is; `undefined` where that cannot be told. Ask before reading what it is to vouch for.
   * @throws StoreError `EXHAUSTED`; the signal's reason
   */
  of(sessions: readonly SessionPlace[], options: Endable): Promise<readonly (string | undefined)[]>
}
