/** One run of some work, and how many callers wait for it. */
interface Run<T> {
  readonly abort: AbortController
  result: Promise<T>
  waiting: number
}

/**
 * Shares runs of the same work between callers. One run serves all callers that asked before it began, so each gets what was found after
 * it asked. However many ask, a caller waits for two runs at most: the one under way, and its own.
 */
export class JoinedRuns<T> {
  readonly #running = new Map<string, Run<T>>()
  readonly #next = new Map<string, Run<T>>()

  /**
   * Runs the work with that name, or waits for its next run. A run is aborted when nobody waits for it any more.
   * @param work the same for all callers that use the name
   * @throws what the work throws; the signal's reason
   */
  async run(
    name: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted()
    const run = this.#joinable(name, work)
    run.waiting++
    const left = Promise.withResolvers<never>()
    const leave = (): void => {
      // The last caller to leave waits until the work has ended, so that nothing goes on after its call.
      if (--run.waiting === 0) run.abort.abort(signal?.reason)
      else left.reject(signal?.reason)
    }
    signal?.addEventListener("abort", leave, { once: true })
    try {
      return await (signal ? Promise.race([run.result, left.promise]) : run.result)
    } finally {
      signal?.removeEventListener("abort", leave)
    }
  }

  #joinable(name: string, work: (signal: AbortSignal) => Promise<T>): Run<T> {
    const next = this.#next.get(name)
    if (next && !next.abort.signal.aborted) return next
    const before = this.#running.get(name)
    const abort = new AbortController()
    const begin = async (): Promise<T> => {
      if (this.#next.get(name) === run) this.#next.delete(name)
      abort.signal.throwIfAborted()
      this.#running.set(name, run)
      try {
        return await work(abort.signal)
      } finally {
        if (this.#running.get(name) === run) this.#running.delete(name)
      }
    }
    const run: Run<T> = { abort, waiting: 0, result: new Promise(() => {}) }
    if (before) this.#next.set(name, run)
    run.result = before ? before.result.then(begin, begin) : begin()
    // The waiting callers get its failure; without any, it must not be an unhandled rejection.
    run.result.catch(() => {})
    return run
  }
}
