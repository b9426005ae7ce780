import { isStoreError, systemCode } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { placePath } from "../../file/layout.ts"
import { folderRefusal } from "../../file/refusal.ts"
import { RECORD_SUFFIX } from "../../record/key.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { Refusals } from "./bodies.ts"
import { holds, reportRefusals } from "./bodies.ts"
import { folderNames, listedFolders, type RecordFiles } from "./file-catalog.ts"

/** The filter that finds candidates has 2^26 bits, 8 MB. Of a million names about 8,000 look like another name. */
const FILTER_BITS = 26

/**
 * Messages whose id lies in several sessions, as after a session was copied. They share one folder of parts, which stays until the last
 * of them is removed.
 */
export class SharedMessages {
  readonly #files: RecordFiles
  readonly #sessions: ReadonlyMap<string, readonly string[]>
  readonly #unlisted: readonly string[]

  /** @param unlisted sessions whose messages could not be listed, so that they may hold any message */
  constructor(
    files: RecordFiles,
    sessions: ReadonlyMap<string, readonly string[]>,
    unlisted: readonly string[],
  ) {
    this.#files = files
    this.#sessions = sessions
    this.#unlisted = unlisted
  }

  /** Whether the message lay in several sessions when they were looked through. */
  has(message: string): boolean {
    return this.#sessions.has(message + RECORD_SUFFIX)
  }

  /**
   * Whether another session holds the message too, or may hold it where nobody can look.
   * @param gone sessions that no longer count
   */
  isHeldBeside(session: string, message: string, gone?: ReadonlySet<string>): boolean {
    const sessions = this.#sessions.get(message + RECORD_SUFFIX) ?? []
    return [...sessions, ...this.#unlisted].some((other) => {
      if (other === session || gone?.has(other)) return false
      const refusals: Refusals = []
      return holds(this.#files, { kind: "message", folder: other }, message, refusals) || refusals.length > 0
    })
  }
}

/**
 * Looks through the names of all messages, a second time if any may be shared. Memory grows only with the shared ones. Sessions whose
 * messages cannot be listed are reported.
 * @throws StoreError `UNREADABLE` if the folder of all messages cannot be listed; `EXHAUSTED`
 */
export async function findSharedMessages(files: RecordFiles, slice: TimeSlice): Promise<SharedMessages> {
  return look(files, slice, await untilAdmitted(() => listedFolders(files, "message")))
}

/** As `findSharedMessages`, for counting: if the folder of all messages cannot be listed, that is reported and not thrown. */
export async function countSharedMessages(files: RecordFiles, slice: TimeSlice): Promise<SharedMessages> {
  return look(files, slice, await untilAdmitted(() => folderNames(files, "message")))
}

async function look(
  files: RecordFiles,
  slice: TimeSlice,
  folders: readonly string[],
): Promise<SharedMessages> {
  const filter = new Uint32Array(2 ** (FILTER_BITS - 5))
  const sessions = new Map<string, string[]>()
  const unlisted: string[] = []
  const namesIn = async (folder: string): Promise<readonly string[]> => {
    try {
      return await untilAdmitted(() => fileNames(files, folder))
    } catch (error) {
      if (!isStoreError(error) || isExhausted(error)) throw error
      reportRefusals(files, [error])
      unlisted.push(folder)
      return []
    }
  }
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
  return new SharedMessages(files, sessions, [...new Set(unlisted)])
}

/** The names in a session's folder of messages, whatever lies under them. */
function fileNames({ fs, directory }: RecordFiles, folder: string): string[] {
  const path = placePath(directory, { kind: "message", folder })
  try {
    return fs.readNames(path) ?? []
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    throw folderRefusal(path, error)
  }
}
