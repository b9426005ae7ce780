import { IndexFailure } from "../../database/failure.ts"
import type { Logger } from "../../logger.ts"
import type { SlicedWork } from "../../migrator/shared-work.ts"
import { rest } from "../../time-slice.ts"
import type { WalkHealth } from "../health.ts"
import type { WalkProgress, WalkResult } from "../walk-result.ts"

/** The delay after opening, in ms, so that the first calls have the machine to themselves. */
const DELAY_MS = 100

/** Indexes the whole store once in the background, in slices, and without keeping the process alive. */
export class BackgroundWalk {
  readonly #walk: (signal: AbortSignal) => Promise<WalkResult>
  readonly #logger: Logger
  readonly #afterwards: SlicedWork
  readonly #abort = new AbortController()
  #health: WalkHealth
  #running: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param afterwards work to do after the walk, such as catching up with texts */
  constructor(
    enabled: boolean,
    walk: (signal: AbortSignal) => Promise<WalkResult>,
    logger: Logger,
    afterwards: SlicedWork,
  ) {
    this.#walk = walk
    this.#logger = logger
    this.#afterwards = afterwards
    this.#health = { state: enabled ? "waiting" : "off" }
    if (!enabled) return
    this.#timer = setTimeout(() => this.begin(), DELAY_MS)
    this.#timer.unref()
  }

  /** Begins the walk now if it is still waiting, because a caller needs it. */
  begin(): void {
    if (this.#health.state !== "waiting" || this.#abort.signal.aborted) return
    clearTimeout(this.#timer)
    this.#running = this.#run()
  }

  /** Walks again if the last walk is over, because the index lacks something. */
  again(): void {
    if (["done", "failed"].includes(this.#health.state)) this.#running = this.#run()
  }

  health(): WalkHealth {
    return this.#health
  }

  /** Ends the walk. What it has done is kept. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#abort.abort()
    await this.#running
    if (this.#health.state === "waiting") this.#health = { state: "stopped" }
  }

  /** Notes the progress of the walk that it waits for. */
  note(progress: WalkProgress): void {
    if (this.#health.state === "running") this.#health = { state: "running", read: progress.read, progress }
  }

  async #run(): Promise<void> {
    this.#health = { state: "running" }
    const options = { signal: this.#abort.signal, onYield: rest }
    try {
      const { read, elapsedMs } = await this.#walk(this.#abort.signal)
      this.#health = { state: "running", read, elapsedMs }
      await this.#afterwards(options)
      this.#health = { state: "done", read, elapsedMs }
    } catch (error) {
      if (this.#abort.signal.aborted) this.#health = { state: "stopped" }
      else {
        this.#health = { state: "failed", reason: error instanceof Error ? error.message : String(error) }
        if (!(error instanceof IndexFailure)) this.#logger.warn("Indexing in the background failed", error)
      }
    }
  }
}
