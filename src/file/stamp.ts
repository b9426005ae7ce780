import type { FileStat } from "./system.ts"

/**
 * A stamp says which version of a file was read: `stat`'s modification time, change time and inode, packed into one
 * BLOB (nanoseconds do not fit a JavaScript number), with the size kept beside it. Git's index and notmuch's Maildir
 * scan rest on the same idea.
 *
 * A stamp proves nothing while another change could still fall into the same tick of the device's clock ("racily
 * clean", git's Documentation/technical/racy-git.txt). Such a stamp carries one byte more and never counts as known.
 */
export type Stamp = Uint8Array

const KNOWN_BYTES = 24
const SECOND_NS = 1_000_000_000n
/** A change within this time after another one may leave the same times behind. */
const GRANULARITY_NS = 100_000_000n
/** The same where the file system keeps whole seconds (ext3, HFS+) or every other one (FAT). */
const COARSE_GRANULARITY_NS = 2n * SECOND_NS

/**
 * Tells whether no later change can leave the same stamp.
 * @param nowNs the device's own clock (`DeviceClock`), read *before* the stat was taken
 */
export function isProven(stat: FileStat, nowNs: bigint | undefined): boolean {
  if (nowNs === undefined) return false
  const window = stat.ctimeNs % SECOND_NS === 0n ? COARSE_GRANULARITY_NS : GRANULARITY_NS
  return nowNs - stat.ctimeNs >= window
}

/** Packs a stat; one that is not proven is marked as unknown. */
export function packStamp(stat: FileStat, proven: boolean): Stamp {
  const stamp = Buffer.allocUnsafe(proven ? KNOWN_BYTES : KNOWN_BYTES + 1)
  stamp.writeBigInt64LE(BigInt.asIntN(64, stat.mtimeNs), 0)
  stamp.writeBigInt64LE(BigInt.asIntN(64, stat.ctimeNs), 8)
  stamp.writeBigInt64LE(BigInt.asIntN(64, stat.inode), 16)
  if (!proven) stamp[KNOWN_BYTES] = 0
  return stamp
}

/** Tells whether a stamp may be trusted at all by a later call. */
export function isKnown(stamp: Stamp | null): stamp is Stamp {
  return stamp !== null && stamp.byteLength === KNOWN_BYTES
}

/** Tells whether the stamp and size are those of this stat, known or not. */
export function sameStamp(stamp: Stamp | null, size: number, stat: FileStat): boolean {
  if (stamp === null || stamp.byteLength < KNOWN_BYTES || size !== stat.size) return false
  const view = new DataView(stamp.buffer, stamp.byteOffset, KNOWN_BYTES)
  return (
    view.getBigInt64(8, true) === BigInt.asIntN(64, stat.ctimeNs) &&
    view.getBigInt64(0, true) === BigInt.asIntN(64, stat.mtimeNs) &&
    view.getBigInt64(16, true) === BigInt.asIntN(64, stat.inode)
  )
}

/** Tells whether two stats are of the same version of the same thing. */
export function sameStat(a: FileStat | undefined, b: FileStat | undefined): boolean {
  if (!a || !b) return a === b
  return (
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.kind === b.kind
  )
}
