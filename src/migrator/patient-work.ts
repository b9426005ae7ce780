import { IndexFailure } from "../database/failure.ts"
import { patiently } from "./patiently.ts"

/** Runs work that waits while other processes keep the index busy, and lets calls of this process that wait for it stop waiting. */
export class PatientWork {
  #waiting = 0
  readonly #told = new Set<() => void>()

  /** As `patiently`; while the work waits for the index, `whileUnheld` knows it. */
  async do<T>(work: () => Promise<T>): Promise<T> {
    let isWaiting = false
    try {
      return await patiently(work, () => {
        if (isWaiting) return
        isWaiting = true
        this.#waiting++
        for (const tell of this.#told) tell()
      })
    } finally {
      if (isWaiting) this.#waiting--
    }
  }

  /**
   * Waits until `work` has settled, whether it succeeded or failed.
   * @throws IndexFailure `busy` as soon as patient work has to wait for another process
   */
  async whileUnheld(work: Promise<unknown>): Promise<void> {
    const { promise: held, resolve } = Promise.withResolvers<false>()
    const tell = (): void => resolve(false)
    if (this.#waiting > 0) tell()
    this.#told.add(tell)
    const ended = () => true
    try {
      if (await Promise.race([work.then(ended, ended), held])) return
    } finally {
      this.#told.delete(tell)
    }
    throw new IndexFailure("busy", "Another process writes to the index")
  }
}
