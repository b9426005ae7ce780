import type { DirectoryRow } from "../../database/directory-statements.ts"
import { IndexFailure } from "../../database/failure.ts"
import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { patiently } from "../../migrator/patiently.ts"
import type { OpencodeReader } from "./reader.ts"
import type { ReadBefore, SessionCounts } from "./walk-problems.ts"

/** What is known of a session. */
interface Known {
  readonly stamp: Buffer
  /** How many messages the index has, if that stamp proves them. */
  readonly messages: number | undefined
  /** The row that says that everything was read under that stamp without a problem. */
  readonly sound: DirectoryRow | undefined
}

/**
 * Remembers, in the index of texts, the sessions in which everything could be read: as a folder row of kind `part`, with the session's stamp
 * and, as its size, the `maxRecordBytes` it was read with. It is written only if the row of the session's messages has a proven stamp.
 */
export class SoundSessions implements ReadBefore {
  readonly #index: SqliteIndex
  readonly #bound: number
  readonly #sessions: ReadonlyMap<string, Known>

  private constructor(index: SqliteIndex, bound: number, sessions: ReadonlyMap<string, Known>) {
    this.#index = index
    this.#bound = bound
    this.#sessions = sessions
  }

  /** Loads what is remembered. Load it before reading. @throws IndexFailure; StoreError if the database cannot be read; the signal's reason */
  static async load(
    reader: OpencodeReader,
    index: SqliteIndex,
    signal?: AbortSignal,
  ): Promise<SoundSessions> {
    const sessions = new Map<string, Known>()
    for await (const run of reader.stamps(signal)) {
      const ids = run.map(({ id }) => id)
      const { messages, parts } = await patiently(() =>
        index.read(({ directories }) => ({
          messages: byName(directories.findAll("message", ids)),
          parts: byName(directories.findAll("part", ids)),
        })),
      )
      for (const { id, stamp: text } of run) {
        const stamp = Buffer.from(text)
        const current = (row: DirectoryRow | undefined): DirectoryRow | undefined =>
          row?.stamp && Buffer.compare(row.stamp, stamp) === 0 ? row : undefined
        const listed = current(messages.get(id))
        sessions.set(id, {
          stamp,
          messages: listed?.entries,
          sound: listed && current(parts.get(id)),
        })
      }
    }
    return new SoundSessions(index, reader.maxRecordBytes, sessions)
  }

  find(session: string): SessionCounts | undefined {
    const { messages, sound } = this.#sessions.get(session) ?? {}
    // What was readable with a limit is readable with any larger one.
    if (messages === undefined || !sound || sound.size > this.#bound) return undefined
    return { message: messages, part: sound.entries }
  }

  async note(session: string, { message, part }: SessionCounts): Promise<void> {
    const known = this.#sessions.get(session)
    if (known?.messages !== message) return
    const { stamp } = known
    try {
      await patiently(() =>
        this.#index.write(({ directories }) => {
          const place = { kind: "part", folder: session } as const
          const { id } = directories.find(place) ?? directories.create(place)
          directories.settle(id, { stamp, size: this.#bound, entries: part })
        }),
      )
    } catch (error) {
      // The session is read again the next time.
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  /**
   * The sessions about which something wrong is remembered.
   * @param read the counts of all sessions that were read without a problem
   * @throws as `load`
   */
  async wrong(reader: OpencodeReader, read: ReadonlyMap<string, SessionCounts>): Promise<string[]> {
    const wrong: string[] = []
    for (const [session, { stamp }] of this.#sessions) {
      const known = this.find(session)
      const now = read.get(session)
      if (!known || (now?.message === known.message && now.part === known.part)) continue
      // Only if the session did not change while it was read.
      if (stamp.toString() === (await reader.version([session]))) wrong.push(session)
    }
    return wrong
  }

  /** Forgets a session. @throws IndexFailure */
  async forget(session: string): Promise<void> {
    await patiently(() =>
      this.#index.write(({ directories }) => {
        const row = directories.find({ kind: "part", folder: session })
        if (row) directories.remove(row.id)
      }),
    )
  }
}

function byName(
  rows: readonly (DirectoryRow & { readonly name: string })[],
): Map<string, DirectoryRow & { readonly name: string }> {
  return new Map(rows.map((row) => [row.name, row]))
}
