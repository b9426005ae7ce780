import { ANYTHING, type StoreChange } from "../root/change.ts"

/** Changes kept for one consumer that is slow to take them. */
const MAX_WAITING = 1_000

interface Consumer {
  waiting: StoreChange[]
  wake: () => void
}

/** Hands every change to all who ask for changes, each at its own pace. */
export class ChangeFeed {
  readonly #consumers = new Set<Consumer>()
  #closed = false

  /** Whether anybody asks for changes. */
  get isHeard(): boolean {
    return this.#consumers.size > 0
  }

  publish(change: StoreChange): void {
    for (const consumer of this.#consumers) {
      // Who cannot keep up is told just that, and memory stays bounded.
      if (consumer.waiting.length >= MAX_WAITING) consumer.waiting = [ANYTHING]
      else consumer.waiting.push(change)
      consumer.wake()
    }
  }

  /** Yields what changes from the first `next()` on, until the feed is closed, and then what is left. @throws the signal's reason */
  async *changes(signal?: AbortSignal): AsyncGenerator<StoreChange> {
    signal?.throwIfAborted()
    const consumer: Consumer = { waiting: [], wake: () => {} }
    const wake = (): void => consumer.wake()
    this.#consumers.add(consumer)
    signal?.addEventListener("abort", wake)
    try {
      for (;;) {
        signal?.throwIfAborted()
        const change = consumer.waiting.shift()
        if (change) yield change
        else if (this.#closed) return
        else
          await new Promise<void>((resolve) => {
            consumer.wake = resolve
          })
      }
    } finally {
      signal?.removeEventListener("abort", wake)
      this.#consumers.delete(consumer)
    }
  }

  /** Ends all who are waiting. */
  close(): void {
    this.#closed = true
    for (const consumer of this.#consumers) consumer.wake()
  }
}
