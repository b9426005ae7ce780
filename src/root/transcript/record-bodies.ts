import { fieldsOf, type JsonObject } from "../../record/extract.ts"
import { segmentFault } from "../../record/key.ts"
import { comparePosition, type Position } from "../../record/order.ts"
import { present } from "../../record/present.ts"
import { partIdOf } from "../part-id.ts"
import type { OutlinedMessage, OutlinedSession, TranscriptMessage } from "./agent.ts"

/** The project of sessions that name no work tree. */
const NO_PROJECT = "global"

/** The id of the project that a work tree is: its folder's name, and a digest of its whole path. */
export function projectOf(directory: string | undefined): string {
  if (!directory) return NO_PROJECT
  const name = directory.replace(/[/\\]+$/, "").match(/[^/\\]*$/)?.[0] ?? ""
  const plain = name
    .replaceAll(/[^\w.-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 64)
  const digest = digestOf(directory).slice(0, 12)
  return plain === "" ? digest : `${plain}-${digest}`
}

/** What nearly all ids are like: they need no closer look. */
const PLAIN_ID = /^[\w-]{1,200}$/

/** An id that can be a name of ours: itself where it can, else a digest of it. */
export function soundId(id: string): string {
  if (PLAIN_ID.test(id)) return id
  return segmentFault(partIdOf(id, 0)) === undefined ? id : digestOf(id)
}

/** A session's body. @param modified when its file was written last, ms: nothing in it can be of a later time */
export function sessionBody(session: OutlinedSession, modified: number, isArchived: boolean): JsonObject {
  const { id, parentID, title, directory, version, body } = session
  const updated = Math.min(Math.max(session.updated, session.created), modified)
  const created = session.created > 0 ? Math.min(session.created, updated) : updated
  return present({
    id,
    version: version ?? "",
    projectID: projectOf(directory),
    directory,
    parentID,
    title: title ?? "Untitled",
    ...body,
    time: present({ created, updated, archived: isArchived ? updated : undefined }),
  })
}

/** Between a session's id and a message's own: no agent has it in either. */
const OF = "~"

/**
 * A message's id: that of its session, and its own, since forks and resumed sessions repeat messages of others under the same ids,
 * with what was changed or cut off since.
 */
export function messageId(session: string, own: string): string {
  return soundId(`${session}${OF}${own}`)
}

/** The session that a message's id names, if it does. */
export function sessionOfMessage(id: string): string | undefined {
  const end = id.indexOf(OF)
  return end > 0 ? id.slice(0, end) : undefined
}

/** A message as a listing has it: its time is that of its place. */
export interface PlacedMessage {
  readonly id: string
  readonly created: number
  readonly outlined: OutlinedMessage
}

/**
 * Gives a session's messages ids, each once, and times by which they stay in the order they were shown in: each its own, or, where the
 * clock was put back or stood still, just so late that it comes after the one before it.
 * @param before what it gave for others, of which the first ones may be the same
 */
export function placed(
  session: string,
  messages: readonly OutlinedMessage[],
  before: readonly PlacedMessage[] = [],
): PlacedMessage[] {
  const other = before.findIndex(({ outlined }, at) => outlined !== messages[at])
  const all = other < 0 ? [...before] : before.slice(0, other)
  const seen = new Set(all.map(({ id }) => id))
  const newest = all.at(-1)
  let last: Position = newest ? { time: newest.created, id: newest.id } : { time: 0, id: "" }
  for (const outlined of messages.slice(all.length)) {
    const id = messageId(session, outlined.id)
    if (seen.has(id)) continue
    seen.add(id)
    const own = { time: outlined.created, id }
    const later = { time: last.time, id }
    if (comparePosition(own, last) > 0) last = own
    else last = comparePosition(later, last) > 0 ? later : { time: last.time + 1, id }
    all.push({ id, created: last.time, outlined })
  }
  return all
}

/** How many bytes the lines of a message have. */
export function bytesOf({ spans }: OutlinedMessage): number {
  return spans.reduce((sum, [, , length]) => sum + Math.max(0, length), 0)
}

/** A message's body and its parts'. */
export function messageBody(
  sessionID: string,
  { id, outlined, created }: PlacedMessage,
  { info, parts }: TranscriptMessage,
): { info: JsonObject; parts: JsonObject[] } {
  const { parentID } = info
  const isMoved = created !== outlined.created
  return {
    info: {
      ...info,
      ...(isMoved && { metadata: { ...fieldsOf(info.metadata), created: outlined.created } }),
      ...(typeof parentID === "string" && { parentID: messageId(sessionID, parentID) }),
      time: { ...fieldsOf(info.time), created },
      id,
      sessionID,
    },
    parts: parts.map((part, at) => ({ ...part, id: partIdOf(id, at), sessionID, messageID: id })),
  }
}

function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32)
}
