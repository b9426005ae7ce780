import { dirname, join } from "node:path"
import { createShared } from "./access.ts"
import type { FileStat, FileSystem } from "./system.ts"
import { noteClock } from "./torn.ts"

const NS_PER_MS = 1_000_000n
/** A time that every file system can hold (FAT begins with 1980), in ms. */
const LONG_AGO_MS = Date.UTC(2000, 0, 1)

/**
 * Reads the clock of the device that holds the files, which may differ from ours: "now" is the change time of a probe file that was
 * just touched there.
 *
 * If no probe can be touched (another device behind a link, a read-only store), the youngest change time seen on the device is used
 * instead, since the device's clock has reached it. Change times that our own clock has not reached are left out: they may be from
 * a time when the device's clock was ahead. Our own clock is never used instead of the device's, which may be behind it. So an error
 * is always on the safe side: a young stamp stays unknown.
 */
export class DeviceClock {
  readonly #youngest = new Map<bigint, bigint>()
  readonly #fs: FileSystem
  readonly #probePath: string | undefined
  #made = false
  /** The result of the trial rename beside the probe, once it has been made. */
  #tried: { readonly device: bigint; readonly dated: boolean } | undefined

  /** @param probePath where to keep the probe file; `undefined` to write nothing to the disk */
  constructor(fs: FileSystem, probePath: string | undefined) {
    this.#fs = fs
    this.#probePath = probePath
  }

  /** A time (ns since 1970) that the device's clock has reached, or `undefined` if nothing is known about it. */
  now(device: bigint): bigint | undefined {
    const probe = this.#probe()
    // On the probe's device only the probe counts, even if a later change time was seen there.
    const now = probe?.device === device ? probe.ctimeNs : this.#youngest.get(device)
    if (now !== undefined) noteClock(this.#fs, device, now)
    return now
  }

  /** Learns from a stat that the device's clock has reached its change time. */
  observe({ device, ctimeNs }: FileStat): void {
    const youngest = this.#youngest.get(device)
    if (youngest !== undefined && ctimeNs <= youngest) return
    if (ctimeNs <= BigInt(Date.now()) * NS_PER_MS) this.#youngest.set(device, ctimeNs)
  }

  /**
   * Whether a rename updates the times of the folders it changes on that device, so that a folder's stamp proves its names. On some
   * file systems (exfat-fuse) it does not. This is tried once, beside the probe. On a device without a probe it is taken to be so.
   */
  datesRenames(device: bigint): boolean {
    if (this.#probePath === undefined) return true
    try {
      this.#tried ??= tryRename(this.#fs, dirname(this.#probePath))
    } catch {
      // It cannot be tried now. Until it can, names are read again, which is slow but right.
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
      // Without a probe stamps stay unknown and files are read again, which is slow but right.
      return undefined
    }
  }
}

/** Renames a file in a new folder whose times were set long ago, and looks whether that updated the folder's times. */
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
