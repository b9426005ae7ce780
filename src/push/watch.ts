import { isStoreError, StoreError } from "../errors.ts"
import type { StoreChange } from "../root/change.ts"
import { pause, unlessAborted } from "../time-slice.ts"
import type { Pushed, PushOptions, PushResult } from "./options.ts"
import type { PushSource, push as pushOnce } from "./push.ts"

/** How long changes are gathered before they are pushed, in ms. */
const GATHER_MS = 1_000
/** A push is followed by a rest of so many times what it took. */
const REST = 9
/** When it is looked for changes that nobody told of, in ms. */
const LOOK_MS = 60_000
/** How long a database that cannot be used is left alone, in ms: at first, and at the most. */
const TROUBLE_MS = [2_000, 60_000] as const
/** What may be over in a while. */
const PASSING = new Set(["FLEET_UNAVAILABLE", "LOCKED", "EXHAUSTED"])

/** What tells of changes. */
interface Changes {
  changes(signal: AbortSignal | undefined): AsyncGenerator<StoreChange>
}

/**
 * Pushes again and again, as `PushOptions.watch` says.
 * @throws as `push`, but for what may be over in a while; the signal's reason
 */
export async function* pushOnAndOn(
  push: typeof pushOnce,
  source: PushSource,
  url: string,
  options: PushOptions,
  feed: Changes,
): AsyncGenerator<Pushed, PushResult> {
  const over = new AbortController()
  const changed = new Changed(
    feed,
    AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])]),
  )
  try {
    for (let trouble: number = TROUBLE_MS[0]; ; ) {
      changed.forget()
      const began = performance.now()
      let wait = 0
      try {
        options.onRound?.(yield* push(source, url, options))
        trouble = TROUBLE_MS[0]
        wait = Math.max(GATHER_MS, (performance.now() - began) * REST)
        await changed.within(LOOK_MS)
      } catch (error) {
        options.signal?.throwIfAborted()
        if (!isStoreError(error) || !PASSING.has(error.code)) throw error
        options.onRound?.(error)
        wait = trouble
        trouble = Math.min(trouble * 2, TROUBLE_MS[1])
      }
      await pause(wait, options.signal)
      options.signal?.throwIfAborted()
    }
  } finally {
    over.abort()
    await changed.end()
  }
}

/** Whether something changed since it was last forgotten. */
class Changed {
  readonly #signal: AbortSignal
  readonly #done: Promise<void>
  #now = Promise.withResolvers<void>()
  #closed = false

  constructor(feed: Changes, signal: AbortSignal) {
    this.#signal = signal
    this.#done = this.#listen(feed)
  }

  forget(): void {
    this.#now = Promise.withResolvers()
  }

  /** Resolves when something changed, or after so many ms. @throws the signal's reason; StoreError `CLOSED` */
  async within(ms: number): Promise<void> {
    const enough = new AbortController()
    try {
      await unlessAborted(Promise.race([this.#now.promise, pause(ms, enough.signal)]), this.#signal)
    } finally {
      enough.abort()
    }
    if (this.#closed) throw new StoreError("CLOSED", "The store is closed")
  }

  async end(): Promise<void> {
    await this.#done
  }

  async #listen(feed: Changes): Promise<void> {
    try {
      for await (const _ of feed.changes(this.#signal)) this.#now.resolve()
      this.#closed = true
      this.#now.resolve()
    } catch (error) {
      if (!this.#signal.aborted) throw error
    }
  }
}
