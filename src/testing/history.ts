import type { JsonObject } from "../record/extract.ts"

/** One record that a root is to hold. Bodies bear the ids of their place, as every root gives them. */
export interface HeldRecord {
  /** The owner: a session's project, a message's session, a part's message. */
  readonly folder: string
  readonly id: string
  readonly body: JsonObject
}

/** What a root is to hold, and what of it is to be told as unreadable. */
export interface History {
  readonly sessions: readonly HeldRecord[]
  readonly messages: readonly HeldRecord[]
  /** In the order of their messages' parts. */
  readonly parts: readonly HeldRecord[]
  /** Records in no owner's folder by kind and id, as `todo` and `project`. */
  readonly plain?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Where `problems()` is to find something, in any order; by default nowhere. */
  readonly problems?: readonly string[]
}

const time = (value: unknown, field: string): number => {
  const times = (value as { time?: Record<string, unknown> }).time
  const found = times?.[field]
  return typeof found === "number" && Number.isFinite(found) ? found : 0
}

/** When a session or message was created, ms since 1970; 0 where it does not say. */
export function createdOf({ body }: HeldRecord): number {
  return time(body, "created")
}

/** When a session was updated; when it was created where it does not say. */
export function updatedOf({ body }: HeldRecord): number {
  const updated = (body as { time?: { updated?: unknown } }).time?.updated
  return typeof updated === "number" ? updated : time(body, "created")
}

/** Compares ids as UTF-8, which is by code points. */
function compareIds(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Orders records by a time, newest first, then by id, last first. */
export function newestFirst(timeOf: (record: HeldRecord) => number) {
  return (a: HeldRecord, b: HeldRecord): number => timeOf(b) - timeOf(a) || compareIds(b.id, a.id)
}

/** Of each session the copy that counts: the newest, among equals that of the last project. */
export function counting(sessions: readonly HeldRecord[]): HeldRecord[] {
  const better = (a: HeldRecord, b: HeldRecord): number =>
    updatedOf(b) - updatedOf(a) || compareIds(b.folder, a.folder)
  return sessions.filter((one) => sessions.filter(({ id }) => id === one.id).sort(better)[0] === one)
}

/** The messages of a session, oldest first. */
export function messagesOf(history: History, session: string): HeldRecord[] {
  return history.messages
    .filter(({ folder }) => folder === session)
    .sort(newestFirst(createdOf))
    .reverse()
}

/** The bodies of a message's parts, in their order. */
export function partsOf(history: History, message: string): JsonObject[] {
  return history.parts.filter(({ folder }) => folder === message).map(({ body }) => body)
}
