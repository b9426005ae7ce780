/** How long synchronous work may hold the event loop before it lets others run, in ms. */
const SLICE_MS = 4

/** Resolves after other work of the event loop had its turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** How long background work rests between two slices, in ms. */
const REST_MS = 1

/** A rest for background work, which does not keep the process alive. */
export function rest(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, REST_MS).unref()
  })
}

/** Resolves after `ms`, or when the signal says that there is no need to wait. */
export function pause(ms: number, enough?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    enough?.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** A promise's outcome, or the signal's reason where that is aborted before. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener("abort", onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}

/**
 * Cuts long synchronous work into short slices: call `pass()` between two steps; it gives a promise to await when the
 * slice is used up, and `undefined` otherwise. Ends with the signal's reason once that is aborted.
 */
export class TimeSlice {
  #end = performance.now() + SLICE_MS
  readonly #signal: AbortSignal | undefined
  readonly #yield: () => Promise<void>

  /** @param onYield how to let others run; background work gives a longer pause */
  constructor(signal?: AbortSignal, onYield: () => Promise<void> = yieldToEventLoop) {
    this.#signal = signal
    this.#yield = onYield
  }

  pass(): Promise<void> | undefined {
    this.#signal?.throwIfAborted()
    return performance.now() < this.#end ? undefined : this.turn()
  }

  /** Lets others run beside a step that takes a slice by itself, whatever is left of this one. */
  async turn(): Promise<void> {
    await this.#yield()
    this.#signal?.throwIfAborted()
    this.#end = performance.now() + SLICE_MS
  }
}
