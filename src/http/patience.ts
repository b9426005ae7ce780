/**
 * Waits for a promise again and again, a while each time. A race with it each time would leave something behind that stays until
 * the promise settles, which on a quiet store is never.
 */
export class Patience<T> {
  readonly promise: Promise<T>
  #settled = false
  #wake = (): void => {}

  constructor(promise: Promise<T>) {
    this.promise = promise
    const settle = (): void => {
      this.#settled = true
      this.#wake()
    }
    // Whoever takes the promise hears of its failure; who goes away before need not.
    promise.then(settle, settle)
  }

  /** Whether the promise is settled, after so many ms at the latest. */
  async within(ms: number): Promise<boolean> {
    if (this.#settled) return true
    const { promise: woken, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, ms)
    await woken
    clearTimeout(timer)
    return this.#settled
  }
}
