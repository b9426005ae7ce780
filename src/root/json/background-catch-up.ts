import { IndexFailure } from "../../database/failure.ts"
import type { Logger } from "../../logger.ts"
import type { SlicedWork } from "../../migrator/shared-work.ts"
import { rest } from "../../time-slice.ts"

/** The delay after a change, in ms, so that a part that is streamed is put into the index once and not 200 times. */
const DELAY_MS = 1_000

/** Puts changed texts into the index some time after a change, in slices, and without keeping the process alive. */
export class BackgroundCatchUp {
  readonly #work: SlicedWork
  readonly #logger: Logger
  readonly #abort = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | undefined

  constructor(work: SlicedWork, logger: Logger) {
    this.#work = work
    this.#logger = logger
  }

  /** Says that something changed. */
  nudge(): void {
    if (this.#timer || this.#abort.signal.aborted) return
    this.#timer = setTimeout(() => {
      // A change from now on needs another run, since this one may have passed its place.
      this.#timer = undefined
      this.#running = this.#run()
    }, DELAY_MS)
    this.#timer.unref()
  }

  /** Ends the catch-up. What it has done is kept. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#abort.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#running
      await this.#work({ signal: this.#abort.signal, onYield: rest })
    } catch (error) {
      if (!this.#abort.signal.aborted && !(error instanceof IndexFailure))
        this.#logger.warn("Catching up with texts failed", error)
    }
  }
}
