import { present } from "../../../../record/present.ts"
import type { OutlinedMessage } from "../../agent.ts"
import { Names } from "../../names.ts"
import { type Answer, type Answers, answersOf } from "./answers.ts"
import type { Node } from "./line.ts"
import { type Path, Tree } from "./tree.ts"

/** Messages that follow each other. */
export interface Branch {
  /** The line of its first message. */
  readonly first: string
  /** The message that it goes on from, one of another branch. */
  readonly after?: string | undefined
  readonly messages: readonly OutlinedMessage[]
  /** What the person says first in it, else the first command they gave, as the agent's own list shows it. */
  readonly words?: string | undefined
  readonly created: number
  readonly updated: number
}

/** What is known of a conversation besides its lines. */
export interface Surroundings {
  /** Its work tree. */
  readonly root?: string | undefined
  /** Sessions of subagents, by the calls that began them. */
  readonly children: ReadonlyMap<string, string>
  /** A call that nothing came after may still run. */
  readonly mayRun: boolean
}

/** The lines of one conversation as messages. */
export class Conversation {
  readonly #ids: readonly string[]
  readonly #nodes: readonly Node[]
  readonly #around: Surroundings
  readonly #tree: Tree
  readonly #names = new Names()
  readonly #answers: Answers
  /** Where each call's result lies: of several the last. */
  readonly #results = new Map<string, number>()
  readonly #said = new Set<Answer>()
  /** By line, the message that it is of, or else the last one before it. */
  readonly #messages: (string | undefined)[]
  #leaf: number
  /** The lines of the branch that is shown. */
  #shown: ReadonlySet<number> = new Set()

  constructor(ids: readonly string[], nodes: readonly Node[], around: Surroundings) {
    this.#ids = ids
    this.#nodes = nodes
    this.#around = around
    this.#tree = new Tree(ids, nodes)
    this.#answers = answersOf(ids, nodes, this.#names)
    this.#messages = new Array<string | undefined>(nodes.length)
    this.#leaf = nodes.findLastIndex(({ kind }) => !isBeside(kind))
    for (const [at, { results }] of nodes.entries())
      for (const call of results ?? []) this.#results.set(call, at)
  }

  /**
   * The branch that is shown, then those that were left, the newest first. The agent goes on from the newest line (by its place:
   * times go back), or from one that it was told to go back to.
   */
  branches(pinned: string | undefined): Branch[] {
    const pin = this.#tree.at(pinned)
    if (pin !== undefined) this.#leaf = pin
    if (this.#leaf < 0) return []
    const path = this.#tree.pathTo(this.#leaf)
    this.#shown = new Set(path.lines)
    const branches = [this.#branch(path)]
    for (let at = this.#nodes.length - 1; at >= 0; at--) {
      const node = this.#nodes[at]
      // What hangs beside without a message, as results of parallel calls do, is no branch.
      if (node && !this.#tree.isTaken(at) && this.#saysSomething(at, node)) {
        const branch = this.#branch(this.#tree.pathTo(at))
        if (branch.messages.length > 0) branches.push(branch)
      }
    }
    return branches
  }

  /** Whether a line is there, and in the branch that is shown. */
  where(id: string): "shown" | "left" | undefined {
    const at = this.#tree.at(id)
    return at === undefined ? undefined : this.#shown.has(at) ? "shown" : "left"
  }

  #saysSomething(at: number, node: Node): boolean {
    if (node.kind === "user") return node.says === true || this.#unasked(at, node).length > 0
    return !isBeside(node.kind)
  }

  /** Results of calls that nobody made, as where the line with the call cannot be read. */
  #unasked(at: number, { results }: Node): string[] {
    return (results ?? []).filter(
      (call) => !this.#answers.callers.has(call) && this.#results.get(call) === at,
    )
  }

  #branch({ after, lines }: Path): Branch {
    const from = this.#messages[after]
    const messages: OutlinedMessage[] = []
    let last = from
    let first: string | undefined
    let prompt: { id: string; isSaid: boolean } | undefined
    let words: string | undefined
    let command: string | undefined
    let created = 0
    let updated = 0
    for (const at of lines) {
      const node = this.#nodes[at]
      if (!node) continue
      const message = this.#message(at, node, prompt?.id)
      if (message) {
        messages.push(message)
        first ??= this.#ids[at]
        last = message.id
        if (node.kind === "user" && (node.words !== undefined || !prompt?.isSaid))
          prompt = { id: message.id, isSaid: node.words !== undefined }
      }
      this.#messages[at] = last
      // A branch may begin with lines of an answer that is shown.
      if (first === undefined) continue
      if (created === 0) created = node.time
      updated = Math.max(updated, node.time)
      words ??= node.words
      command ??= node.command
    }
    return {
      first: first ?? "",
      after: from,
      messages,
      words: words ?? command,
      created,
      updated,
    }
  }

  #message(at: number, node: Node, prompt: string | undefined): OutlinedMessage | undefined {
    const { kind, span, time } = node
    if (kind === "assistant") return this.#answer(at, prompt)
    if (!this.#saysSomething(at, node)) return undefined
    const id = this.#names.unique(this.#ids[at] ?? "")
    if (kind === "summary")
      return { id, created: time, role: "assistant", spans: [span], ...aboutOf({ prompt }) }
    const unasked = this.#unasked(at, node)
    return {
      id,
      created: time,
      role: "user",
      spans: [span],
      ...aboutOf({ unasked: unasked.length > 0 ? unasked : undefined }),
    }
  }

  /** An answer with all of its lines and the results of its calls, where the first of them is come to. */
  #answer(at: number, prompt: string | undefined): OutlinedMessage | undefined {
    const answer = this.#answers.of.get(at)
    const first = this.#nodes[answer?.lines[0] ?? -1]
    if (!answer || !first || this.#said.has(answer)) return undefined
    this.#said.add(answer)
    const results = new Set(answer.calls.flatMap((call) => this.#results.get(call) ?? []))
    const lines = [...answer.lines, ...[...results].sort((a, b) => a - b)]
    const children = answer.calls.flatMap((call) => {
      const child = this.#around.children.get(call)
      return child === undefined ? [] : [[call, child]]
    })
    const isLast = lines.includes(this.#leaf)
    return {
      id: answer.id,
      created: first.time,
      role: "assistant",
      spans: lines.flatMap((line) => (this.#nodes[line] ? [this.#nodes[line].span] : [])),
      ...aboutOf({
        prompt,
        root: this.#around.root,
        mayRun: isLast && this.#around.mayRun ? true : undefined,
        children: children.length > 0 ? children : undefined,
      }),
    }
  }
}

function aboutOf(fields: Record<string, unknown>): { about?: Record<string, unknown> } {
  const about = present(fields)
  return Object.keys(about).length > 0 ? { about } : {}
}

/** Lines that say nothing: what is shown does not end with them. */
function isBeside(kind: Node["kind"]): boolean {
  return kind === "link" || kind === "progress"
}
