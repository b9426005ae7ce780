import type { Names } from "../../names.ts"
import type { Node } from "./line.ts"

/** One answer of the model. */
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

/**
 * Puts the answers of a conversation together. Lines with one `message.id` are one answer, one block each, wherever they are (fixture,
 * all lines of 2.1.197). If several requests got the same id, as behind a proxy that repeats it, they are as many answers.
 */
export class Answers {
  readonly #names: Names
  /** By line. */
  readonly #of: (Growing | undefined)[] = []
  readonly #callers = new Map<string, Growing>()
  /** The newest answer by the model's id, and earlier ones by id and request. */
  readonly #known = new Map<string, Growing>()
  readonly #before = new Map<string, Growing>()
  readonly #called = new Set<string>()

  constructor(names: Names) {
    this.#names = names
  }

  /** By the place of one of its lines. */
  at(line: number): Answer | undefined {
    return this.#of[line]
  }

  /** By a call that it makes; of several the first. */
  calling(call: string): Answer | undefined {
    return this.#callers.get(call)
  }

  /** Whether several answers make the same call. */
  get hasRepeats(): boolean {
    return this.#called.size > 0
  }

  /** Adds a line of the model. */
  add(at: number, lineId: string, { answer, request, says, calls }: Node): void {
    const newest = answer === undefined ? undefined : this.#known.get(answer)
    const isSame = newest && (request === undefined || (newest.request ?? request) === request)
    const same = isSame ? newest : newest && this.#before.get(`${answer}\0${request}`)
    const growing: Growing = same ?? {
      id: this.#names.unique(answer ?? lineId),
      lines: [],
      calls: [],
      request,
    }
    growing.request ??= request
    if (answer !== undefined && newest !== growing) {
      this.#known.set(answer, growing)
      if (newest) this.#before.set(`${answer}\0${newest.request}`, newest)
    }
    this.#of[at] = growing
    let isNew = growing.lines.length === 0 || says === true
    for (const { id } of calls ?? []) {
      const caller = this.#callers.get(id)
      const call = caller && `${growing.id}\0${id}`
      if (caller === growing || (call !== undefined && this.#called.has(call))) continue
      if (call === undefined) this.#callers.set(id, growing)
      else this.#called.add(call)
      growing.calls.push(id)
      isNew = true
    }
    // A line that only repeats calls adds nothing.
    if (isNew) growing.lines.push(at)
  }
}
