import type { OnLaid, OutlinedMessage } from "../../agent.ts"
import { Names } from "../../names.ts"
import { type Answer, Answers } from "./answers.ts"
import type { Node } from "./line.ts"
import { type Path, Tree } from "./tree.ts"

/** Messages that follow each other. */
export interface Branch {
  /** The line of its first message. */
  readonly first: string
  /** The message of another branch that it follows. */
  readonly after?: string | undefined
  readonly messages: readonly OutlinedMessage[]
  /** The person's first words in it, else their first command, as the agent's own list shows it. */
  readonly words?: string | undefined
  readonly created: number
  readonly updated: number
}

/** What is known of a conversation besides its lines. */
export interface Surroundings {
  /** Its work tree. */
  readonly root?: string | undefined
  /** Sessions of subagents, by the call that began each. */
  readonly children: ReadonlyMap<string, string>
  /** A call that nothing came after may still run. */
  readonly mayRun: boolean
}

/** Lines that are laid out before that is told. */
const LAID_AT_ONCE = 1024

/** A line, by its id. */
export type NamedNode = readonly [id: string, node: Node]

/** An answer's message in the shown branch: its place there and the prompt before it. */
interface Shown {
  readonly at: number
  readonly prompt: string | undefined
}

/** The lines of one conversation as messages. */
export class Conversation {
  readonly #ids: string[] = []
  readonly #nodes: Node[] = []
  readonly #around: Surroundings
  readonly #pinned: string | undefined
  #tree = new Tree()
  #names = new Names()
  #answers = new Answers(this.#names)
  /** The place of each call's result; of several, the last. */
  readonly #results = new Map<string, number>()
  readonly #said = new Set<Answer>()
  /** By line: its message, or else the last message before it. */
  readonly #messages: (string | undefined)[] = []
  /** Answers of the branch that is shown. */
  readonly #shownAnswers = new Map<Answer, Shown>()
  #mayRun: boolean
  #onLaid: OnLaid | undefined
  #laid = 0
  #leaf = -1
  /** By line: whether it is in the shown branch. */
  readonly #shown: boolean[] = []
  #branches: readonly Branch[] = []
  #walk: Walk = { messages: [], created: 0, updated: 0 }

  /** @param pinned a line that the person went back to */
  constructor(lines: Iterable<NamedNode>, around: Surroundings, pinned?: string, onLaid?: OnLaid) {
    this.#around = around
    this.#mayRun = around.mayRun
    this.#pinned = pinned
    this.#onLaid = onLaid
    for (const [id, node] of lines) {
      this.#add(id, node)
      this.#noteLaid()
    }
    this.#branches = this.#allBranches()
    this.#onLaid = undefined
  }

  /**
   * The shown branch, then the left ones, the newest first. The shown branch ends with the newest line (by place, since times go back),
   * or with the line that the person went back to.
   */
  get branches(): readonly Branch[] {
    return this.#branches
  }

  /**
   * Empties the conversation, which is of no use afterwards. Dropping the last reference is not enough: the engine also scans the stack,
   * where an old reference may remain, and a long conversation takes some 20 MB.
   */
  forget(): void {
    for (const list of [this.#ids, this.#nodes, this.#messages, this.#shown]) list.length = 0
    for (const known of [this.#results, this.#said, this.#shownAnswers]) known.clear()
    this.#tree = new Tree()
    this.#names = new Names()
    this.#answers = new Answers(this.#names)
    this.#walk = { messages: [], created: 0, updated: 0 }
    this.#branches = []
  }

  /**
   * Adds new lines, if all they do is continue the shown branch.
   * @returns whether the result is the same as that of a new conversation of all lines; if not, this one is of no use any more
   */
  grow(lines: Iterable<NamedNode>, around: Surroundings, pinned: string | undefined): boolean {
    const [shown] = this.#branches
    if (!shown || this.#leaf < 0 || pinned !== undefined || this.#pinned !== undefined) return false
    if (around.root !== this.#around.root || around.children.size + this.#around.children.size > 0)
      return false
    const leaf = this.#leaf
    const from = this.#nodes.length
    const touched = new Set(this.#answersAt(leaf))
    for (const [id, node] of lines) {
      const { calls = [], results = [] } = node
      // Earlier conclusions about these calls and results may be wrong now.
      if (calls.some((call) => this.#results.has(call.id))) return false
      if (results.some((call) => this.#results.has(call))) return false
      this.#add(id, node)
      for (const answer of this.#answersAt(this.#nodes.length - 1)) touched.add(answer)
    }
    if (this.#names.hasRepeats || this.#answers.hasRepeats) return false
    this.#mayRun = around.mayRun
    const path = this.#tree.pathTo(this.#leaf)
    if (path.lines.length > 0 && path.after !== leaf) return false
    for (const [place, node] of this.#nodes.slice(from).entries())
      if (!this.#tree.isTaken(from + place) && this.#saysSomething(from + place, node)) return false
    const messages = [...shown.messages]
    for (const answer of touched) {
      const known = this.#shownAnswers.get(answer)
      // An answer that belongs to a left branch cannot be changed here.
      if (!known && this.#said.has(answer)) return false
      const message = known && this.#messageOf(answer, known.prompt)
      if (known && message) messages[known.at] = message
    }
    for (const at of path.lines) this.#shown[at] = true
    this.#walk = { ...this.#walk, messages }
    this.#branches = [this.#follow(this.#walk, path, true), ...this.#branches.slice(1)]
    return !this.#names.hasRepeats
  }

  #add(id: string, node: Node): void {
    const at = this.#nodes.length
    this.#ids.push(id)
    this.#nodes.push(node)
    this.#messages.push(undefined)
    this.#shown.push(false)
    this.#tree.add(id, node)
    if (node.kind === "assistant") this.#answers.add(at, id, node)
    for (const call of node.results ?? []) this.#results.set(call, at)
    if (!isBeside(node.kind)) this.#leaf = at
  }

  /** The answers that a line belongs to: its own, and those whose calls it answers. */
  #answersAt(at: number): Answer[] {
    const own = this.#answers.at(at)
    const calling = (this.#nodes[at]?.results ?? []).flatMap((call) => this.#answers.calling(call) ?? [])
    return own ? [own, ...calling] : calling
  }

  #allBranches(): Branch[] {
    const pin = this.#tree.at(this.#pinned)
    if (pin !== undefined) this.#leaf = pin
    if (this.#leaf < 0) return []
    const path = this.#tree.pathTo(this.#leaf)
    for (const at of path.lines) this.#shown[at] = true
    const branches = [this.#follow(this.#walk, path, true)]
    for (let at = this.#nodes.length - 1; at >= 0; at--) {
      const node = this.#nodes[at]
      // Side lines without a message, such as results of parallel calls, are no branch.
      if (node && !this.#tree.isTaken(at) && this.#saysSomething(at, node)) {
        const branch = this.#follow({ messages: [], created: 0, updated: 0 }, this.#tree.pathTo(at), false)
        if (branch.messages.length > 0) branches.push(branch)
      }
    }
    return branches
  }

  #noteLaid(): void {
    if (++this.#laid % LAID_AT_ONCE === 0) this.#onLaid?.(LAID_AT_ONCE)
  }

  /** Whether a line is in the shown branch or in a left one; `undefined` if it is not there. */
  where(id: string): "shown" | "left" | undefined {
    const at = this.#tree.at(id)
    return at === undefined ? undefined : this.#shown[at] ? "shown" : "left"
  }

  #saysSomething(at: number, node: Node): boolean {
    if (node.kind === "user") return node.says === true || this.#unasked(at, node).length > 0
    return !isBeside(node.kind)
  }

  /** Results without a call, for example because the line with the call cannot be read. */
  #unasked(at: number, { results }: Node): string[] {
    return (results ?? []).filter((call) => !this.#answers.calling(call) && this.#results.get(call) === at)
  }

  /** Goes on along a branch. */
  #follow(walk: Walk, { after, lines }: Path, isShown: boolean): Branch {
    const { messages } = walk
    if (!walk.isBegun) {
      walk.isBegun = true
      walk.after = this.#messages[after]
      walk.last = walk.after
    }
    for (const at of lines) {
      this.#noteLaid()
      const node = this.#nodes[at]
      if (!node) continue
      const message = this.#message(at, node, walk.prompt?.id)
      if (message) {
        const answer = isShown ? this.#answers.at(at) : undefined
        if (answer) this.#shownAnswers.set(answer, { at: messages.length, prompt: walk.prompt?.id })
        messages.push(message)
        walk.first ??= this.#ids[at]
        walk.last = message.id
        if (node.kind === "user" && (node.words !== undefined || !walk.prompt?.isSaid))
          walk.prompt = { id: message.id, isSaid: node.words !== undefined }
      }
      this.#messages[at] = walk.last
      // A left branch may begin with lines of a shown answer.
      if (walk.first === undefined) continue
      if (walk.created === 0) walk.created = node.time
      walk.updated = Math.max(walk.updated, node.time)
      walk.words ??= node.words
      walk.command ??= node.command
    }
    const { first = "", after: of, words, command, created, updated } = walk
    return { first, after: of, messages, words: words ?? command, created, updated }
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

  /** An answer with all its lines and the results of its calls, at the first of its lines. */
  #answer(at: number, prompt: string | undefined): OutlinedMessage | undefined {
    const answer = this.#answers.at(at)
    if (!answer || this.#said.has(answer)) return undefined
    const message = this.#messageOf(answer, prompt)
    if (message) this.#said.add(answer)
    return message
  }

  #messageOf(answer: Answer, prompt: string | undefined): OutlinedMessage | undefined {
    const first = this.#nodes[answer.lines[0] ?? -1]
    if (!first) return undefined
    const lines = [...answer.lines]
    const children: string[][] = []
    if (answer.calls.length > 0) {
      const results = new Set<number>()
      for (const call of answer.calls) {
        const result = this.#results.get(call)
        if (result !== undefined) results.add(result)
        const child = this.#around.children.get(call)
        if (child !== undefined) children.push([call, child])
      }
      for (const result of [...results].sort((a, b) => a - b)) lines.push(result)
    }
    const isLast = lines.includes(this.#leaf)
    return {
      id: answer.id,
      created: first.time,
      role: "assistant",
      spans: lines.flatMap((line) => (this.#nodes[line] ? [this.#nodes[line].span] : [])),
      ...aboutOf({
        prompt,
        root: this.#around.root,
        mayRun: isLast && this.#mayRun ? true : undefined,
        children: children.length > 0 ? children : undefined,
      }),
    }
  }
}

/** How far a branch was followed. */
interface Walk {
  readonly messages: OutlinedMessage[]
  isBegun?: boolean
  /** The message that the branch follows, and its newest one. */
  after?: string | undefined
  last?: string | undefined
  /** The line of its first message. */
  first?: string | undefined
  /** The prompt that answers are to. */
  prompt?: { readonly id: string; readonly isSaid: boolean }
  words?: string | undefined
  command?: string | undefined
  created: number
  updated: number
}

function aboutOf(fields: Record<string, unknown>): { about?: Record<string, unknown> } {
  const about: Record<string, unknown> = {}
  let any = false
  for (const name in fields) {
    if (fields[name] === undefined) continue
    about[name] = fields[name]
    any = true
  }
  return any ? { about } : {}
}

/** Whether a line says nothing, so that the shown branch does not end with it. */
function isBeside(kind: Node["kind"]): boolean {
  return kind === "link" || kind === "progress"
}
