import { fieldsOf, type JsonObject } from "../../record/extract.ts"
import { segmentFault } from "../../record/key.ts"
import { comparePosition, type Position } from "../../record/order.ts"
import { present } from "../../record/present.ts"
import { partIdOf } from "../part-id.ts"
import type { OutlinedMessage, OutlinedSession, TranscriptMessage } from "./agent.ts"

/** The project of sessions without a work tree. */
const NO_PROJECT = "global"

/** The project id of a work tree: its folder's name and a digest of the whole path. */
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

/** Nearly all ids look like this and need no closer look. */
const PLAIN_ID = /^[\w-]{1,200}$/

/** An id that is valid in our store: the id itself if it is valid, else a digest of it. */
export function soundId(id: string): string {
  if (PLAIN_ID.test(id)) return id
  return segmentFault(partIdOf(id, 0)) === undefined ? id : digestOf(id)
}

/** A session's body. @param modified when its file was last written, ms: no time in it counts as later */
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

/** Stands between a session's id and a message's own. No agent uses it in ids. */
const OF = "~"

/**
 * A message's id: its session's and its own. Forks and resumed sessions repeat messages of other sessions under the same ids, sometimes
 * changed or cut short.
 */
export function messageId(session: string, own: string): string {
  return soundId(`${session}${OF}${own}`)
}

/** The session in a message's id, if there is one. */
export function sessionOfMessage(id: string): string | undefined {
  const end = id.indexOf(OF)
  return end > 0 ? id.slice(0, end) : undefined
}

/** A message of a listing. Its time fits its place among the others. */
export interface PlacedMessage {
  readonly id: string
  readonly created: number
  readonly outlined: OutlinedMessage
}

/**
 * Gives a session's messages unique ids, and times that keep them in the order in which they were shown. A message keeps its own time
 * unless the clock stood still or was put back: then it gets one just after the message before it.
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

/** The bytes of a message's lines. */
export function bytesOf({ spans }: OutlinedMessage): number {
  return spans.reduce((sum, [, , length]) => sum + Math.max(0, length), 0)
}

/** The body of a message and those of its parts. */
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
