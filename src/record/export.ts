import type { Message } from "./message.ts"
import type { Part } from "./part.ts"
import type { Session } from "./session.ts"

/** A message with its parts, in the order they were made. */
export interface MessageWithParts<M = Message, P = Part> {
  info: M
  parts: P[]
}

/** A whole session as opencode's `export` command writes it. */
export interface SessionExport<S = Session, M = Message, P = Part> {
  info: S
  messages: MessageWithParts<M, P>[]
}
