import { fieldsOf, type JsonObject } from "../../../../record/extract.ts"
import type { Line, Span } from "../../agent.ts"
import { firstWords } from "../../first-words.ts"
import { answeredBy, blocksOf, callOf, isInjected, saidIn, textOf, timeOf } from "./content.ts"
import { commandOf, piecesOf } from "./words.ts"

/** A tool that was called, and what tells which subagent it began. */
export interface Call {
  readonly id: string
  /** A digest of what a subagent was asked. */
  readonly prompt?: string | undefined
  readonly description?: string | undefined
}

/** What a line of a conversation says, as far as other lines need it. `link`s say nothing, but others go on from them. */
export interface Node {
  readonly kind: "user" | "assistant" | "boundary" | "summary" | "notice" | "link" | "progress"
  /** The line that it goes on from. */
  readonly parent?: string | undefined
  readonly span: Span
  readonly time: number
  /** The child session that it belongs to, where it is a subagent's line in the file of its parent. */
  readonly lane?: string | undefined
  /** Which answer of the model it is of, and to which request. */
  readonly answer?: string | undefined
  readonly request?: string | undefined
  readonly calls?: readonly Call[] | undefined
  /** The calls that it answers. */
  readonly results?: readonly string[] | undefined
  /** It says something besides calls and results. */
  readonly says?: boolean | undefined
  /** The person's first words in it. */
  readonly words?: string | undefined
  /** A command that the person gave. */
  readonly command?: string | undefined
  /** A digest of a subagent's first prompt. */
  readonly prompt?: string | undefined
  /** Of a compaction: the last message that it kept, and what the kept ones are shown after. */
  readonly kept?: { readonly tail: string; readonly anchor?: string | undefined } | undefined
}

/** Tools that begin a subagent; `Task` until about 2.0. */
const DELEGATES: ReadonlySet<unknown> = new Set(["Task", "Agent"])
/** Of what the agent tells between messages, what it shows as output of a command. */
const NOTICE = "local_command"

/** The id of a line: its own, or of its place. */
export function lineId(line: JsonObject, [file, offset]: Span): string {
  return textOf(line.uuid) ?? `line_${file}_${offset}`
}

/** What a line says in the conversation, or `undefined` where it is none of it. */
export function nodeOf(line: JsonObject, span: Line["span"]): Node | undefined {
  const parent = textOf(line.parentUuid)
  const common = { parent, span, time: timeOf(line) }
  switch (line.type) {
    case "assistant":
      return { ...common, ...answerOf(line) }
    case "user":
      return { ...common, ...saidOf(line) }
    case "system":
      if (line.subtype === "compact_boundary")
        return {
          ...common,
          kind: "boundary",
          parent: parent ?? textOf(line.logicalParentUuid),
          kept: keptOf(fieldsOf(line.compactMetadata)),
        }
      return { ...common, kind: line.subtype === NOTICE && textOf(line.content) ? "notice" : "link" }
    case "attachment":
      return { ...common, ...(saidIn(line) === undefined ? { kind: "link" } : saidOf(line)) }
    case "progress":
      return { ...common, kind: "progress" }
    default:
      return undefined
  }
}

function answerOf(line: JsonObject) {
  const message = fieldsOf(line.message)
  const calls: Call[] = []
  let says = true
  for (const block of blocksOf(message.content)) {
    const id = callOf(block)
    if (id === undefined) continue
    says = false
    const { prompt, description } = fieldsOf(block.input)
    const isDelegate = DELEGATES.has(block.name) && typeof prompt === "string"
    calls.push({ id, ...(isDelegate && { prompt: digestOf(prompt), description: shortened(description) }) })
  }
  if (calls.length < blocksOf(message.content).length) says = true
  const answer = textOf(message.id)
  return {
    kind: "assistant" as const,
    answer,
    request: textOf(line.requestId),
    calls: calls.length > 0 ? calls : undefined,
    says,
  }
}

function saidOf(line: JsonObject) {
  if (line.isCompactSummary === true) return { kind: "summary" as const }
  const results = new Set<string>()
  let says = false
  let words: string | undefined
  let command: string | undefined
  let first: string | undefined
  for (const block of blocksOf(saidIn(line))) {
    const result = answeredBy(block)
    if (result !== undefined) {
      results.add(result)
      continue
    }
    const text = textOf(block.text)
    says ||= text !== undefined || (typeof block.type === "string" && block.type !== "text")
    if (text === undefined || isInjected(line)) continue
    first ??= text
    command ??= commandOf(text)
    const own = words === undefined ? piecesOf(text).find(({ isWrapper }) => !isWrapper) : undefined
    if (own) words = firstWords(own.text)
  }
  return {
    kind: "user" as const,
    results: results.size > 0 ? [...results] : undefined,
    says,
    words,
    command: command === undefined ? undefined : firstWords(command),
    // Only lines that begin a subagent's conversation are compared with what it was asked.
    prompt: line.isSidechain === true && !textOf(line.parentUuid) && first ? digestOf(first) : undefined,
  }
}

/** Of a compaction that kept its last messages as they were: `preservedSegment`, in newer releases `preservedMessages`. */
function keptOf({ preservedSegment, preservedMessages }: JsonObject): Node["kept"] {
  const segment = fieldsOf(preservedSegment)
  const messages = fieldsOf(preservedMessages)
  const uuids: unknown[] = Array.isArray(messages.uuids) ? messages.uuids : []
  const tail = textOf(segment.tailUuid) ?? textOf(uuids.at(-1))
  return tail === undefined ? undefined : { tail, anchor: textOf(segment.anchorUuid ?? messages.anchorUuid) }
}

function shortened(text: unknown): string | undefined {
  return typeof text === "string" ? firstWords(text) : undefined
}

function digestOf(text: string): string {
  return Bun.hash(text).toString(36)
}
