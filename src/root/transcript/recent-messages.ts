import type { WholeMessage } from "../record-source.ts"
import { placeText } from "./held.ts"
import type { LocatedMessage } from "./lookup.ts"

/** The most messages that are kept, and the most bytes of their lines. */
const MAX_MESSAGES = 64
const MAX_BYTES = 8 * 1024 * 1024

interface Recent {
  readonly message: WholeMessage
  readonly place: string
  readonly bytes: number
}

/** Messages that were just read, because their parts are asked for next. They are valid as long as their lines are the same. */
export class RecentMessages {
  readonly #messages = new Map<string, Recent>()
  #bytes = 0

  /** @param located where the message is now */
  get(located: LocatedMessage): WholeMessage | undefined {
    const recent = this.#messages.get(located.message.id)
    return recent?.place === placeOf(located) ? recent.message : undefined
  }

  put(located: LocatedMessage, message: WholeMessage): void {
    const { id, outlined } = located.message
    this.#drop(id)
    const bytes = outlined.spans.reduce((sum, [, , length]) => sum + length, 0)
    if (bytes > MAX_BYTES) return
    this.#messages.set(id, { message, place: placeOf(located), bytes })
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

/** Where a message is, in which files, and what proves that these have not changed. */
function placeOf({ message, files }: LocatedMessage): string {
  return `${placeText(message)} ${JSON.stringify(files.map(({ path, look, tail }) => [path, look, tail]))}`
}
