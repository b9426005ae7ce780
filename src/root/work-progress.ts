import type { WalkHealth } from "./health.ts"
import type { WalkProgress } from "./walk-result.ts"

/** How indexing in the background is doing, for a root's health. */
export class WorkProgress {
  #health: WalkHealth
  #running = 0

  /** @param enabled whether there is any */
  constructor(enabled: boolean) {
    this.#health = { state: enabled ? "waiting" : "off" }
  }

  get health(): WalkHealth {
    return this.#health
  }

  /**
   * Does some of it, and tells meanwhile how far that is.
   * @throws what the work throws
   */
  async during<T>(
    signal: AbortSignal,
    work: (onProgress: (progress: WalkProgress) => void) => Promise<T>,
  ): Promise<T> {
    const began = performance.now()
    // One that was ended may be amid its last slice when the next begins.
    const run = ++this.#running
    const tell = (health: WalkHealth): void => {
      if (run === this.#running) this.#health = health
    }
    tell({ state: "running" })
    let read = 0
    try {
      const result = await work((progress) => {
        read = progress.read
        tell({ state: "running", read, progress })
      })
      tell({ state: "done", read, elapsedMs: performance.now() - began })
      return result
    } catch (error) {
      if (signal.aborted) tell({ state: "stopped" })
      else tell({ state: "failed", reason: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }
}
