import { systemCode } from "../../errors.ts"
import { untilAdmitted } from "../../exhaustion.ts"
import { placePath } from "../../file/layout.ts"
import { folderRefusal } from "../../file/refusal.ts"
import { RECORD_SUFFIX } from "../../record/key.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { Refusals } from "./bodies.ts"
import { holds } from "./bodies.ts"
import { listedFolders, type RecordFiles, reporting } from "./file-catalog.ts"

/** Bits of the filter that finds candidates: 8 MB, in which of a million names 8,000 look like another. */
const FILTER_BITS = 26

/**
 * Messages whose id lies in several sessions, as those of a copied session do. They share the one folder of parts that there is
 * for the id, so it stays until the last of them goes.
 */
export class SharedMessages {
  readonly #files: RecordFiles
  readonly #sessions: ReadonlyMap<string, readonly string[]>

  constructor(files: RecordFiles, sessions: ReadonlyMap<string, readonly string[]>) {
    this.#files = files
    this.#sessions = sessions
  }

  /** Whether it lay in several when they were looked for. */
  has(message: string): boolean {
    return this.#sessions.has(message + RECORD_SUFFIX)
  }

  /** Whether another session holds the message too. @param gone sessions that do not count any more */
  isHeldBeside(session: string, message: string, gone?: ReadonlySet<string>): boolean {
    const sessions = this.#sessions.get(message + RECORD_SUFFIX) ?? []
    return sessions.some((other) => {
      if (other === session || gone?.has(other)) return false
      const refusals: Refusals = []
      // It lay there; where nobody can look it may still.
      return holds(this.#files, { kind: "message", folder: other }, message, refusals) || refusals.length > 0
    })
  }
}

/**
 * Looks through the names of all messages, twice where it must; memory grows with the shared ones only.
 * @throws StoreError `UNREADABLE` where not all of them can be listed: the parts of another session's message would pass for those of
 * one alone; `EXHAUSTED`
 */
export async function findSharedMessages(files: RecordFiles, slice: TimeSlice): Promise<SharedMessages> {
  return new SharedMessages(files, await look(files, slice))
}

/** As `findSharedMessages`, where nothing is lost by those that are missed: folders that cannot be listed are reported. */
export async function countSharedMessages(files: RecordFiles, slice: TimeSlice): Promise<SharedMessages> {
  const listed = (list: () => string[]): string[] => reporting(files, list, [])
  return new SharedMessages(files, await look(files, slice, listed))
}

async function look(
  files: RecordFiles,
  slice: TimeSlice,
  listed: (list: () => string[]) => string[] = (list) => list(),
): Promise<Map<string, string[]>> {
  const namesIn = (folder: string): string[] | Promise<string[]> =>
    untilAdmitted(() => listed(() => fileNames(files, folder)))
  const folders = await untilAdmitted(() => listed(() => listedFolders(files, "message")))
  const filter = new Uint32Array(2 ** (FILTER_BITS - 5))
  const sessions = new Map<string, string[]>()
  for (const folder of folders) {
    await slice.pass()
    for (const name of await namesIn(folder)) {
      const bit = Bun.hash.crc32(name) >>> (32 - FILTER_BITS)
      const word = filter[bit >>> 5] ?? 0
      const mask = 1 << (bit & 31)
      if ((word & mask) !== 0) sessions.set(name, [])
      filter[bit >>> 5] = word | mask
    }
  }
  if (sessions.size > 0)
    for (const folder of folders) {
      await slice.pass()
      for (const name of await namesIn(folder)) sessions.get(name)?.push(folder)
    }
  for (const [name, { length }] of sessions) if (length < 2) sessions.delete(name)
  return sessions
}

/** The names in a session's folder of messages, whatever they are names of. */
function fileNames({ fs, directory }: RecordFiles, folder: string): string[] {
  const path = placePath(directory, { kind: "message", folder })
  try {
    return fs.readNames(path) ?? []
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    throw folderRefusal(path, error)
  }
}
