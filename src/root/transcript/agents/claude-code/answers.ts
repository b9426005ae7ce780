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
  /** By the model's id the newest, and by the request too those before it. */
  const known = new Map<string, Growing>()
  const before = new Map<string, Growing>()
  const called = new Set<string>()
  for (const [at, node] of nodes.entries()) {
    if (node.kind !== "assistant") continue
    const { answer, request } = node
    const newest = answer === undefined ? undefined : known.get(answer)
    const isSame = newest && (request === undefined || (newest.request ?? request) === request)
    const same = isSame ? newest : newest && before.get(`${answer}\0${request}`)
    const growing: Growing = same ?? {
      id: names.unique(answer ?? ids[at] ?? ""),
      lines: [],
      calls: [],
      request,
    }
    growing.request ??= request
    if (answer !== undefined && newest !== growing) {
      known.set(answer, growing)
      if (newest) before.set(`${answer}\0${newest.request}`, newest)
    }
    of.set(at, growing)
    let isNew = growing.lines.length === 0 || node.says === true
    for (const { id } of node.calls ?? []) {
      const caller = callers.get(id)
      const call = caller && `${growing.id}\0${id}`
      if (caller === growing || (call !== undefined && called.has(call))) continue
      if (call === undefined) callers.set(id, growing)
      else called.add(call)
      growing.calls.push(id)
      isNew = true
    }
    // A line that only repeats calls adds nothing.
    if (isNew) growing.lines.push(at)
  }
  return { of, callers }
}
