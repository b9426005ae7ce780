import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { ContainerName, Fold, Line, OutlinedMessage, OutlinedSession, Sides } from "../../agent.ts"
import { firstWords } from "../../first-words.ts"
import { Names } from "../../names.ts"
import { soundId } from "../../record-bodies.ts"
import { elementsOf, isFrame, timeOf, wordsOf } from "./content.ts"
import { Conversation, type ConversationState, type Entry } from "./conversation.ts"
import { Header, type HeaderState } from "./header.ts"
import { workTreeOf } from "./work-tree.ts"

interface FoldState {
  readonly header: HeaderState
  readonly conversation: ConversationState
  readonly title?: string | undefined
  readonly command?: string | undefined
  readonly workspace?: string | undefined
}

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

/** Of the frame that the agent puts before a conversation: the first of its workspace's folders. */
const WORKSPACE = /\*\*Workspace Directories:\*\*\s*\n\s*- ([^\n]+)/

/** A transcript of Gemini CLI, line by line. */
export class GeminiFold implements Fold {
  readonly #name: ContainerName
  readonly #header: Header
  readonly #conversation: Conversation
  /** The person's first words; and the first command, where there are no words. */
  #title: string | undefined
  #command: string | undefined
  #workspace: string | undefined

  constructor(name: ContainerName, state?: unknown) {
    this.#name = name
    // Nobody but `state()` below writes it.
    const kept = state as FoldState | undefined
    this.#header = new Header(kept?.header)
    this.#conversation = new Conversation(kept?.conversation)
    this.#title = kept?.title
    this.#command = kept?.command
    this.#workspace = kept?.workspace
  }

  // In the order of the agent's own tests (`loadConversationRecord` of 0.61).
  add({ value, span }: Line): void {
    if (!isJsonObject(value)) return
    if (typeof value.$rewindTo === "string") this.#conversation.rewind(value.$rewindTo)
    else if (typeof value.id === "string" || isMessage(value)) {
      this.#look(value)
      this.#conversation.say(value, span)
    } else if (isJsonObject(value.$set)) {
      this.#header.set(value.$set)
      const elements = this.#lookAll(value)
      if (elements) this.#conversation.replace(elements, span)
    } else if (typeof value.sessionId === "string") {
      this.#header.set(value)
      const elements = this.#lookAll(value)
      if (elements) this.#conversation.sayAll(elements, span)
    }
  }

  outline(sides: Sides): readonly OutlinedSession[] {
    const { shown, branches } = this.#conversation
    // Every start of the agent, a resume too, leaves a file with a header and a frame, and the same session's id.
    if (shown.every(({ nature }) => nature === "frame" || nature === "result") && branches.length === 0)
      return []
    const sessions = new Names()
    const id = sessions.unique(this.#header.id ?? this.#name.name.replace(/^.*\//s, ""))
    const directory = this.#directory(sides)
    const { created, updated, summary, isSubagent } = this.#header
    // Of a subagent the summary is what it gave back, and no title.
    const words = this.#title ?? this.#command
    const title = isSubagent ? (words ?? firstWords(summary ?? "")) : (firstWords(summary ?? "") ?? words)
    const metadata = { ...this.#header.metadata, ...(isSubagent && summary !== undefined && { summary }) }
    const session = { directory, created, updated }
    const parent = this.#name.parent === undefined ? undefined : soundId(this.#name.parent)
    const context = this.#context(directory)
    return [
      {
        ...session,
        id,
        parentID: parent === id ? undefined : parent,
        title,
        body: { metadata },
        messages: outlined(shown, context),
      },
      ...branches.map(({ place, why, after, entries }) => ({
        ...session,
        ...timesOf(entries),
        id: sessions.unique(`${id}-branch-${place + 1}`),
        parentID: id,
        title: `${entries.find(({ words }) => words !== undefined)?.words ?? title ?? "Untitled"} (${why})`,
        body: { metadata: { ...metadata, branch: present({ why, after: after && context.ids(after) }) } },
        messages: outlined(entries, context),
      })),
    ]
  }

  state(): FoldState {
    return {
      header: this.#header.state(),
      conversation: this.#conversation.state(),
      title: this.#title,
      command: this.#command,
      workspace: this.#workspace,
    }
  }

  #lookAll(value: JsonObject): readonly unknown[] | undefined {
    const elements = elementsOf(value)
    for (const element of elements ?? []) if (isJsonObject(element)) this.#look(element)
    return elements
  }

  #look(record: JsonObject): void {
    this.#header.saw(timeOf(record.timestamp))
    if (record.type !== "user") return
    this.#workspace ??= workspaceOf(record)
    if (this.#title !== undefined) return
    const words = wordsOf(record)
    if (words === undefined) return
    if (/^\s*[/?]/.test(words)) this.#command ??= firstWords(words)
    else this.#title ??= firstWords(words)
  }

  #directory(sides: Sides): string | undefined {
    const [, folder = ""] = this.#name.name.split("/")
    const { projectHash, directories } = this.#header
    const candidates = [...directories, ...(this.#workspace === undefined ? [] : [this.#workspace])]
    return workTreeOf({ folder, projectHash, candidates }, sides)
  }

  #context(directory: string | undefined): Context {
    const calls = new Set<string>()
    const answers = new Map<string, Entry>()
    for (const entry of this.#conversation.entries) {
      for (const id of entry.calls) calls.add(id)
      for (const id of entry.answers) if (!answers.has(id)) answers.set(id, entry)
    }
    const names = new Names()
    const given = new Map<string, string>()
    const ids = (own: string): string => {
      const id = given.get(own) ?? names.unique(own)
      given.set(own, id)
      return id
    }
    return { directory, calls, answers, ids }
  }
}

/** What all messages of a transcript share. */
interface Context {
  readonly directory: string | undefined
  readonly calls: ReadonlySet<string>
  /** By a call's id, the message that carries its result. */
  readonly answers: ReadonlyMap<string, Entry>
  /** Our id for one of the agent's. */
  readonly ids: (own: string) => string
}

function outlined(entries: readonly Entry[], context: Context): OutlinedMessage[] {
  const { calls, ids } = context
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
      messages.push({ id, created, role: "user", spans: [entry.span], about: aboutOf(entry, NO_RESULTS, {}) })
    } else {
      const results = entry.open.length === 0 ? NO_RESULTS : resultsOf(entry, context)
      const mayRun = place === entries.length - 1 && entry.open.some((call) => !context.answers.has(call))
      const spans = [entry.span, ...results.map(({ span }) => span)]
      const about = aboutOf(entry, results, {
        ...(context.directory !== undefined && { directory: context.directory }),
        ...(parent !== undefined && { parent }),
        ...(isSummary && { isSummary }),
        ...(mayRun && { mayRun }),
      })
      messages.push({ id, created, role: "assistant", spans, about })
    }
  }
  return messages
}

const NO_RESULTS: readonly Entry[] = []

/** The messages that carry results of a message's calls. */
function resultsOf({ open }: Entry, { answers }: Context): readonly Entry[] {
  return [...new Set(open.flatMap((id) => answers.get(id) ?? []))]
}

function aboutOf(entry: Entry, results: readonly Entry[], about: About): JsonObject | undefined {
  if (entry.at === undefined && results.every(({ at }) => at === undefined))
    return Object.keys(about).length > 0 ? { ...about } : undefined
  return { ...about, at: [entry, ...results].map(({ at }) => at ?? null) }
}

function timesOf(entries: readonly Entry[]): { created: number; updated: number } {
  const times = entries.flatMap(({ time }) => (time > 0 ? time : []))
  return { created: times[0] ?? 0, updated: times.reduce((a, b) => Math.max(a, b), 0) }
}

/** A message whose id was lost, or that never had one. */
function isMessage(value: JsonObject): boolean {
  return (
    typeof value.type === "string" &&
    value.content !== undefined &&
    !("$set" in value) &&
    !("sessionId" in value)
  )
}

function workspaceOf({ content }: JsonObject): string | undefined {
  const text = Array.isArray(content) ? fieldsOf(content[0]).text : content
  return typeof text === "string" && isFrame(text) ? WORKSPACE.exec(text)?.[1]?.trim() : undefined
}
