import type { MessagesAhead } from "./messages-ahead.ts"
import type { SessionsAhead } from "./sessions-ahead.ts"

/** What was read ahead, for who asks next. */
export interface ReadAhead {
  readonly ahead: MessagesAhead
  readonly sessions: SessionsAhead
}
