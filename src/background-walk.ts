import { IndexFailure } from "./database/failure.ts"
import type { Logger } from "./logger.ts"
import type { Reconciler } from "./migrator/reconcile.ts"
import { type WalkResult, walk } from "./migrator/walk.ts"

/** How long after opening it begins, so that the first calls have the machine to themselves, in ms. */
const DELAY_MS = 100
/** How long it rests between two slices, in ms. */
const REST_MS = 1

/** How the background indexing is doing. */
export interface WalkHealth {
  readonly state: "off" | "waiting" | "running" | "done" | "stopped" | "failed"
  readonly reason?: string
  /** Record files it read. */
  readonly read?: number
  readonly elapsedMs?: number
}

/** Indexes the whole store once, in slices that leave the event loop free, and without keeping the process alive. */
export class BackgroundWalk {
  readonly #abort = new AbortController()
  #health: WalkHealth
  #running: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(enabled: boolean, within: Reconciler, logger: Logger) {
    this.#health = { state: enabled ? "waiting" : "off" }
    if (!enabled) return
    this.#timer = setTimeout(() => {
      this.#running = this.#run(within, logger)
    }, DELAY_MS)
    this.#timer.unref()
  }

  health(): WalkHealth {
    return this.#health
  }

  /** Ends it where it is; what it has done stays done. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#abort.abort()
    await this.#running
    if (this.#health.state === "waiting") this.#health = { state: "stopped" }
  }

  async #run(within: Reconciler, logger: Logger): Promise<void> {
    this.#health = { state: "running" }
    try {
      const { read, elapsedMs }: WalkResult = await walk(within, {
        signal: this.#abort.signal,
        onYield: rest,
      })
      this.#health = { state: "done", read, elapsedMs }
    } catch (error) {
      if (this.#abort.signal.aborted) this.#health = { state: "stopped" }
      else {
        this.#health = { state: "failed", reason: error instanceof Error ? error.message : String(error) }
        if (!(error instanceof IndexFailure)) logger.warn("Indexing in the background failed", error)
      }
    }
  }
}

function rest(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, REST_MS).unref()
  })
}
