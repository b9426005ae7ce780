import type { JsonObject } from "../../../../record/extract.ts"
import type { OutlinedMessage } from "../../agent.ts"
import type { Entry } from "./conversation.ts"

/** What a message's lines do not say of it: see `message.ts`. */
export interface About {
  /** Its place in each of its lines; `null` where the line is the message itself. Absent where all are. */
  readonly at?: readonly (number | null)[]
  /** The work tree. */
  readonly directory?: string
  /** The message that it answers. */
  readonly parent?: string
  readonly isSummary?: boolean
  /** It may be that a tool of it still runs. */
  readonly mayRun?: boolean
}

/** What all messages of a transcript share. */
export interface Surroundings {
  readonly directory: string | undefined
  readonly calls: ReadonlySet<string>
  /** By a call's id, the message that carries its result. */
  readonly answers: ReadonlyMap<string, Entry>
  /** Our id for one of the agent's. */
  readonly ids: (own: string) => string
}

/** What a message is outlined by, beside its entry, which is another object whenever it says something else. */
interface By {
  readonly id: string
  readonly created: number
  readonly role: OutlinedMessage["role"]
  readonly results: readonly Entry[]
  readonly directory?: string | undefined
  readonly parent?: string | undefined
  readonly mayRun?: boolean
}

/**
 * Outlines the messages of a transcript, again each time it has grown. An unchanged message is the same object as before, so that most of
 * a long transcript need not be compared.
 */
export class MessageOutlines {
  readonly #known = new WeakMap<Entry, { readonly by: By; readonly message: OutlinedMessage }>()

  of(entries: readonly Entry[], surroundings: Surroundings): OutlinedMessage[] {
    const { calls, answers, directory, ids } = surroundings
    const messages: OutlinedMessage[] = []
    let parent: string | undefined
    for (const [place, entry] of entries.entries()) {
      const { nature, speaker, isSummary, time } = entry
      // Its results belong to calls of other messages, unless those are lost.
      const isStray = nature === "result" && !entry.answers.some((id) => calls.has(id))
      if (nature === "result" && !isStray) continue
      const id = ids(entry.id)
      // A resume may put the frame first where there was none: it must not seem that all was said after it.
      const next = nature === "frame" ? (entries[place + 1]?.time ?? 0) : 0
      const created = next > 0 ? Math.min(time, next - 1) : time
      if (speaker === "user" && !isSummary && !isStray) {
        if (nature !== "frame") parent = id
        messages.push(this.#message(entry, { id, created, role: "user", results: NO_RESULTS }))
      } else {
        const results = entry.open.length === 0 ? NO_RESULTS : resultsOf(entry, answers)
        const mayRun = place === entries.length - 1 && entry.open.some((call) => !answers.has(call))
        messages.push(
          this.#message(entry, { id, created, role: "assistant", results, directory, parent, mayRun }),
        )
      }
    }
    return messages
  }

  #message(entry: Entry, by: By): OutlinedMessage {
    const known = this.#known.get(entry)
    if (known && isSame(known.by, by)) return known.message
    const message = messageOf(entry, by)
    this.#known.set(entry, { by, message })
    return message
  }
}

const NO_RESULTS: readonly Entry[] = []

/** The messages that carry results of a message's calls. */
function resultsOf({ open }: Entry, answers: Surroundings["answers"]): readonly Entry[] {
  return [...new Set(open.flatMap((id) => answers.get(id) ?? []))]
}

function isSame(a: By, b: By): boolean {
  return (
    a.id === b.id &&
    a.created === b.created &&
    a.role === b.role &&
    a.directory === b.directory &&
    a.parent === b.parent &&
    a.mayRun === b.mayRun &&
    a.results.length === b.results.length &&
    a.results.every((result, at) => result === b.results[at])
  )
}

function messageOf(
  entry: Entry,
  { id, created, role, results, directory, parent, mayRun }: By,
): OutlinedMessage {
  const { isSummary } = entry
  const about: About = {
    ...(directory !== undefined && { directory }),
    ...(parent !== undefined && { parent }),
    ...(role === "assistant" && isSummary && { isSummary }),
    ...(mayRun && { mayRun }),
  }
  const spans = [entry.span, ...results.map(({ span }) => span)]
  return { id, created, role, spans, about: aboutOf(entry, results, about) }
}

function aboutOf(entry: Entry, results: readonly Entry[], about: About): JsonObject | undefined {
  if (entry.at === undefined && results.every(({ at }) => at === undefined))
    return Object.keys(about).length > 0 ? { ...about } : undefined
  return { ...about, at: [entry, ...results].map(({ at }) => at ?? null) }
}
