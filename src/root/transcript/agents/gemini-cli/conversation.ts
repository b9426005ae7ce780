import { isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import type { Span } from "../../agent.ts"
import { type Brief, briefOf } from "./brief.ts"
import { compactionIn, copiesIn } from "./compaction.ts"

/** A message, by the version of it that says most. */
export interface Entry extends Brief {
  readonly id: string
  readonly span: Span
  /** Its place among the elements, where the line gives all messages. */
  readonly at?: number | undefined
  /** It is the summary of what came before it. */
  readonly isSummary?: boolean | undefined
}

/** Messages that were said and that the conversation has left. */
export interface Branch {
  /** By the person, who went back; or by the agent, which gave another list of messages. */
  readonly why: "rewound" | "replaced"
  /** The message after which they came. */
  readonly after?: string | undefined
  readonly ids: readonly string[]
}

/** A conversation as plain JSON. */
export interface ConversationState {
  readonly entries: readonly Entry[]
  readonly shown: readonly string[]
  readonly settled: number
  readonly copies: readonly (readonly [string, string])[]
  readonly branches: readonly Branch[]
  readonly nameless: number
}

/**
 * Which messages there are, in which order, and where each lies. By the reader of release 0.61 (`loadConversationRecord`): a line
 * replaces an earlier one of its id, `$set.messages` sets the list anew, `$rewindTo` drops a message and all after it. But
 * - a version that says less never replaces one that says more: a resume writes all messages without calls, tokens and thoughts; nor does
 *   one that nobody says replace one that somebody does;
 * - a list in which nobody says anything drops nothing: it is how a resume begins, before it gives the others;
 * - notices, commands and the agent's own frame stay where they are: a resume or going back leaves them out of `$set.messages`;
 * - a compaction drops nothing: what it replaces comes before its summary, and the copies it makes are the messages they copy.
 */
export class Conversation {
  readonly #entries: Map<string, Entry>
  readonly #copies: Map<string, string>
  readonly #branches: Branch[]
  #shown: string[]
  readonly #isShown: Set<string>
  /** So many messages came before the newest compaction: no list tells of them any more. */
  #settled: number
  #nameless: number

  constructor(state?: ConversationState) {
    this.#entries = new Map(state?.entries.map((entry) => [entry.id, entry]))
    this.#copies = new Map(state?.copies)
    this.#branches = [...(state?.branches ?? [])]
    this.#shown = [...(state?.shown ?? [])]
    this.#isShown = new Set(this.#shown)
    this.#settled = state?.settled ?? 0
    this.#nameless = state?.nameless ?? 0
  }

  /** A message's own line. */
  say(record: JsonObject, span: Span): void {
    this.#show(this.#keep(this.#nameOf(record), record, span))
  }

  /** Messages in the header of an old file that has become a line. */
  sayAll(elements: readonly unknown[], span: Span): void {
    for (const [id, record, at] of named(elements)) this.#show(this.#keep(id, record, span, at))
  }

  /** `$rewindTo` */
  rewind(id: string): void {
    const at = Math.max(this.#shown.lastIndexOf(this.#resolve(id)), 0)
    this.#leave("rewound", this.#shown.slice(at), this.#shown[at - 1])
    this.#display(this.#shown.slice(0, at))
    this.#settled = Math.min(this.#settled, at)
  }

  /** `$set.messages` */
  replace(elements: readonly unknown[], span: Span): void {
    const list = named(elements)
    const summaryAt = this.#isEmpty() ? undefined : compactionIn(list, (id) => this.#entries.has(id))
    if (summaryAt !== undefined) this.#compact(list, summaryAt, span)
    else this.#rebuild(list, span)
  }

  get shown(): readonly Entry[] {
    return this.#all(this.#shown)
  }

  /** Every message, shown or not. */
  get entries(): Iterable<Entry> {
    return this.#entries.values()
  }

  /** Those of which anything is left that is not shown, each message in the newest that holds it; by their places among all. */
  get branches(): readonly (Branch & { readonly place: number; readonly entries: readonly Entry[] })[] {
    const taken = new Set(this.#isShown)
    return this.#branches
      .map((branch, place) => ({ ...branch, place }))
      .reverse()
      .map((branch) => {
        const own = branch.ids.filter((id) => !taken.has(id))
        for (const id of own) taken.add(id)
        return { ...branch, entries: this.#all([...new Set(own)]) }
      })
      .filter(({ entries }) => entries.some(({ nature }) => nature === "said"))
      .reverse()
  }

  state(): ConversationState {
    return {
      entries: [...this.#entries.values()],
      shown: this.#shown,
      settled: this.#settled,
      copies: [...this.#copies],
      branches: this.#branches,
      nameless: this.#nameless,
    }
  }

  #rebuild(list: readonly Named[], span: Span): void {
    const ids = list.map(([id, record, at]) => this.#keep(this.#resolve(id), record, span, at))
    const isSaid = (id: string) => this.#entries.get(id)?.nature === "said"
    if (!ids.some(isSaid) && this.#shown.some(isSaid)) return

    const settled = this.#shown.slice(0, this.#settled)
    const isSettled = new Set(settled)
    const given = new Set(ids.filter((id) => !isSettled.has(id)))
    const asides = new Map<string | undefined, string[]>()
    const left: string[] = []
    let before: string | undefined
    let after: string | undefined
    for (const id of this.#shown.slice(this.#settled)) {
      if (given.has(id)) before = id
      else if (this.#stays(id)) asides.set(before, [...(asides.get(before) ?? []), id])
      else {
        if (left.length === 0) after = before ?? settled.at(-1)
        left.push(id)
      }
    }
    this.#leave("replaced", left, after)
    const rest = [...given].flatMap((id) => [id, ...(asides.get(id) ?? [])])
    this.#display([...settled, ...(asides.get(undefined) ?? []), ...rest])
  }

  #compact(list: readonly Named[], summaryAt: number, span: Span): void {
    const after = list.slice(summaryAt)
    const copies = copiesIn(
      after.slice(2).map(([id, record]) => ({ id, mark: briefOf(record).mark })),
      this.shown,
    )
    this.#settled = this.#shown.length
    for (const [place, [id, record, at]] of after.entries()) {
      const original = copies.get(id)
      if (original !== undefined) {
        this.#copies.set(id, original)
        continue
      }
      const kept = this.#keep(this.#resolve(id), record, span, at)
      const entry = this.#entries.get(kept)
      if (place === 0 && entry) this.#entries.set(kept, { ...entry, isSummary: true })
      this.#show(kept)
    }
  }

  /** Keeps the better of two versions. @returns the id it is kept by */
  #keep(id: string, record: JsonObject, span: Span, at?: number): string {
    const next: Entry = { ...briefOf(record), id, span, at }
    const known = this.#entries.get(id)
    if (!known) this.#entries.set(id, next)
    else {
      const { time, isSummary } = known
      // The line of its own is the smaller to read, and of lists the oldest.
      const isAsGood = at === undefined ? next.worth >= known.worth : next.worth > known.worth
      const isBetter = isSpoken(next) === isSpoken(known) ? isAsGood : isSpoken(next)
      this.#entries.set(id, { ...(isBetter ? next : known), time: time === 0 ? next.time : time, isSummary })
    }
    return id
  }

  #nameOf({ id }: JsonObject): string {
    if (typeof id === "string" && id !== "") return this.#resolve(id)
    this.#nameless++
    return `nameless-${this.#nameless}`
  }

  #resolve(id: string): string {
    return this.#copies.get(id) ?? id
  }

  #show(id: string): void {
    if (this.#isShown.has(id)) return
    this.#isShown.add(id)
    this.#shown.push(id)
  }

  #display(ids: string[]): void {
    this.#shown = ids
    this.#isShown.clear()
    for (const id of ids) this.#isShown.add(id)
  }

  #leave(why: Branch["why"], ids: readonly string[], after: string | undefined): void {
    if (ids.some((id) => this.#entries.get(id)?.nature === "said")) this.#branches.push({ why, after, ids })
  }

  #stays(id: string): boolean {
    const nature = this.#entries.get(id)?.nature
    return nature === "aside" || nature === "frame"
  }

  #isEmpty(): boolean {
    return !this.#shown.some((id) => this.#entries.get(id)?.nature === "said")
  }

  #all(ids: readonly string[]): readonly Entry[] {
    const entries: Entry[] = []
    for (const id of ids) {
      const entry = this.#entries.get(id)
      if (entry) entries.push(entry)
    }
    return entries
  }
}

/** Whether somebody says it: a version of a message whose type was damaged is no more than a notice. */
function isSpoken({ speaker }: Entry): boolean {
  return speaker !== "notice"
}

/** An element of a list of messages: its id, itself, its place. */
export type Named = readonly [id: string, record: JsonObject, at: number]

/** The elements that are messages; of those with the same id the last, in the place of the first, as the agent reads them. */
function named(elements: readonly unknown[]): readonly Named[] {
  const list = new Map<string, Named>()
  for (const [at, element] of elements.entries())
    if (isJsonObject(element) && typeof element.id === "string" && element.id !== "")
      list.set(element.id, [element.id, element, at])
  return [...list.values()]
}
