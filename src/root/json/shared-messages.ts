import { systemCode } from "../../errors.ts"
import { placePath } from "../../file/layout.ts"
import { RECORD_SUFFIX } from "../../record/key.ts"
import type { TimeSlice } from "../../time-slice.ts"
import { holds } from "./bodies.ts"
import { folderNames, type RecordFiles } from "./file-catalog.ts"

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
    return sessions.some(
      (other) =>
        other !== session &&
        !gone?.has(other) &&
        holds(this.#files, { kind: "message", folder: other }, message),
    )
  }
}

/** Looks through the names of all messages, twice where it must; memory grows with the shared ones only. */
export async function findSharedMessages(files: RecordFiles, slice: TimeSlice): Promise<SharedMessages> {
  const folders = folderNames(files, "message")
  const filter = new Uint32Array(2 ** (FILTER_BITS - 5))
  const sessions = new Map<string, string[]>()
  for (const folder of folders) {
    await slice.pass()
    for (const name of fileNames(files, folder)) {
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
      for (const name of fileNames(files, folder)) sessions.get(name)?.push(folder)
    }
  for (const [name, { length }] of sessions) if (length < 2) sessions.delete(name)
  return new SharedMessages(files, sessions)
}

/** The names in a session's folder of messages, whatever they are names of. */
function fileNames({ fs, directory }: RecordFiles, folder: string): string[] {
  try {
    return fs.readNames(placePath(directory, { kind: "message", folder })) ?? []
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    // Listing it reports why it cannot be read.
    return []
  }
}
