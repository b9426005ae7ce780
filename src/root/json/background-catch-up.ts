import { IndexFailure } from "../../database/failure.ts"
import type { Logger } from "../../logger.ts"
import type { SlicedWork } from "../../migrator/shared-work.ts"
import { rest } from "../../time-slice.ts"

/** How long after a change texts are caught up with: a part that is streamed is put into the index once, not 200 times. */
const DELAY_MS = 1_000

/** Catches up with texts some time after a change, in slices, and without keeping the process alive. */
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

  /** Tells that something changed. */
  nudge(): void {
    if (this.#timer || this.#abort.signal.aborted) return
    this.#timer = setTimeout(() => {
      // From now on a change asks for another run: this one may be past the place it belongs to.
      this.#timer = undefined
      this.#running = this.#run()
    }, DELAY_MS)
    this.#timer.unref()
  }

  /** Ends it where it is; what it has done stays done. */
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
