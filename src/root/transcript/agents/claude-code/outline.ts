import { fieldsOf, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { ContainerName, OnLaid, OutlinedSession, Sides } from "../../agent.ts"
import { Names } from "../../names.ts"
import { soundId } from "../../record-bodies.ts"
import { type Branch, Conversation, type NamedNode, type Surroundings } from "./conversation.ts"
import type { Call } from "./line.ts"
import { type Head, isSubagent, type Said } from "./said.ts"

/** The lines of one conversation in a file. */
type Lane = Iterable<NamedNode>

/** The call that began a subagent, and the lane of the conversation that it was made in. */
interface Delegate {
  readonly call: Call
  readonly lane: string
}

/** The lane of the container's own conversation. */
const OWN = ""

/** What sessions of a container have in common. */
interface Telling {
  readonly said: Said
  readonly sides: Sides
  readonly names: Names
  readonly ids: ReadonlyMap<string, string>
  readonly delegates: ReadonlyMap<string, Delegate>
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>()

/**
 * Outlines a container, again each time it has grown: first its own session, in the branch that the agent shows, then subagents whose
 * lines are in the same file. A branch that was left by going back becomes a child session with only its own messages, so that nothing
 * is counted twice.
 */
export class Outliner {
  readonly #container: ContainerName
  /** The container's conversation as it was last outlined, if it is the only one in the file. */
  #only: Conversation | undefined

  constructor(container: ContainerName) {
    this.#container = container
  }

  /** @param added the new lines since the last outline; `undefined` if other lines may have changed, too */
  outline(
    said: Said,
    sides: Sides,
    added: readonly NamedNode[] | undefined,
    onLaid?: OnLaid,
  ): OutlinedSession[] {
    const grown = this.#grown(said, added)
    this.#only = grown
    const names = new Names()
    const own = names.unique(this.#container.session ?? this.#container.name)
    if (grown)
      return this.#sessionsOf(OWN, grown, true, {
        said,
        sides,
        names,
        ids: new Map([[OWN, own]]),
        delegates: NONE,
      })
    const lanes = lanesOf(said.nodes)
    const ids = new Map(
      [...lanes.keys()].map((lane) => [
        lane,
        lane === OWN ? own : names.unique(lane.startsWith(own) ? lane : `${own}-${lane}`),
      ]),
    )
    const delegates = delegatesOf(lanes)
    const children = new Map([...delegates].map(([lane, { call }]) => [call.id, ids.get(lane) ?? lane]))
    const telling: Telling = { said, sides, names, ids, delegates }
    const sessions: OutlinedSession[] = []
    for (const [lane, lines] of lanes) {
      const pinned = lane === OWN ? said.pinned : undefined
      const conversation = new Conversation(lines, aroundOf(said, lane, children), pinned, onLaid)
      if (lanes.size === 1) this.#only = conversation
      sessions.push(...this.#sessionsOf(lane, conversation, lanes.size === 1, telling))
    }
    return sessions
  }

  /** Frees what only makes the next outline cheaper. */
  forget(): void {
    this.#only?.forget()
    this.#only = undefined
  }

  /** The last conversation continued with the new lines, if that is all that happened. */
  #grown(said: Said, added: readonly NamedNode[] | undefined): Conversation | undefined {
    const only = this.#only
    if (!only || !added || added.some(([, { lane }]) => lane !== undefined)) return undefined
    return only.grow(added, aroundOf(said, OWN, NONE), said.pinned) ? only : undefined
  }

  #sessionsOf(
    lane: string,
    conversation: Conversation,
    isOnly: boolean,
    { said, sides, names, ids, delegates }: Telling,
  ): OutlinedSession[] {
    const container = this.#container
    const isOwn = lane === OWN
    const [shown, ...branches] = conversation.branches
    const isEmpty = branches.length === 0 && (shown?.messages ?? []).length === 0
    if (isEmpty && (!isOwn || isOnly)) return []
    const head = said.heads.get(lane)
    const delegate = delegates.get(lane)
    const subagent = isOwn ? subagentOf(container, sides) : inlineSubagent(delegate)
    const told = isOwn ? titleOf(said, conversation) : undefined
    const title = told ?? textIn(subagent, "description") ?? shown?.words
    const own = ids.get(OWN) ?? ""
    const id = ids.get(lane) ?? own
    const common = { directory: rootOf(head), version: head?.version }
    const session = {
      ...common,
      id,
      parentID: isOwn ? parentOf(container, own, head) : ids.get(delegate?.lane ?? OWN),
      title,
      created: head?.created ?? 0,
      updated: head?.updated ?? 0,
      body: bodyOf(head, { ...(isOwn && namesOf(said)), subagent }),
      messages: shown?.messages ?? [],
    }
    const left = branches.map((branch) => ({
      ...common,
      ...branchOf(branch, id, title, head, names),
      parentID: id,
    }))
    return [session, ...left]
  }
}

function rootOf(head: Head | undefined): string | undefined {
  return head?.root ?? head?.cwd
}

function aroundOf(said: Said, lane: string, children: Surroundings["children"]): Surroundings {
  return { root: rootOf(said.heads.get(lane)), children, mayRun: lane === OWN && !said.isEnded }
}

function lanesOf(nodes: Said["nodes"]): ReadonlyMap<string, Lane> {
  // Most files have one conversation, which needs no list of its own.
  if (!nodes.values().some(({ lane }) => lane !== undefined)) return new Map([[OWN, nodes]])
  const lanes = new Map<string, NamedNode[]>([[OWN, []]])
  for (const line of nodes) {
    const name = line[1].lane ?? OWN
    const lane = lanes.get(name)
    if (lane) lane.push(line)
    else lanes.set(name, [line])
  }
  return lanes
}

/** What a subagent was asked first. */
function promptOf(lines: Lane): string | undefined {
  for (const [, { prompt }] of lines) if (prompt !== undefined) return prompt
  return undefined
}

/** Finds which call began which lane. Old releases tell only what was asked, and the same thing may be asked twice. */
function delegatesOf(lanes: ReadonlyMap<string, Lane>): Map<string, Delegate> {
  if (lanes.size === 1) return new Map()
  const asked = new Map<string, string[]>()
  for (const [lane, lines] of lanes) {
    const prompt = lane === OWN ? undefined : promptOf(lines)
    if (prompt === undefined) continue
    const same = asked.get(prompt)
    if (same) same.push(lane)
    else asked.set(prompt, [lane])
  }
  for (const waiting of asked.values()) waiting.reverse()
  const delegates = new Map<string, Delegate>()
  const seen = new Set<string>()
  const begun = new Set<string>()
  for (const [lane, lines] of lanes) {
    begun.add(lane)
    for (const [, { calls }] of lines)
      for (const call of calls ?? []) {
        if (call.prompt === undefined || seen.has(call.id)) continue
        seen.add(call.id)
        const of = asked.get(call.prompt)?.pop()
        // Nobody begins what was there before: no circles.
        if (of !== undefined && !begun.has(of)) delegates.set(of, { call, lane })
      }
  }
  return delegates
}

/** A left branch as a child session of the shown one. */
function branchOf(
  branch: Branch,
  of: string,
  title: string | undefined,
  head: Head | undefined,
  names: Names,
) {
  const { first, after, messages, words, created, updated } = branch
  return {
    id: names.unique(`${of}-branch-${first}`),
    title: `${words ?? title ?? "Untitled"} (rewind)`,
    created,
    updated,
    body: bodyOf(head, { branch: "rewind", after }),
    messages,
  }
}

/** The title that the agent shows: the person's, the model's, or a summary that belongs to one of its lines. */
function titleOf({ names, summaries }: Said, conversation: Conversation): string | undefined {
  if (names.customTitle) return names.customTitle.toWellFormed()
  if (names.aiTitle) return names.aiTitle.toWellFormed()
  let left: string | undefined
  let shown: string | undefined
  for (const [leaf, summary] of summaries) {
    const where = conversation.where(leaf)
    if (where === "shown") shown = summary
    else if (where === "left") left = summary
  }
  return (shown ?? left)?.toWellFormed()
}

/** The parent of a subagent with a file of its own: from the file's place, in old releases from its lines. */
function parentOf(container: ContainerName, own: string, head: Head | undefined): string | undefined {
  const told = container.parent ?? (isSubagent(container) ? head?.session : undefined)
  const parent = told === undefined ? undefined : soundId(told)
  return parent === own ? undefined : parent
}

/** The file beside a subagent's: `{agentType, description, toolUseId, spawnDepth}` (fixture, 2.1.197). */
function subagentOf(container: ContainerName, sides: Sides): JsonObject | undefined {
  if (!isSubagent(container)) return undefined
  const text = sides.text(`${container.name}.meta.json`)
  if (text === undefined) return {}
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    // It may be half written. The transcript can be read without it.
    return {}
  }
}

function inlineSubagent(delegate: Delegate | undefined): JsonObject {
  return present({ description: delegate?.call.description, toolUseId: delegate?.call.id })
}

function textIn(fields: JsonObject | undefined, name: string): string | undefined {
  const text = fields?.[name]
  return typeof text === "string" && text.trim() !== "" ? text.toWellFormed() : undefined
}

function namesOf({ names }: Said): JsonObject {
  return {
    tag: names.tag || undefined,
    agentName: names.agentName || undefined,
    pullRequest: names.prUrl || undefined,
  }
}

function bodyOf(head: Head | undefined, more: JsonObject): JsonObject {
  const { gitBranch, slug, forkedFrom } = head ?? {}
  return { metadata: present({ gitBranch, slug, forkedFrom, ...more }) }
}
