import { fieldsOf, type JsonObject } from "../../record/extract.ts"
import { segmentFault } from "../../record/key.ts"
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

/** A message as a listing has it: its time is that of its place. */
export interface PlacedMessage {
  readonly outlined: OutlinedMessage
  readonly created: number
}

/**
 * Gives messages times by which they stay in the order they were shown in: each its own, or, where the clock was put back or stood
 * still, just so late that it comes after the one before it.
 */
export function placed(
  messages: readonly OutlinedMessage[],
  compare: (a: string, b: string) => number,
): PlacedMessage[] {
  let last = 0
  let lastID = ""
  return messages.map((outlined) => {
    const isBehind =
      outlined.created > last || (outlined.created === last && compare(outlined.id, lastID) > 0)
    const created = isBehind ? outlined.created : compare(outlined.id, lastID) > 0 ? last : last + 1
    last = created
    lastID = outlined.id
    return { outlined, created }
  })
}

/** A message's body and its parts'. */
export function messageBody(
  sessionID: string,
  { outlined, created }: PlacedMessage,
  { info, parts }: TranscriptMessage,
): { info: JsonObject; parts: JsonObject[] } {
  const { id } = outlined
  const isMoved = created !== outlined.created
  return {
    info: {
      ...info,
      ...(isMoved && { metadata: { ...fieldsOf(info.metadata), created: outlined.created } }),
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
