import { isStoreError } from "../../errors.ts"
import type { SessionPlace, SessionVersions } from "../session-versions.ts"
import type { Endable } from "../upkeep.ts"
import type { Access } from "./access.ts"
import type { OpencodeReader } from "./reader.ts"
import { PROVEN_AFTER_MS } from "./stamps.ts"

/** Versions of sessions, made from their stamps (`changes.ts`) and their todos. Each is read when it is asked for. */
export class OpencodeVersions implements SessionVersions {
  readonly #reader: OpencodeReader
  readonly #access: Access

  constructor(reader: OpencodeReader, access: Access) {
    this.#reader = reader
    this.#access = access
  }

  async refresh(): Promise<void> {}

  async of(sessions: readonly SessionPlace[], { signal }: Endable): Promise<readonly (string | undefined)[]> {
    const ids = sessions.map(({ id }) => id)
    const none = sessions.map(() => undefined)
    const before = Date.now()
    return this.#access.quietly<readonly (string | undefined)[]>(none, async () => {
      const stamps = await this.#reader.stampsOf(ids, signal)
      const versions: (string | undefined)[] = []
      for (const id of ids) {
        const found = stamps.get(id)
        const isProven = found && before - found.newest >= PROVEN_AFTER_MS
        versions.push(isProven ? `${found.stamp} ${await this.#planned(id)}` : undefined)
      }
      return versions
    })
  }

  /** A session's todos, which its stamp does not include. */
  async #planned(id: string): Promise<string> {
    try {
      return JSON.stringify((await this.#reader.value(["todo", id])) ?? null)
    } catch (error) {
      if (!isStoreError(error) || error.code === "CLOSED") throw error
      return error.code
    }
  }
}
