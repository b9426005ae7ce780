import type { StoreErrorCode } from "../errors.ts"

/** A record, or a folder of records, that cannot be read. The file is left as it is. */
export interface Problem {
  readonly path: string
  readonly code: StoreErrorCode
  readonly message: string
  /** The line (the first is 1) if one file holds many records and only this line is meant. */
  readonly line?: number
}

/** How many problems are remembered, so that they are not told twice. */
const MAX_REMEMBERED = 10_000

/** Reports each problem once, as long as it stays the same. */
export class ProblemLog {
  readonly #tell: (problem: Problem) => void
  readonly #told = new Map<string, string>()

  constructor(tell: (problem: Problem) => void) {
    this.#tell = tell
  }

  report(problem: Problem): void {
    const text = `${problem.code} ${problem.message}`
    const place = `${problem.line ?? ""} ${problem.path}`
    if (this.#told.get(place) === text) return
    this.#told.delete(place)
    this.#told.set(place, text)
    const oldest = this.#told.keys().next()
    if (this.#told.size > MAX_REMEMBERED && !oldest.done) this.#told.delete(oldest.value)
    this.#tell(problem)
  }
}
