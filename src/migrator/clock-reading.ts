import type { DeviceClock } from "../file/clock.ts"
import { isProven } from "../file/stamp.ts"
import type { FileStat } from "../file/system.ts"

/**
 * The devices' clocks, each read once, before any stat that a stored stamp is made from. An older reading proves fewer stamps, never too
 * many.
 */
export class ClockReading {
  readonly #clock: DeviceClock
  readonly #now = new Map<bigint, bigint | undefined>()

  constructor(clock: DeviceClock) {
    this.#clock = clock
  }

  /** Whether the clock was read before this stat was taken. If not, it is read now, and the stat must be taken again. */
  precedes(stat: FileStat): boolean {
    if (this.#now.has(stat.device)) return true
    this.#clock.observe(stat)
    this.#now.set(stat.device, this.#clock.now(stat.device))
    return false
  }

  /** Whether no later change can leave the same stamp as this stat, which was taken after the reading. */
  proves(stat: FileStat): boolean {
    return isProven(stat, this.#now.get(stat.device))
  }

  /** As `proves`, for a folder whose names were read after its stat: every rename must also update the folder's times. */
  provesNames(folder: FileStat): boolean {
    return this.proves(folder) && this.#clock.datesRenames(folder.device)
  }
}
