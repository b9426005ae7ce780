import { IndexFailure } from "../../database/failure.ts"
import { isStoreError } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { placePath, statPlace } from "../../file/layout.ts"
import { isKnown, sameStamp } from "../../file/stamp.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { Place } from "../../record/kind.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { holds, placesOf, type Refusals } from "./bodies.ts"
import { listedFolders, listedIds, type RecordFiles } from "./file-catalog.ts"
import { findSharedMessages } from "./shared-messages.ts"

/** Tells which of these messages of a session another session holds too, or may hold where nobody can look. */
export type HeldBeside = (session: string, messages: readonly string[]) => Promise<ReadonlySet<string>>

/** How many folders' rows are read together. */
const FOLDERS_AT_ONCE = 512
/** If more folders than this have no proven stamp, or more names are in them, all names are read instead. */
const MOST_FOLDERS = 256
const MOST_NAMES = 100_000

/**
 * Prepares a `HeldBeside`. It takes one stat of each session's folder of messages and reads the names only of folders whose stamp proves
 * nothing, while `findSharedMessages` reads all names. For the other folders the index is asked about each message, and the files decide.
 * @param within `undefined` if there is no index
 * @throws as `findSharedMessages`
 */
export async function lookBeside(
  files: RecordFiles,
  within: Reconciler | undefined,
  slice: TimeSlice,
): Promise<HeldBeside> {
  const untold = within && (await untoldSessions(files, within, slice))
  if (untold) return (session, messages) => heldBeside(files, untold, session, messages)
  const shared = await findSharedMessages(files, slice)
  return async (session, messages) =>
    new Set(messages.filter((message) => shared.isHeldBeside(session, message)))
}

/** What the index cannot tell. */
interface Untold {
  readonly index: Reconciler["index"]
  readonly database: string | undefined
  /** The sessions whose names were read, by the messages named in them. */
  readonly named: ReadonlyMap<string, readonly string[]>
  /** Sessions whose messages could not be listed, so that they may hold any message. */
  readonly unlisted: readonly string[]
}

/** Finds what the index cannot tell; `undefined` if it cannot be asked or tells too little. */
async function untoldSessions(
  files: RecordFiles,
  { index }: Reconciler,
  slice: TimeSlice,
): Promise<Untold | undefined> {
  const folders = await untilAdmitted(() => listedFolders(files, "message"))
  const untold: string[] = []
  let database: string | undefined
  try {
    for (let start = 0; start < folders.length; start += FOLDERS_AT_ONCE) {
      await slice.pass()
      const some = folders.slice(start, start + FOLDERS_AT_ONCE)
      // The rows are read first, so that any later change of a folder shows as another stamp.
      const rows = await index.read(({ directories }) => directories.findAll("message", some))
      database ??= index.database
      if (index.database !== database) return undefined
      const known = new Map(rows.map((row) => [row.name, row]))
      for (const folder of some) {
        const turn = slice.pass()
        if (turn) await turn
        const row = known.get(folder)
        if (!row || !isKnown(row.stamp) || !isAsNoted(files, folder, row.stamp, row.size)) untold.push(folder)
      }
      if (untold.length > MOST_FOLDERS) return undefined
    }
  } catch (error) {
    if (error instanceof IndexFailure) return undefined
    throw error
  }
  const named = new Map<string, string[]>()
  const unlisted: string[] = []
  for (const folder of untold) {
    await slice.pass()
    for (const id of await idsOrNone(files, folder, unlisted)) {
      const sessions = named.get(id)
      if (sessions) sessions.push(folder)
      else named.set(id, [folder])
    }
    if (named.size > MOST_NAMES) return undefined
  }
  return { index, database, named, unlisted }
}

function isAsNoted({ fs, directory }: RecordFiles, folder: string, stamp: Uint8Array, size: number): boolean {
  try {
    const stat = statPlace(fs, placePath(directory, { kind: "message", folder }))
    return stat !== undefined && sameStamp(stamp, size, stat)
  } catch (error) {
    // Reading its names will report it.
    if (!isStoreError(error)) throw error
    return false
  }
}

async function idsOrNone(files: RecordFiles, folder: string, unlisted: string[]): Promise<readonly string[]> {
  try {
    return await untilAdmitted(() => listedIds(files, { kind: "message", folder }))
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    const { path = files.directory, code, message } = error
    files.problems.report({ path, code, message })
    unlisted.push(folder)
    return []
  }
}

async function heldBeside(
  files: RecordFiles,
  { index, database, named, unlisted }: Untold,
  session: string,
  messages: readonly string[],
): Promise<ReadonlySet<string>> {
  let noted: readonly (readonly string[])[] | undefined
  try {
    noted = await index.read((statements) => messages.map((id) => statements.message.folders(id)))
  } catch (error) {
    if (!(error instanceof IndexFailure)) throw error
  }
  // Another index than the one whose stamps were checked may lack something.
  if (index.database !== database) noted = undefined
  const isHeld = (message: string, at: number): boolean => {
    const places: readonly Place[] = noted
      ? [...new Set([...(noted[at] ?? []), ...(named.get(message) ?? []), ...unlisted])].map(
          (folder): Place => ({ kind: "message", folder }),
        )
      : placesOf(files, "message", message)
    return places.some((place) => place.folder !== session && mayHold(files, place, message))
  }
  return await untilAdmitted(() => new Set(messages.filter(isHeld)))
}

function mayHold(files: RecordFiles, place: Place, message: string): boolean {
  const refusals: Refusals = []
  return holds(files, place, message, refusals) || refusals.length > 0
}
