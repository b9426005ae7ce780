import type { MessagesAhead } from "./messages-ahead.ts"
import type { SessionsAhead } from "./sessions-ahead.ts"

/** What was read ahead for the next questions. */
export interface ReadAhead {
  readonly ahead: MessagesAhead
  readonly sessions: SessionsAhead
}
