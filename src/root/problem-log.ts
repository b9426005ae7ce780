import type { StoreErrorCode } from "../errors.ts"

/** A record, or a folder of records, that cannot be read. The file is left as it is. */
export interface Problem {
  readonly path: string
  readonly code: StoreErrorCode
  readonly message: string
  /** The line, from 1 on, where one file holds many records and one line of it is meant. */
  readonly line?: number
}

/** Problems remembered so as not to be told twice. */
const MAX_REMEMBERED = 10_000

/** Tells each problem once, for as long as it stays the same. */
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
