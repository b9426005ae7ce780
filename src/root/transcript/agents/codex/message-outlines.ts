import { present } from "../../../../record/present.ts"
import type { OutlinedMessage } from "../../agent.ts"
import type { Entry } from "./entries.ts"

/** What a message was outlined by. */
interface By {
  readonly entry: Entry
  readonly root: string | undefined
  readonly mayRun: boolean
  readonly message: OutlinedMessage
}

/**
 * Outlines the messages of a rollout, again each time it has grown. An unchanged message is the same object as before, so that most of a
 * long rollout need not be compared.
 */
export class MessageOutlines {
  readonly #known = new WeakMap<Entry, By>()

  /**
   * @param root the session's work tree
   * @param mayRun whether it is the newest, and its turn is not over
   */
  of(entry: Entry, root: string | undefined, mayRun: boolean): OutlinedMessage {
    const known = this.#known.get(entry)
    if (known && known.root === root && known.mayRun === mayRun && isAsBefore(known, entry))
      return known.message
    const message = messageOf(entry, root, mayRun)
    this.#known.set(entry, { entry: { ...entry }, root, mayRun, message })
    return message
  }
}

/** Whether an entry is unchanged. Values of its fields are replaced, never mutated, except for the list of its lines. */
function isAsBefore({ entry: before, message }: By, entry: Entry): boolean {
  const { spans } = entry
  if (message.spans.length !== spans.length || message.spans.some((span, at) => span !== spans[at]))
    return false
  let fields = 0
  for (const name in entry) {
    fields++
    if (entry[name as keyof Entry] !== before[name as keyof Entry]) return false
  }
  for (const _ in before) fields--
  return fields === 0
}

function messageOf(entry: Entry, root: string | undefined, mayRun: boolean): OutlinedMessage {
  const { id, role, created } = entry
  // Lines are added to an entry's own.
  const spans = [...entry.spans]
  if (role === "user") return { id, created, role, spans }
  const isWhole = entry.isClosed === true || entry.usage !== undefined
  const isOver = !mayRun || (isWhole && !hasOpenCall(entry))
  return {
    id,
    created,
    role,
    spans,
    about: present({
      ...entry.setting,
      root,
      parent: entry.parent,
      usage: entry.usage,
      error: entry.error,
      isReplayed: entry.isReplayed,
      summary: entry.isSummary,
      auto: entry.isAuto,
      mayRun: mayRun || undefined,
      completed: isOver && entry.last > 0 ? entry.last : undefined,
    }),
  }
}

function hasOpenCall({ keys }: Entry): boolean {
  const answered = new Set(
    keys.filter((key) => key.startsWith("r:") || key.startsWith("e:")).map((key) => key.slice(2)),
  )
  return keys.some((key) => key.startsWith("c:") && !answered.has(key.slice(2)))
}
