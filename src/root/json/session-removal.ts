import { untilAdmitted } from "../../exhaustion.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { Key } from "../../record/key.ts"
import { type Place, SESSION_SIDE_KINDS } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Problem } from "../problem-log.ts"
import { nothingRemoved, type Removal } from "../writer.ts"
import { holds, placesOf, type Refusals } from "./bodies.ts"
import type { RecordFiles } from "./file-catalog.ts"
import { type HeldBeside, lookBeside } from "./held-beside.ts"
import type { RecordWriter } from "./record-writer.ts"
import { listedOrLeft, removeEmptied, removeReadable } from "./removal.ts"

/** How many messages are removed in parallel, so that they share flushes. */
const MESSAGES_AT_ONCE = 32

/** The messages of a session that is being removed. */
interface Messages {
  /** Listed and not handled yet. */
  waiting: string[]
  /** Those that stay because they cannot be read. */
  readonly left: Set<string>
}

/** As `Writer.removeSession`. @param within `undefined` if there is no index */
export async function removeSession(
  files: RecordFiles,
  within: Reconciler | undefined,
  writer: RecordWriter,
  id: string,
  childrenOf: (id: string) => Promise<readonly string[]>,
  signal?: AbortSignal,
): Promise<Removal> {
  const beside = await lookBeside(files, within, new TimeSlice(signal))
  const removal = nothingRemoved()
  const seen = new Set<string>()
  const removeTree = async (session: string): Promise<void> => {
    if (seen.has(session)) return
    seen.add(session)
    for (const child of await childrenOf(session)) await removeTree(child)
    const messages: Messages = { waiting: [], left: new Set() }
    while (!(await removeSome(files, writer, session, messages, removal, beside, signal)));
  }
  await removeTree(id)
  return removal
}

/** As `Writer.removeMessage`. */
export function removeMessage(
  files: RecordFiles,
  writer: RecordWriter,
  find: () => Promise<{ readonly sessionID: string; readonly id: string } | undefined>,
  signal?: AbortSignal,
): Promise<Removal> {
  return writer.exclusively(async (held) => {
    const removal = nothingRemoved()
    const found = await find()
    if (!found) return removal
    const { sessionID, id } = found
    const refusals: Refusals = []
    const places = await untilAdmitted(() => {
      refusals.length = 0
      return placesOf(files, "message", id, refusals)
    })
    // If some place cannot be looked into, another session may have the message.
    const isShared = refusals.length > 0 || places.some(({ folder }) => folder !== sessionID)
    await removeAt(files, held, sessionID, id, isShared, removal, signal)
    return removal
  })
}

/**
 * Removes some messages of a session under one hold of the write lock and, with the last of them, everything else. So nothing is left of
 * what others write to the session meanwhile, or of where they move it. Returns whether the removal is finished.
 */
async function removeSome(
  files: RecordFiles,
  writer: RecordWriter,
  id: string,
  messages: Messages,
  removal: Removal,
  beside: HeldBeside,
  signal?: AbortSignal,
): Promise<boolean> {
  const place: Place = { kind: "message", folder: id }
  const unlisted: Problem[] = []
  const list = async (): Promise<string[]> =>
    (await listedOrLeft(files, place, unlisted)).filter((message) => !messages.left.has(message))
  return writer.exclusively(async (held) => {
    signal?.throwIfAborted()
    if (messages.waiting.length === 0) messages.waiting = await list()
    const group = messages.waiting.splice(0, MESSAGES_AT_ONCE)
    const shared = await beside(id, group)
    await Promise.all(
      group.map((message) => removeAt(files, held, id, message, shared.has(message), removal, signal)),
    )
    for (const message of group)
      if (await untilAdmitted(() => holds(files, place, message))) messages.left.add(message)
    if (messages.waiting.length === 0) messages.waiting = await list()
    if (messages.waiting.length > 0) return false
    removeEmptied(files, place, removal.left)
    const remove = (keys: Key[]): Promise<number> => removeReadable(files, held, keys, removal.left, signal)
    removal.sideFiles += await remove(SESSION_SIDE_KINDS.map((kind) => [kind, id]))
    const [refused] = unlisted
    if (refused) removal.left.push(refused)
    // The session's own file stays, since otherwise nobody would find what is left of the session.
    if (refused) return true
    const copies = (await untilAdmitted(() => placesOf(files, "session", id))).map(({ folder }) => [
      "session",
      folder,
      id,
    ])
    if ((await remove(copies)) > 0) removal.sessions++
    return true
  })
}

/**
 * Removes one message of a session and counts it in `removal`. Its parts are removed too, unless a message with the same id in another
 * session shares them.
 * @param held a writer that holds the write lock, so that no part comes after they were listed
 */
async function removeAt(
  files: RecordFiles,
  held: RecordWriter,
  sessionID: string,
  id: string,
  shared: boolean,
  removal: Removal,
  signal?: AbortSignal,
): Promise<void> {
  const place: Place = { kind: "part", folder: id }
  const unlisted: Problem[] = []
  const parts = shared ? [] : await listedOrLeft(files, place, unlisted)
  removal.left.push(...unlisted)
  // The message stays, since otherwise its parts would be orphans.
  if (unlisted.length > 0) return
  const keys = parts.map((part) => ["part", id, part])
  // Awaited first: other removals add to the counts meanwhile, and `+=` with an await would read an old value.
  const removedParts = await removeReadable(files, held, keys, removal.left, signal)
  removal.parts += removedParts
  if (parts.length > 0) removeEmptied(files, place, removal.left)
  const key = ["message", sessionID, id]
  const removed = await removeReadable(files, held, [key], removal.left, signal)
  removal.messages += removed
}
