/** How long synchronous work may hold the event loop, in ms. */
const SLICE_MS = 4

/** Resolves after the event loop has run other work. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** How long background work rests between two slices, in ms. */
const REST_MS = 1

/** Rests for 1 ms, for background work. Its timer does not keep the process alive. */
export function rest(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, REST_MS).unref()
  })
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function pause(ms: number, enough?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    enough?.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Settles as `promise` does, or rejects with the signal's reason if that is aborted first. */
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
 * Cuts long synchronous work into short slices. Call `pass()` between two steps: it returns a promise to await if the slice is
 * used up, and `undefined` otherwise. Once the signal is aborted it throws the signal's reason.
 */
export class TimeSlice {
  #end = performance.now() + SLICE_MS
  readonly #signal: AbortSignal | undefined
  readonly #yield: () => Promise<void>

  /** @param onYield lets other work run; background work passes `rest`, which pauses for longer */
  constructor(signal?: AbortSignal, onYield: () => Promise<void> = yieldToEventLoop) {
    this.#signal = signal
    this.#yield = onYield
  }

  pass(): Promise<void> | undefined {
    this.#signal?.throwIfAborted()
    return performance.now() < this.#end ? undefined : this.turn()
  }

  /** Lets other work run now, whatever is left of the slice; for a step that takes a whole slice itself. */
  async turn(): Promise<void> {
    await this.#yield()
    this.#signal?.throwIfAborted()
    this.#end = performance.now() + SLICE_MS
  }
}
