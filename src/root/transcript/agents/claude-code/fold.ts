import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import type { ContainerName, Fold, Line, OnLaid, OutlinedSession, Sides } from "../../agent.ts"
import { isSmallProgress } from "./bookkeeping.ts"
import { textOf } from "./content.ts"
import type { NamedNode } from "./conversation.ts"
import { type Call, lineId, type Node, nodeOf } from "./line.ts"
import { Outliner } from "./outline.ts"
import { type Head, isSubagent, type Said } from "./said.ts"

interface State {
  readonly nodes: readonly (readonly [string, Node])[]
  readonly heads: readonly (readonly [string, Head])[]
  readonly names: Readonly<Record<string, string>>
  readonly summaries: readonly (readonly [string, string])[]
  readonly pinned?: string | undefined
  readonly isEnded: boolean
  readonly lastLane?: string | undefined
  readonly progress: readonly string[]
}

/** How many progress lines are kept that no line follows yet. Older ones are assumed never to be followed. */
const REMEMBERED_PROGRESS = 64
/** Lines that name the session, and the field that holds the name. */
const NAMES: ReadonlyMap<unknown, string> = new Map([
  ["custom-title", "customTitle"],
  ["ai-title", "aiTitle"],
  ["tag", "tag"],
  ["agent-name", "agentName"],
  ["pr-link", "prUrl"],
])

/** Folds a transcript of Claude Code. */
export class ClaudeFold implements Fold, Said {
  readonly #container: ContainerName
  readonly nodes: Map<string, Node>
  readonly heads: Map<string, Head>
  readonly names: Record<string, string>
  readonly summaries: Map<string, string>
  pinned: string | undefined
  isEnded: boolean
  #lastLane: string | undefined
  #progress: string[]
  readonly #outliner: Outliner
  /** The last line, and the calls of the last line that has some. */
  #last: NamedNode | undefined
  #lastCalls: readonly Call[] = []
  /** The lines added since the last outline; `undefined` if other lines have changed, too. */
  #added: NamedNode[] | undefined

  constructor(container: ContainerName, kept?: unknown) {
    const state = isState(kept) ? kept : undefined
    this.#container = container
    this.#outliner = new Outliner(container)
    this.nodes = new Map(state?.nodes)
    this.heads = new Map(state?.heads.map(([lane, head]) => [lane, { ...head }]))
    this.names = { ...state?.names }
    this.summaries = new Map(state?.summaries)
    this.pinned = state?.pinned
    this.isEnded = state?.isEnded ?? false
    this.#lastLane = state?.lastLane
    this.#progress = [...(state?.progress ?? [])]
  }

  add(line: Line): void {
    const { value, span } = line
    if (!isJsonObject(value)) return
    if (value.type === "progress" && !isSmallProgress(span[2])) return
    const node = nodeOf(value, span)
    if (node) this.#addNode(lineId(value, span), node, value)
    else this.#addNote(value)
  }

  outline(sides: Sides, onLaid?: OnLaid): readonly OutlinedSession[] {
    const added = this.#added
    this.#added = []
    return this.#outliner.outline(this, sides, added, onLaid)
  }

  forget(): void {
    this.#outliner.forget()
    this.#added = undefined
  }

  state(): State {
    const { names, pinned, isEnded } = this
    return {
      nodes: [...this.nodes],
      heads: [...this.heads],
      names,
      summaries: [...this.summaries],
      pinned,
      isEnded,
      lastLane: this.#lastLane,
      progress: this.#progress,
    }
  }

  #addNode(id: string, node: Node, line: JsonObject): void {
    const known = this.nodes.get(id)
    const lane = known ? known.lane : this.#laneOf(id, node, line)
    // A repeated line is a copy: its newest content counts, at its old place.
    const parent = known ? known.parent : this.#parentOf(node)
    const kept = this.#sharing(id, { ...node, parent, lane })
    this.nodes.set(id, kept)
    if (known) this.#added = undefined
    else this.#added?.push([id, kept])
    if (node.kind === "progress") {
      if (!known) this.#rememberProgress(id)
      return
    }
    this.#addHead(lane ?? "", node.time, line)
    if (node.kind === "link") return
    if (lane === undefined) this.pinned = undefined
    this.isEnded = false
  }

  /**
   * Shares the strings of ids with the line before. Each line was parsed alone, and copies of the same ids would take half the memory of
   * a long transcript.
   */
  #sharing(id: string, { parent, answer, request, results, ...node }: Node): Node {
    const [lastId, last] = this.#last ?? []
    const shared = {
      ...node,
      parent: parent === lastId ? lastId : parent,
      ...(answer !== undefined && { answer: answer === last?.answer ? last.answer : answer }),
      ...(request !== undefined && { request: request === last?.request ? last.request : request }),
      ...(results && {
        results: results.map((result) => this.#lastCalls.find((call) => call.id === result)?.id ?? result),
      }),
    }
    this.#last = [id, shared]
    if (shared.calls) this.#lastCalls = shared.calls
    return shared
  }

  /** Progress lines form long chains. Each is kept as following the line that the first of them follows. */
  #parentOf({ kind, parent }: Node): string | undefined {
    if (parent === undefined) return undefined
    const of = this.nodes.get(parent)
    if (of?.kind !== "progress") return parent
    if (kind === "progress") return of.parent
    const at = this.#progress.lastIndexOf(parent)
    if (at >= 0) this.#progress.splice(at, 1)
    return parent
  }

  #rememberProgress(id: string): void {
    this.#progress.push(id)
    if (this.#progress.length <= REMEMBERED_PROGRESS) return
    const oldest = this.#progress.shift()
    if (oldest === undefined || this.nodes.get(oldest)?.kind !== "progress") return
    this.nodes.delete(oldest)
    this.#added = undefined
  }

  /** The subagent of a line, in files of releases that wrote subagents' lines among their parent's. */
  #laneOf(id: string, { parent }: Node, { isSidechain, agentId }: JsonObject): string | undefined {
    if (isSidechain !== true || isSubagent(this.#container)) return undefined
    const agent = textOf(agentId)
    const of = parent === undefined ? undefined : this.nodes.get(parent)
    const begun = `${this.#container.session ?? ""}-agent-${id}`
    const lane = agent ? `agent-${agent}` : (of?.lane ?? (of || !parent ? begun : (this.#lastLane ?? begun)))
    this.#lastLane = lane
    return lane
  }

  #addHead(lane: string, time: number, line: JsonObject): void {
    const head: Head = this.heads.get(lane) ?? { created: time, updated: time }
    if (head.created === 0) head.created = time
    head.updated = Math.max(head.updated, time)
    const cwd = textOf(line.cwd)
    head.cwd ??= cwd
    if (cwd && head.root === undefined && folderOf(cwd) === this.#container.name.split("/")[1])
      head.root = cwd
    head.version = textOf(line.version) ?? head.version
    head.gitBranch = textOf(line.gitBranch) ?? head.gitBranch
    head.slug = textOf(line.slug) ?? head.slug
    head.session ??= textOf(line.sessionId)
    head.forkedFrom ??= textOf(fieldsOf(line.forkedFrom).sessionId)
    this.heads.set(lane, head)
  }

  #addNote(line: JsonObject): void {
    const field = NAMES.get(line.type)
    if (field !== undefined) {
      const name = line[field]
      // An empty one takes the name away.
      if (typeof name === "string") this.names[field] = name
    } else if (line.type === "summary") {
      const summary = textOf(line.summary)
      const leaf = textOf(line.leafUuid)
      if (summary && leaf) this.summaries.set(leaf, summary)
    } else if (line.type === "last-prompt") {
      this.isEnded = true
      // Only going back writes an explicit one without a message (reports of releases since about 2.1.2).
      if (line.explicit === true) this.pinned = textOf(line.leafUuid)
    }
  }
}

/** Nobody but a fold of the same version writes states. */
function isState(kept: unknown): kept is State {
  return isJsonObject(kept) && Array.isArray(kept.nodes)
}

/** What the folder of a work tree's sessions is called. */
function folderOf(cwd: string): string {
  return cwd.replaceAll(/[^a-zA-Z0-9]/g, "-")
}
