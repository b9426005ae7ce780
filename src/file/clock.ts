import { dirname, join } from "node:path"
import { createShared } from "./access.ts"
import type { FileStat, FileSystem } from "./system.ts"
import { noteClock } from "./torn.ts"

const NS_PER_MS = 1_000_000n
/** A time that every file system can hold (FAT begins with 1980), in ms. */
const LONG_AGO_MS = Date.UTC(2000, 0, 1)

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
  #made = false
  /** What a rename beside the probe came to, once it has been tried. */
  #tried: { readonly device: bigint; readonly dated: boolean } | undefined

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
    const youngest = this.#youngest.get(device)
    if (youngest !== undefined && ctimeNs <= youngest) return
    if (ctimeNs <= BigInt(Date.now()) * NS_PER_MS) this.#youngest.set(device, ctimeNs)
  }

  /**
   * Whether a rename dates the folders it changes on that device, so that their stamps say something of their names. On some
   * (exfat-fuse) it does not. Tried once, beside the probe; of a device without one it cannot be known, and is taken to be so.
   */
  datesRenames(device: bigint): boolean {
    if (this.#probePath === undefined) return true
    try {
      this.#tried ??= tryRename(this.#fs, dirname(this.#probePath))
    } catch {
      // Not to be tried for now: until it can be, names are read again, which is slow and right.
      return false
    }
    return this.#tried.device !== device || this.#tried.dated
  }

  #probe(): FileStat | undefined {
    if (this.#probePath === undefined) return undefined
    try {
      if (!this.#made) createShared(this.#fs, this.#probePath)
      this.#made = true
      return this.#fs.touch(this.#probePath)
    } catch {
      // No probe, no proof: stamps stay unknown and files are read again, which is slow and right.
      return undefined
    }
  }
}

/** Renames a file in a new folder that is dated long ago, and looks whether that gave it another time. */
function tryRename(fs: FileSystem, beside: string): { device: bigint; dated: boolean } {
  const folder = join(beside, `trial-${Bun.randomUUIDv7()}`)
  const [from, to] = [join(folder, "a"), join(folder, "b")]
  try {
    fs.makeDirectory(folder)
    fs.touch(from)
    fs.setModified(folder, LONG_AGO_MS)
    const before = fs.lstat(folder)
    fs.rename(from, to)
    const after = fs.lstat(folder)
    if (!before || !after) throw new Error("Another program removed the folder of a trial")
    return { device: after.device, dated: after.mtimeNs !== before.mtimeNs }
  } finally {
    fs.removeFile(from)
    fs.removeFile(to)
    fs.removeEmptyDirectory(folder)
  }
}
