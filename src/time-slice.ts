/** How long synchronous work may hold the event loop before it lets others run, in ms. */
const SLICE_MS = 4

/** Resolves after other work of the event loop had its turn. */
function yieldToEventLoop(): Promise<void> {
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

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
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
