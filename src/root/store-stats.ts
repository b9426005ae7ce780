/** A number of record files and their bytes. */
export interface Amount {
  files: number
  bytes: number
}

/** What belongs to one project; `project` is `null` for records whose session has no file. */
export interface ProjectStats {
  readonly project: string | null
  readonly sessions: Amount
  readonly messages: Amount
  readonly parts: Amount
  /** Todos, diffs and shares. */
  readonly sideFiles: Amount
}

/** What belongs to the sessions that were last updated in one month. */
export interface MonthStats extends Amount {
  /**
   * Such as `2026-11`, by the sessions' `time.updated` in the system's time zone, like the days of `usage`; `null` for what has no
   * session, or a session without a time.
   */
  readonly month: string | null
  /** How many sessions these are. */
  sessions: number
}

/** What lies in a store, and where its bytes are. */
export interface StoreStats {
  /** By kind, in the order session, message, part, project, todo, session_diff, permission, session_share. */
  readonly kinds: Readonly<Record<string, Amount>>
  /** By project, most bytes first. */
  readonly projects: readonly ProjectStats[]
  /** By month, newest first. */
  readonly months: readonly MonthStats[]
  /** The largest records, largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[]
}
