import { IndexFailure } from "../../database/failure.ts"
import type { Logger } from "../../logger.ts"
import { rest } from "../../time-slice.ts"
import type { WalkHealth } from "../health.ts"
import type { WalkResult } from "../walk-result.ts"

/** How long after opening it begins, so that the first calls have the machine to themselves, in ms. */
const DELAY_MS = 100

/** Work that lets itself be ended and that rests between two slices. */
export type BackgroundWork<T = unknown> = (options: {
  signal: AbortSignal
  onYield: () => Promise<void>
}) => Promise<T>

/** Indexes the whole store once, in slices that leave the event loop free, and without keeping the process alive. */
export class BackgroundWalk {
  readonly #walk: BackgroundWork<WalkResult>
  readonly #logger: Logger
  readonly #before: Promise<void>
  readonly #afterwards: BackgroundWork
  readonly #onFailed: () => void
  readonly #abort = new AbortController()
  #health: WalkHealth
  #running: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param before what to wait for: a watch that is to notice what changes behind the walk
   * @param afterwards what is to follow the walk in the same slices: catching up with texts
   * @param onFailed told when it ends before its time and nobody ended it
   */
  constructor(
    enabled: boolean,
    walk: BackgroundWork<WalkResult>,
    logger: Logger,
    before: Promise<void>,
    afterwards: BackgroundWork,
    onFailed: () => void,
  ) {
    this.#before = before
    this.#walk = walk
    this.#logger = logger
    this.#afterwards = afterwards
    this.#onFailed = onFailed
    this.#health = { state: enabled ? "waiting" : "off" }
    if (!enabled) return
    this.#timer = setTimeout(() => {
      this.#running = this.#run()
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

  async #run(): Promise<void> {
    this.#health = { state: "running" }
    const options = { signal: this.#abort.signal, onYield: rest }
    try {
      await this.#before
      const { read, elapsedMs } = await this.#walk(options)
      this.#health = { state: "running", read, elapsedMs }
      await this.#afterwards(options)
      this.#health = { state: "done", read, elapsedMs }
    } catch (error) {
      if (this.#abort.signal.aborted) this.#health = { state: "stopped" }
      else {
        this.#onFailed()
        this.#health = { state: "failed", reason: error instanceof Error ? error.message : String(error) }
        if (!(error instanceof IndexFailure)) this.#logger.warn("Indexing in the background failed", error)
      }
    }
  }
}
