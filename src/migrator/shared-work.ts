import { rest, unlessAborted, yieldToEventLoop } from "../time-slice.ts"

/** Work in slices that can be aborted. It calls `onYield` between two slices to let other work run. */
export type SlicedWork<T = unknown> = (options: {
  signal: AbortSignal
  onYield: () => Promise<void>
}) => Promise<T>

/** How a caller waits for shared work. */
export interface JoinOptions {
  /** Ends the waiting, and also the work if nobody else waits for it. */
  readonly signal: AbortSignal
  /** Rest between two slices, unless another waiting caller wants the result sooner. */
  readonly atEase?: boolean
}

interface Run<T> {
  readonly abort: AbortController
  readonly result: Promise<T>
  waiting: number
  atEase: number
}

/** Long work that several callers wait for: the first begins it, others join, and it is aborted when the last one leaves. */
export class SharedWork<T> {
  readonly #work: SlicedWork<T>
  readonly #running = new Set<Run<T>>()
  #current: Run<T> | undefined

  constructor(work: SlicedWork<T>) {
    this.#work = work
  }

  /** Begins the work or joins it, and waits for its result. @throws what the work throws; the signal's reason */
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

  /** Aborts the work, waits for its end, and rejects all waiting callers with `reason`. */
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

  /** Aborts a run. Later callers begin a new one, since this one may still be in its last slice. */
  #end(run: Run<T>, reason?: Error): void {
    run.abort.abort(reason)
    if (this.#current === run) this.#current = undefined
  }
}
