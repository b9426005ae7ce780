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

/** Messages removed side by side, so that their flushes are shared. */
const MESSAGES_AT_ONCE = 32

/** Messages of a session that is being removed. */
interface Messages {
  /** Listed and not yet looked at. */
  waiting: string[]
  /** Those that stay since they cannot be read. */
  readonly left: Set<string>
}

/** As `Writer.removeSession`. @param within none where there is no index */
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
    // Where nobody can look another session may have it.
    const isShared = refusals.length > 0 || places.some(({ folder }) => folder !== sessionID)
    await removeAt(files, held, sessionID, id, isShared, removal, signal)
    return removal
  })
}

/**
 * Removes some messages of a session; with the last of them, under one hold of the write lock, all else, so that what others
 * write to it meanwhile, and where they move it, is not left behind. Tells whether the session is gone.
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
    // Without its own file nobody would find what is left of it.
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
 * Removes one message of a session, adding to `removal`; with its parts unless they are `shared` with a message of that id in
 * another session.
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
  // Without the message its parts would be nobody's.
  if (unlisted.length > 0) return
  const keys = parts.map((part) => ["part", id, part])
  // Others add to it meanwhile, so what they have is read after the wait.
  const removedParts = await removeReadable(files, held, keys, removal.left, signal)
  removal.parts += removedParts
  if (parts.length > 0) removeEmptied(files, place, removal.left)
  const key = ["message", sessionID, id]
  const removed = await removeReadable(files, held, [key], removal.left, signal)
  removal.messages += removed
}
