import type { Names } from "../../names.ts"
import type { Node } from "./line.ts"

/** The lines of one answer of the model, by their places in the conversation. */
export interface Answer {
  readonly id: string
  readonly lines: readonly number[]
  /** The calls it makes, each once. */
  readonly calls: readonly string[]
}

interface Growing extends Answer {
  readonly lines: number[]
  readonly calls: string[]
  readonly called: Set<string>
  request: string | undefined
}

/** The answers of a conversation, each put together of its lines. */
export interface Answers {
  /** By the place of each of their lines. */
  readonly of: ReadonlyMap<number, Answer>
  /** By the calls that they make. */
  readonly callers: ReadonlyMap<string, Answer>
}

/**
 * Puts answers together: lines of one `message.id` are one answer, a block each, wherever they lie (fixture, all lines of 2.1.197).
 * One id that several requests got is as many answers, as behind a proxy that gives the same to all.
 */
export function answersOf(ids: readonly string[], nodes: readonly Node[], names: Names): Answers {
  const of = new Map<number, Answer>()
  const callers = new Map<string, Answer>()
  /** By the model's id the answers to different requests, and the newest of them under no request's name. */
  const known = new Map<string, Map<string | undefined, Growing>>()
  for (const [at, node] of nodes.entries()) {
    if (node.kind !== "assistant") continue
    const { answer, request } = node
    const same =
      answer === undefined ? new Map<string | undefined, Growing>() : (known.get(answer) ?? new Map())
    if (answer !== undefined) known.set(answer, same)
    const newest = same.get(undefined)
    let growing = request === undefined ? newest : same.get(request)
    if (!growing && newest && newest.request === undefined) growing = newest
    growing ??= {
      id: names.unique(answer ?? ids[at] ?? ""),
      lines: [],
      calls: [],
      called: new Set(),
      request,
    }
    growing.request ??= request
    same.set(undefined, growing)
    if (request !== undefined) same.set(request, growing)
    of.set(at, growing)
    const calls = (node.calls ?? []).filter(({ id }) => !growing.called.has(id))
    // A line that only repeats calls adds nothing.
    if (growing.lines.length > 0 && !node.says && calls.length === 0) continue
    growing.lines.push(at)
    for (const { id } of calls) {
      growing.called.add(id)
      growing.calls.push(id)
      if (!callers.has(id)) callers.set(id, growing)
    }
  }
  return { of, callers }
}
