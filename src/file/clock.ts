import type { FileStat, FileSystem } from "./system.ts"
import { noteClock } from "./torn.ts"

const NS_PER_MS = 1_000_000n

/**
 * Reads the clock of the device that holds the files, which need not agree with ours: its "now" is the change time of
 * a probe file just touched there.
 *
 * Where no probe can be touched (another device behind a link, a read-only store), the youngest change time seen on
 * the device stands in: the device's clock cannot have been earlier than that. A change time that our own clock has not
 * reached is left out, since it may be from a time when the device's clock was ahead. Our own clock is never taken for the
 * device's, which may be behind it. So both errors are to the safe side: what is young stays unknown.
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
    const probe = this.#probe()
    // The probe alone tells the present of its device, also where a later change time was seen there.
    const now = probe?.device === device ? probe.ctimeNs : this.#youngest.get(device)
    if (now !== undefined) noteClock(this.#fs, device, now)
    return now
  }

  /** Takes note of a stat: the device's clock is not behind its change time, unless it was set back since. */
  observe({ device, ctimeNs }: FileStat): void {
    if (ctimeNs > BigInt(Date.now()) * NS_PER_MS) return
    const youngest = this.#youngest.get(device)
    if (youngest === undefined || ctimeNs > youngest) this.#youngest.set(device, ctimeNs)
  }

  #probe(): FileStat | undefined {
    if (this.#probePath === undefined) return undefined
    try {
      return this.#fs.touch(this.#probePath)
    } catch {
      // No probe, no proof: stamps stay unknown and files are read again, which is slow and right.
      return undefined
    }
  }
}
