import type { FileStat, FileSystem } from "./system.ts"

/**
 * Reads the clock of the device that holds the files, which need not agree with ours: its "now" is the change time of
 * a probe file just touched there.
 *
 * Where no probe can be touched (another device behind a link, a read-only store), the youngest change time seen on
 * the device stands in: the device's clock cannot have been earlier than that, so it errs to the safe side.
 */
export class DeviceClock {
  readonly #youngest = new Map<bigint, bigint>()
  readonly #fs: FileSystem
  readonly #probePath: string | undefined

  /** @param probePath where to keep the probe; `undefined` to leave the disk alone */
  constructor(fs: FileSystem, probePath: string | undefined) {
    this.#fs = fs
    this.#probePath = probePath
  }

  /** A time (ns since 1970) that the device's clock has reached, or `undefined` where nothing is known of it. */
  now(device: bigint): bigint | undefined {
    this.#probe()
    return this.#youngest.get(device)
  }

  /** Takes note of a stat: the device's clock is not behind its change time. */
  observe(stat: FileStat): void {
    const youngest = this.#youngest.get(stat.device)
    if (youngest === undefined || stat.ctimeNs > youngest) this.#youngest.set(stat.device, stat.ctimeNs)
  }

  #probe(): void {
    if (this.#probePath === undefined) return
    try {
      const stat = this.#fs.touch(this.#probePath)
      // The probe alone tells the present: a future time observed before the clock was set back must not stand.
      this.#youngest.set(stat.device, stat.ctimeNs)
    } catch {
      // No probe, no proof: stamps stay unknown and files are read again, which is slow and right.
    }
  }
}
