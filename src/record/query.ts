import type { ParsedQuery } from "./search-query.ts"

/** Which sessions, in which order; `undefined` means "any". */
export interface SessionQuery {
  readonly projectID?: string | undefined
  /** A parent's id for its children, `null` for sessions without a parent. */
  readonly parentID?: string | null | undefined
  /** The work tree a session ran in, compared as text. */
  readonly directory?: string | undefined
  readonly archived: "include" | "exclude" | "only"
  /** Only sessions updated at or after this time, ms since 1970. */
  readonly updatedSince?: number | undefined
  /** Only sessions whose title is what this asks for. */
  readonly search?: ParsedQuery | undefined
  readonly order: "updated" | "created"
  readonly direction: "asc" | "desc"
}
