import type { FileSystem } from "../../file/system.ts"
import type { WholeMessage } from "../record-source.ts"
import { lookText } from "./look.ts"
import type { LocatedMessage } from "./lookup.ts"

/** Kept at most, and of which lines in all, in bytes. */
const MAX_MESSAGES = 64
const MAX_BYTES = 8 * 1024 * 1024

interface Recent {
  readonly message: WholeMessage
  readonly looks: readonly (readonly [path: string, look: string])[]
  readonly bytes: number
}

/** Messages that were just read, since their parts are asked for right after them: good for as long as their files look the same. */
export class RecentMessages {
  readonly #messages = new Map<string, Recent>()
  #bytes = 0

  get(fs: FileSystem, id: string): WholeMessage | undefined {
    const recent = this.#messages.get(id)
    if (!recent) return undefined
    if (recent.looks.every(([path, look]) => lookText(fs.lstat(path)) === look)) return recent.message
    this.#drop(id)
    return undefined
  }

  put(located: LocatedMessage, message: WholeMessage, looks: ReadonlyMap<string, string>): void {
    const { id, outlined } = located.message
    const { spans } = outlined
    this.#drop(id)
    const bytes = spans.reduce((sum, [, , length]) => sum + length, 0)
    if (bytes > MAX_BYTES) return
    const paths = located.files.map(({ path }) => [path, looks.get(path) ?? ""] as const)
    this.#messages.set(id, { message, looks: paths, bytes })
    this.#bytes += bytes
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= MAX_MESSAGES && this.#bytes <= MAX_BYTES) return
      this.#drop(oldest)
    }
  }

  #drop(id: string): void {
    this.#bytes -= this.#messages.get(id)?.bytes ?? 0
    this.#messages.delete(id)
  }
}
