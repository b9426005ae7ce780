import type { WalkHealth } from "./health.ts"
import type { WalkProgress } from "./walk-result.ts"

/** Keeps track of background indexing, for a root's health. */
export class WorkProgress {
  #health: WalkHealth
  #running = 0

  /** @param enabled whether there is any background indexing */
  constructor(enabled: boolean) {
    this.#health = { state: enabled ? "waiting" : "off" }
  }

  get health(): WalkHealth {
    return this.#health
  }

  /**
   * Runs background work, and keeps its progress meanwhile.
   * @throws what the work throws
   */
  async during<T>(
    signal: AbortSignal,
    work: (onProgress: (progress: WalkProgress) => void) => Promise<T>,
  ): Promise<T> {
    const began = performance.now()
    // A run that was aborted may still be in its last slice when the next begins.
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
