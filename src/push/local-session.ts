import { foldedTexts, messageColumns, partColumns } from "../postgres/derived.ts"
import type { JsonObject } from "../record/extract.ts"
import type { Tell, WholeMessage } from "../root/record-source.ts"
import type { Root } from "../root/root.ts"
import type { TimeSlice } from "../time-slice.ts"
import { ContentHash } from "./content-hash.ts"
import { publishable } from "./publishable.ts"
import type { SecretCounts } from "./secrets.ts"

/** A part as it is published. */
export interface LocalPart {
  readonly id: string
  readonly type: string | null
  readonly tool: string | null
  readonly text: string
}

/** A message as it is published, with its parts. */
export interface LocalMessage {
  readonly id: string
  readonly created: number
  readonly role: string | null
  readonly text: string
  readonly parts: readonly LocalPart[]
  /** Of the message with its parts, as they are published. */
  readonly hash: string
  /** What a search goes through, folded. */
  readonly folded: () => readonly string[]
  /** About how much memory it takes, in characters. */
  readonly size: number
}

/** How records are made ready to leave the machine. */
export interface Making {
  readonly mask: boolean
  readonly counts: SecretCounts
  readonly slice: TimeSlice
}

const PARTS_AT_ONCE = 32

/** A message of a session, ready to be published; `undefined` where it is gone or cannot be read. What cannot be read is reported. */
export async function localMessage(
  root: Root,
  session: string,
  id: string,
  { mask, counts, slice }: Making,
): Promise<LocalMessage | undefined> {
  await slice.pass()
  const whole = await readWhole(root, session, id)
  if (!whole) return undefined
  const message = publishable("message", whole.info, mask, counts)
  const hash = new ContentHash().add(message.text)
  const bodies: JsonObject[] = []
  const parts: LocalPart[] = []
  let size = message.text.length
  for (const part of whole.parts) {
    const { body, text } = publishable("part", part, mask, counts)
    const partID = String(body.id)
    hash.add(partID, text)
    bodies.push(body)
    parts.push({ id: partID, ...partColumns(body), text })
    size += text.length
  }
  return {
    id,
    ...messageColumns(message.body),
    text: message.text,
    parts,
    hash: hash.end(),
    folded: () => foldedTexts(message.body, bodies),
    size,
  }
}

async function readWhole(root: Root, session: string, id: string): Promise<WholeMessage | undefined> {
  const { records } = root
  if (records.message) return records.message(session, id, true)
  const [info] = await records.read("message", session, [id])
  if (!info) return undefined
  const ids = await records.ids("part", id)
  const parts: JsonObject[] = []
  for (let start = 0; start < ids.length; start += PARTS_AT_ONCE)
    for (const part of await records.read("part", id, ids.slice(start, start + PARTS_AT_ONCE)))
      if (part) parts.push(part)
  return { info, parts }
}

/**
 * Of records that are published and were not read, those that are gone: neither there by name, nor in a folder that cannot be looked into.
 */
export async function goneOf(
  root: Root,
  kind: "message" | "part",
  folder: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (ids.length === 0) return []
  let unseen = false
  const tell: Tell = () => {
    unseen = true
  }
  const there = new Set(await root.records.ids(kind, folder, tell))
  return unseen ? [] : ids.filter((id) => !there.has(id))
}
