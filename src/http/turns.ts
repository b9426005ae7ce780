/** A place among those that are served at once. */
export interface Turn {
  /** Says whether something is being done for the client, or the client has to take what there is. */
  busy(is: boolean): void
  /** Gives the place to the next in the queue; a second call does nothing. */
  end(): void
}

interface Holder {
  /** Since when its client has taken nothing (ms of `performance.now()`); `undefined` while something is done for it. */
  idleSince: number | undefined
  readonly onLost: () => void
}

/**
 * Lets so many be served at once; the others wait in the order they came. Who has its turn and does not take what it asked for
 * loses it after a while, but only while others wait.
 */
export class Turns {
  readonly #most: number
  readonly #patience: number
  readonly #holders = new Set<Holder>()
  readonly #queue = new Set<() => void>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param patience how long a client may take nothing while others wait, in ms */
  constructor(most: number, patience: number) {
    this.#most = most
    this.#patience = patience
  }

  /**
   * Resolves when it is this one's turn.
   * @param onLost told when the turn is taken away
   * @throws the signal's reason
   */
  async take(signal: AbortSignal, onLost: () => void): Promise<Turn> {
    signal.throwIfAborted()
    const holder: Holder = { idleSince: undefined, onLost }
    if (this.#holders.size < this.#most) this.#holders.add(holder)
    else await this.#wait(holder, signal)
    return {
      busy: (is) => {
        holder.idleSince = is ? undefined : performance.now()
      },
      end: () => this.#end(holder),
    }
  }

  #wait(holder: Holder, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => {
      this.#queue.delete(enter)
      reject(signal.reason)
    }
    const enter = (): void => {
      signal.removeEventListener("abort", leave)
      this.#holders.add(holder)
      resolve()
    }
    signal.addEventListener("abort", leave, { once: true })
    this.#queue.add(enter)
    this.#look()
    return promise
  }

  #end(holder: Holder): void {
    if (!this.#holders.delete(holder)) return
    const [next] = this.#queue
    if (!next) return
    this.#queue.delete(next)
    next()
  }

  /** Takes turns away for as long as others wait for them. */
  #look(): void {
    if (this.#timer || this.#queue.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const latest = performance.now() - this.#patience
      const idle = [...this.#holders].filter(
        ({ idleSince = Number.POSITIVE_INFINITY }) => idleSince <= latest,
      )
      idle.sort((a, b) => (a.idleSince ?? 0) - (b.idleSince ?? 0))
      for (const holder of idle.slice(0, this.#queue.size)) {
        this.#end(holder)
        holder.onLost()
      }
      this.#look()
    }, this.#patience / 10)
    this.#timer.unref()
  }
}

/** Lists that hold much while they are written, of which so many are written at once. */
export class ListTurns extends Turns {
  /** What comes before the first record takes the most work: one list after another does it. */
  readonly #beginnings: Turns

  constructor(most: number, patience: number) {
    super(most, patience)
    this.#beginnings = new Turns(1, patience)
  }

  /** Runs what comes before a list's first record. @throws the signal's reason; what `work` throws */
  async begin<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = await this.#beginnings.take(signal, () => {})
    try {
      return await work()
    } finally {
      turn.end()
    }
  }
}
