import { rest, unlessAborted, yieldToEventLoop } from "../time-slice.ts"

/** Work that lets itself be ended and that lets others run between two slices. */
export type SlicedWork<T = unknown> = (options: {
  signal: AbortSignal
  onYield: () => Promise<void>
}) => Promise<T>

/** How somebody waits for shared work. */
export interface JoinOptions {
  /** Ends the waiting, and the work where nobody else waits for it. */
  readonly signal: AbortSignal
  /** Rest between two slices, unless somebody else who waits does not. */
  readonly atEase?: boolean
}

interface Run<T> {
  readonly abort: AbortController
  readonly result: Promise<T>
  waiting: number
  atEase: number
}

/** Long work that several may wait for: the first begins it, others join, and when the last has gone it is ended. */
export class SharedWork<T> {
  readonly #work: SlicedWork<T>
  readonly #running = new Set<Run<T>>()
  #current: Run<T> | undefined

  constructor(work: SlicedWork<T>) {
    this.#work = work
  }

  /** @throws what the work throws; the signal's reason */
  async join({ signal, atEase = false }: JoinOptions): Promise<T> {
    signal.throwIfAborted()
    this.#current ??= this.#begin()
    const run = this.#current
    run.waiting++
    if (atEase) run.atEase++
    try {
      return await unlessAborted(run.result, signal)
    } finally {
      run.waiting--
      if (atEase) run.atEase--
      if (run.waiting === 0) this.#end(run)
    }
  }

  /** Ends the work for all that wait for it, who are told why, and waits for that. */
  async stop(reason: Error): Promise<void> {
    const runs = [...this.#running]
    for (const run of runs) this.#end(run, reason)
    await Promise.allSettled(runs.map(({ result }) => result))
  }

  #begin(): Run<T> {
    const abort = new AbortController()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const run: Run<T> = { abort, result: promise, waiting: 0, atEase: 0 }
    const onYield = (): Promise<void> => (run.atEase === run.waiting ? rest() : yieldToEventLoop())
    this.#work({ signal: abort.signal, onYield })
      .then(resolve, reject)
      .finally(() => {
        this.#running.delete(run)
        if (this.#current === run) this.#current = undefined
      })
    this.#running.add(run)
    return run
  }

  /** Who comes from now on begins anew: what is ended may be amid its last slice. */
  #end(run: Run<T>, reason?: Error): void {
    run.abort.abort(reason)
    if (this.#current === run) this.#current = undefined
  }
}
