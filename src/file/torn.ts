import type { FileStat, FileSystem } from "./system.ts"

/** A torn file whose last change is longer ago than this is no longer being written, in ns. */
const YOUNG_NS = 60_000_000_000n
const NS_PER_MS = 1_000_000n

/** For each device, the change time up to which no file is being written any more. */
const settled = new WeakMap<FileSystem, Map<bigint, bigint>>()

/**
 * Whether a torn file may be whole in a moment: other programs overwrite files in place, so a file can be seen half written.
 *
 * Our own clock is not enough, since the device's may differ a lot. So a file that is old by our clock counts as old only if something
 * that was noted about its device agrees.
 */
export function mayBeBeingWritten(fs: FileSystem, { device, ctimeNs }: FileStat): boolean {
  const age = BigInt(Date.now()) * NS_PER_MS - ctimeNs
  if (age < YOUNG_NS && age > -YOUNG_NS) return true
  const until = settled.get(fs)?.get(device)
  return until === undefined || ctimeNs > until
}

/** Notes a time (ns) that the device's clock has reached: files changed a minute before it are no longer being written. */
export function noteClock(fs: FileSystem, device: bigint, nowNs: bigint): void {
  note(fs, device, nowNs - YOUNG_NS)
}

/** Notes that waiting for a torn file was in vain, so that nobody waits for files of its device with the same or an older change time. */
export function noteWaitedFor(fs: FileSystem, { device, ctimeNs }: FileStat): void {
  note(fs, device, ctimeNs)
}

function note(fs: FileSystem, device: bigint, timeNs: bigint): void {
  const devices = settled.get(fs) ?? new Map<bigint, bigint>()
  settled.set(fs, devices)
  const until = devices.get(device)
  if (until === undefined || timeNs > until) devices.set(device, timeNs)
}
