/** One run of some work, and how many wait for it. */
interface Run<T> {
  readonly abort: AbortController
  result: Promise<T>
  waiting: number
}

/**
 * Work that is asked for by many at once, of which one run serves all who asked before it began: each gets what was found after
 * it asked. So however many ask, no more than two runs are before anyone: the one under way, and its own.
 */
export class JoinedRuns<T> {
  readonly #running = new Map<string, Run<T>>()
  readonly #next = new Map<string, Run<T>>()

  /**
   * Runs the work of that name, or waits for the next run of it; the work ends early when nobody waits for it any more.
   * @param work the same for all who name it so
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
      // The last to leave waits until the work has ended, so that nothing goes on behind its back.
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
    // Who waits for it hears of its failure; those who left need not.
    run.result.catch(() => {})
    return run
  }
}
