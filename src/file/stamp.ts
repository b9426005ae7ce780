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

/** How long a stamp is that may be trusted at all, in bytes. */
export const KNOWN_BYTES = 24
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

// Filled and read within one synchronous call. Comparing bytes spares each stored stamp a view of its own.
const packed = Buffer.alloc(KNOWN_BYTES)
const fields = new DataView(packed.buffer, packed.byteOffset, KNOWN_BYTES)

function pack(stat: FileStat): Buffer {
  fields.setBigInt64(0, stat.mtimeNs, true)
  fields.setBigInt64(8, stat.ctimeNs, true)
  fields.setBigInt64(16, stat.inode, true)
  return packed
}

/** Packs a stat; one that is not proven is marked as unknown. */
export function packStamp(stat: FileStat, proven: boolean): Stamp {
  const stamp = Buffer.alloc(proven ? KNOWN_BYTES : KNOWN_BYTES + 1)
  pack(stat).copy(stamp)
  return stamp
}

/** Tells whether a stamp may be trusted at all by a later call. */
export function isKnown(stamp: Stamp | null): stamp is Stamp {
  return stamp !== null && stamp.byteLength === KNOWN_BYTES
}

/** Tells whether the stamp and size are those of this stat, known or not. */
export function sameStamp(stamp: Stamp | null, size: number, stat: FileStat): boolean {
  if (stamp === null || stamp.byteLength < KNOWN_BYTES || size !== stat.size) return false
  return pack(stat).compare(stamp, 0, KNOWN_BYTES) === 0
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
