import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { ContainerName, Fold, Line, OutlinedSession, Sides } from "../../agent.ts"
import { firstWords } from "../../first-words.ts"
import { Names } from "../../names.ts"
import { soundId } from "../../record-bodies.ts"
import { elementsOf, isFrame, timeOf, wordsOf } from "./content.ts"
import { Conversation, type ConversationState, type Entry } from "./conversation.ts"
import { Header, type HeaderState } from "./header.ts"
import { MessageOutlines, type Surroundings } from "./message-outlines.ts"
import { workTreeOf } from "./work-tree.ts"

interface FoldState {
  readonly header: HeaderState
  readonly conversation: ConversationState
  readonly title?: string | undefined
  readonly command?: string | undefined
  readonly workspace?: string | undefined
}

/** Of the frame that the agent puts before a conversation: the first of its workspace's folders. */
const WORKSPACE = /\*\*Workspace Directories:\*\*\s*\n\s*- ([^\n]+)/

/** A transcript of Gemini CLI, line by line. */
export class GeminiFold implements Fold {
  readonly #name: ContainerName
  readonly #header: Header
  readonly #conversation: Conversation
  readonly #outlines = new MessageOutlines()
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
        messages: this.#outlines.of(shown, context),
      },
      ...branches.map(({ place, why, after, entries }) => ({
        ...session,
        ...timesOf(entries),
        id: sessions.unique(`${id}-branch-${place + 1}`),
        parentID: id,
        title: `${entries.find(({ words }) => words !== undefined)?.words ?? title ?? "Untitled"} (${why})`,
        body: { metadata: { ...metadata, branch: present({ why, after: after && context.ids(after) }) } },
        messages: this.#outlines.of(entries, context),
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

  #context(directory: string | undefined): Surroundings {
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
