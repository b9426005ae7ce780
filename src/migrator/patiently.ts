import { IndexFailure } from "../database/failure.ts"
import { pause } from "../time-slice.ts"

const BUSY_PAUSE_MS = 20
const MAX_BUSY_TRIES = 500

/**
 * Does long work that nobody waits for again, for up to 10 s, while other processes keep the index busy.
 * @param onBusy called each time that they do
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
