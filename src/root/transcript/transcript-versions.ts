import { IndexFailure } from "../../database/failure.ts"
import type { SessionPlace, SessionVersions } from "../session-versions.ts"
import type { Endable } from "../upkeep.ts"
import type { Settled } from "./settled.ts"

/** Versions of sessions, by their files: the looks of these, how far they were read, and the sides that were read. */
export class TranscriptVersions implements SessionVersions {
  readonly #settled: Settled
  /** Whether the last sweep was complete. */
  #isSettled = false

  constructor(settled: Settled) {
    this.#settled = settled
  }

  async refresh({ signal }: Endable): Promise<void> {
    this.#isSettled = false
    try {
      await this.#settled.all({ signal })
      this.#isSettled = true
    } catch (error) {
      // Then everything is read instead.
      if (!(error instanceof IndexFailure)) throw error
    }
  }

  async of(sessions: readonly SessionPlace[], { signal }: Endable): Promise<readonly (string | undefined)[]> {
    const none = sessions.map(() => undefined)
    signal?.throwIfAborted()
    if (!this.#isSettled) return none
    try {
      return await this.#settled.read(({ transcripts }) => {
        const known = new Map<number, string | undefined>()
        const versionOf = (row: number): string | undefined => {
          const container = transcripts.container(row)
          // Without a look it is not known whether the rows equal the files.
          if (!container || container.look === null) return undefined
          const { folder, name, look, marks, sides, format } = container
          const of = [folder, name, Buffer.from(look).toString("hex"), marks, sides, format]
          return new Bun.CryptoHasher("sha256").update(JSON.stringify(of)).digest("base64url")
        }
        return sessions.map(({ id }) => {
          const row = transcripts.holder(id)?.container
          if (row === undefined) return undefined
          if (!known.has(row)) known.set(row, versionOf(row))
          return known.get(row)
        })
      })
    } catch (error) {
      if (!(error instanceof IndexFailure)) throw error
      return none
    }
  }
}
