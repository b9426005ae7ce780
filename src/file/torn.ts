import type { FileStat, FileSystem } from "./system.ts"

/** A torn file that was changed longer ago than this is not being written any more, in ns. */
const YOUNG_NS = 60_000_000_000n
const NS_PER_MS = 1_000_000n

/** Per device the change time up to which no file is being written any more. */
const settled = new WeakMap<FileSystem, Map<bigint, bigint>>()

/**
 * Tells whether a torn file may be whole in a moment: other writers overwrite in place, so a file can be seen half written.
 *
 * Our clock alone cannot tell, since the device's may be far from it. So a file that is not young by ours is old only if what
 * was noted of its device says so.
 */
export function mayBeBeingWritten(fs: FileSystem, { device, ctimeNs }: FileStat): boolean {
  const age = BigInt(Date.now()) * NS_PER_MS - ctimeNs
  if (age < YOUNG_NS && age > -YOUNG_NS) return true
  const until = settled.get(fs)?.get(device)
  return until === undefined || ctimeNs > until
}

/** Notes a time that the device's clock has reached: what was changed long before is not being written any more. */
export function noteClock(fs: FileSystem, device: bigint, nowNs: bigint): void {
  note(fs, device, nowNs - YOUNG_NS)
}

/** Notes that a torn file was waited for in vain: so was every other one that its device had not changed after it. */
export function noteWaitedFor(fs: FileSystem, { device, ctimeNs }: FileStat): void {
  note(fs, device, ctimeNs)
}

function note(fs: FileSystem, device: bigint, timeNs: bigint): void {
  const devices = settled.get(fs) ?? new Map<bigint, bigint>()
  settled.set(fs, devices)
  const until = devices.get(device)
  if (until === undefined || timeNs > until) devices.set(device, timeNs)
}
