import type { DeviceClock } from "../file/clock.ts"
import { isProven } from "../file/stamp.ts"
import type { FileStat } from "../file/system.ts"

/**
 * The devices' clocks as they were before any stat that a stored stamp comes from: each is read once, at the first need.
 * The older the reading, the fewer stamps it proves; it never proves one too many.
 */
export class ClockReading {
  readonly #clock: DeviceClock
  readonly #now = new Map<bigint, bigint | undefined>()

  constructor(clock: DeviceClock) {
    this.#clock = clock
  }

  /** Tells whether the clock was read before this stat was taken; if not it is read now, and the stat must be taken again. */
  precedes(stat: FileStat): boolean {
    if (this.#now.has(stat.device)) return true
    this.#clock.observe(stat)
    this.#now.set(stat.device, this.#clock.now(stat.device))
    return false
  }

  /** Tells whether no later change can leave the stamp of this stat, which was taken after the reading. */
  proves(stat: FileStat): boolean {
    return isProven(stat, this.#now.get(stat.device))
  }

  /** As `proves`, for a folder whose names were read after its stat: it must also be one that every rename dates. */
  provesNames(folder: FileStat): boolean {
    return this.proves(folder) && this.#clock.datesRenames(folder.device)
  }
}
