import { isStoreError, StoreError } from "../errors.ts"
import type { FleetConnection } from "../postgres/connection.ts"
import { sessionColumns } from "../postgres/derived.ts"
import type { RootedEntry } from "../repository/owned-sessions.ts"
import type { Root } from "../root/root.ts"
import { ContentHash } from "./content-hash.ts"
import { goneOf, type LocalMessage, localMessage, type Making } from "./local-session.ts"
import { publishable, publishableValue } from "./publishable.ts"
import { type PublishedSession, publishedMessages, publishedParts, publishedSides } from "./published.ts"

/** How a session differs from what is published of it: what a transaction has to change. */
export interface SessionDiff {
  readonly entry: RootedEntry
  /** What its row has beside its body. */
  readonly columns: ReturnType<typeof sessionColumns>
  /** The session's own body. */
  readonly text: string
  /** Of all that is published of it. */
  readonly hash: string
  /** All messages by id, in order, with their hashes. */
  readonly hashes: Map<string, string>
  /** Those that are new or changed; of a long session only the first ones are kept, the others are read again. */
  readonly changed: readonly (LocalMessage | string)[]
  /** The messages that are published. */
  readonly known: ReadonlyMap<string, string>
  readonly removed: {
    readonly messages: readonly string[]
    /** Of messages that stay, by message. */
    readonly parts: ReadonlyMap<string, readonly string[]>
  }
  /** Todos and diffs that are new or changed, and those that went (`undefined`). */
  readonly sides: ReadonlyMap<string, string | undefined>
  /** All of them, for the hash. */
  readonly allSides: ReadonlyMap<string, string>
  /** How many records are to be written. */
  readonly records: number
}

/** What is beside a session and may leave the machine: shares are secrets. */
const SIDES = ["todo", "session_diff"]
/** Changed messages are kept up to so many characters in all; what is beyond is read again when it is written. */
const KEPT_CHARACTERS = 4 * 1024 * 1024
const PARTS_OF_AT_ONCE = 500

/** Where a session's present state is held against. */
export interface Against {
  readonly fleet: FleetConnection
  readonly machine: string
  readonly published: PublishedSession | undefined
}

/**
 * Reads a session and tells what differs from what is published; `undefined` where it is gone or cannot be read, which is reported then. Only hashes of content tell, never times or counts.
 * @throws StoreError `FLEET_UNAVAILABLE`, and what reading throws; the signal's reason
 */
export async function diffSession(
  entry: RootedEntry,
  { fleet, machine, published }: Against,
  making: Making,
): Promise<SessionDiff | undefined> {
  const { root, id, project } = entry
  const [body] = await root.records.read("session", project, [id])
  if (!body) return undefined
  const session = publishable("session", body, making.mask, making.counts)
  const before = published
    ? await fleet.read((db) => publishedMessages(db, machine, id))
    : new Map<string, string>()
  const hashes = new Map<string, string>()
  const changed: (LocalMessage | string)[] = []
  const localParts = new Map<string, ReadonlySet<string>>()
  let [kept, records] = [0, 1]
  for await (const run of root.catalog.messages(id, "asc", {}))
    for (const position of run) {
      const message = await localMessage(root, id, position.id, making)
      if (!message) continue
      hashes.set(message.id, message.hash)
      const known = before.get(message.id)
      if (known === message.hash) continue
      if (known !== undefined) localParts.set(message.id, new Set(message.parts.map((part) => part.id)))
      records += 1 + message.parts.length
      kept += message.size
      changed.push(kept <= KEPT_CHARACTERS ? message : message.id)
    }
  const missing = [...before.keys()].filter((message) => !hashes.has(message))
  const messages = await goneOf(root, "message", id, missing)
  const parts = await goneParts(root, { fleet, machine, published }, id, localParts)
  const { allSides, sides } = await sidesOf(root, { fleet, machine, published }, id, making)
  return {
    entry,
    columns: sessionColumns(session.body),
    text: session.text,
    hash: hashOf(entry, session.text, hashes, allSides),
    hashes,
    changed,
    known: before,
    removed: { messages, parts },
    sides,
    allSides,
    records: records + sides.size,
  }
}

/** The hash of all that is published of a session. */
export function hashOf(
  { root, project }: RootedEntry,
  text: string,
  messages: ReadonlyMap<string, string>,
  sides: ReadonlyMap<string, string>,
): string {
  const hash = new ContentHash().add(root.source, project, text)
  for (const [id, of] of messages) hash.add("message", id, of)
  for (const [kind, side] of sides) hash.add(kind, side)
  return hash.end()
}

async function goneParts(
  root: Root,
  { fleet, machine }: Against,
  session: string,
  local: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Map<string, readonly string[]>> {
  const gone = new Map<string, readonly string[]>()
  const all = [...local.keys()]
  for (let start = 0; start < all.length; start += PARTS_OF_AT_ONCE) {
    const of = all.slice(start, start + PARTS_OF_AT_ONCE)
    const before = await fleet.read((db) => publishedParts(db, machine, session, of))
    for (const [message, ids] of before) {
      const missing = ids.filter((id) => !local.get(message)?.has(id))
      const really = await goneOf(root, "part", message, missing)
      if (really.length > 0) gone.set(message, really)
    }
  }
  return gone
}

async function sidesOf(
  { records }: Root,
  { fleet, machine, published }: Against,
  session: string,
  { mask, counts }: Making,
): Promise<{ allSides: Map<string, string>; sides: Map<string, string | undefined> }> {
  const before = published
    ? await fleet.read((db) => publishedSides(db, machine, session))
    : new Map<string, string>()
  const allSides = new Map<string, string>()
  const sides = new Map<string, string | undefined>()
  for (const kind of SIDES) {
    const known = before.get(kind)
    let text: string | undefined
    try {
      text = publishableValue(await records.value([kind, session]), mask, counts).text
    } catch (error) {
      if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
      // What cannot be read stays as it was published.
      text = error.code === "NOT_FOUND" ? undefined : known
    }
    if (text !== undefined) allSides.set(kind, text)
    if (text !== known) sides.set(kind, text)
  }
  return { allSides, sides }
}

/**
 * Checks that publishing this takes nothing away that nobody meant to remove. A message or part that is gone was removed on purpose where the
 * session is read from the same place as before, and says itself that it is newer; a truncated copy, or another one, does not.
 * @throws StoreError `CONFLICT`
 */
export function checkNotPoorer(
  { entry, columns, removed }: SessionDiff,
  published: PublishedSession | undefined,
): void {
  const parts = [...removed.parts.values()].reduce((sum, ids) => sum + ids.length, 0)
  if (!published || removed.messages.length + parts === 0) return
  const { source, place } = entry.root
  const isSame = published.source === source && published.place === place
  if (isSame && columns.updated > published.updated) return
  throw new StoreError(
    "CONFLICT",
    `The session lacks ${removed.messages.length} messages and ${parts} parts that are published, and ${
      isSame ? "is no newer" : `was read from ${published.place} before`
    }`,
    {
      path: entry.root.records.locate(["session", entry.project, entry.id]),
      hint: "What is published stays. Push with --force to publish it as it is here.",
    },
  )
}
