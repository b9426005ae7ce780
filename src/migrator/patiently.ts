import { IndexFailure } from "../database/failure.ts"
import { pause } from "../time-slice.ts"

const BUSY_PAUSE_MS = 20
const MAX_BUSY_TRIES = 500

/**
 * Runs work that needs no quick answer, and retries it for up to 10 s while other processes keep the index busy.
 * @param onBusy called each time the index is busy
 */
export async function patiently<T>(work: () => Promise<T>, onBusy?: () => void): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof IndexFailure) || error.kind !== "busy" || tries === MAX_BUSY_TRIES) throw error
      onBusy?.()
      await pause(BUSY_PAUSE_MS)
    }
}
